"""What every test shares: the chain of menu.json in the database, and API clients."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from campaigns import clicks
from shop.storefront.demo import chain
from tests import make


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Load the demo chain once; each test sees it and rolls back to it.

    The TRUNCATE guard of the ledger is lifted: transactional tests flush their tables.
    """
    with django_db_blocker.unblock():
        _prepare()


def _prepare() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'loyalty_pointsentry'::regclass"
            " AND tgname LIKE 'pgtrigger_no_truncate%%'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE loyalty_pointsentry DISABLE TRIGGER {name}")
    chain.load(opened_on=make.OPENING_DAY)


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget what processes remember between requests.

    Clicks wait in the buffer for `clicks.flush_now`: the thread that would write them has a
    connection of its own, which does not see what a test has not committed.
    """
    monkeypatch.setattr(clicks, "_ensure_writer", lambda: None)
    cache.clear()
    clicks.forget_links()
    yield
    clicks.forget_links()
    clicks._buffer.clear()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A database whose commits are real, for tests with threads; loaded anew after each flush."""
    chain.load(opened_on=make.OPENING_DAY)
