"""What every race shares: a database with real commits."""

import pytest


@pytest.fixture(autouse=True)
def _real_commits(committed: None) -> None:
    """Let the threads of a test see each other's commits."""
