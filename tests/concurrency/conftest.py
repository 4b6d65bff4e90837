"""What every race shares: a database with real commits, and books that balance afterwards."""

from collections.abc import Iterator

import pytest

from shop.storefront.invariants import suite
from tests import make


@pytest.fixture(autouse=True)
def _books_balance(real_commits: None) -> Iterator[None]:
    """Let the threads of a test see each other's commits; afterwards every invariant holds."""
    yield
    broken = suite.check_all(now=make.NOON).broken
    assert broken == [], "\n".join(f"{found.name}: {found.examples}" for found in broken)
