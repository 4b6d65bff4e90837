"""What every test shares: the chain of menu.json in the database, and API clients."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.test.utils import setup_databases, teardown_databases
from hypothesis import HealthCheck, settings
from pytest_django.plugin import blocking_manager_key

from campaigns import clicks
from shop.config.sandbox.server import Sandbox
from shop.storefront.demo import chain
from tests import make, platforms

# A busy machine is slow, not wrong.
settings.register_profile("huigan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("huigan")

_chain: dict[str, bytes] = {}
"""The demo chain's rows by table, as COPY gives them; to put them back after a flush."""
_empty_tables: list[str] = []
"""The tables in which the chain has no rows."""
_flushed = False


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Load the demo chain once; each test sees it and rolls back to it.

    The TRUNCATE guard of the ledger is lifted: transactional tests flush their tables.
    """
    with django_db_blocker.unblock():
        made = _ensure_test_database()
        _lift_truncate_guard()
        chain.load(opened_on=make.OPENING_DAY)
        _remember_chain()
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


def _ensure_test_database() -> Any:
    """Make the test database if the plugin has not: races alone do not look to it as if they need
    one, and would otherwise run in the database that the settings name.
    """
    if connection.settings_dict["NAME"].startswith(TEST_DATABASE_PREFIX):
        return []
    return setup_databases(verbosity=0, interactive=False)


def _lift_truncate_guard() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE tgname LIKE 'pgtrigger_no_truncate%%'"
        )
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")


def _remember_chain() -> None:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith(
                ("shop_", "campaigns_", "loyalty_", "storefront_", "kernel_", "django_session")
            ):
                continue
            query = f'SELECT * FROM "{table}"'  # noqa: S608 - one in parts has no rows of its own
            with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
                rows = b"".join(bytes(chunk) for chunk in copy)
            if rows:
                _chain[table] = rows
            else:
                _empty_tables.append(table)


def _restore_chain() -> None:
    """Put the chain back as it was loaded, in one transaction and in any order of tables."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, rows in _chain.items():
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608 - what migrations put back
            with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                copy.write(rows)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Put the chain back before a test that expects it, if one before has flushed it.

    pytest-django sorts flushing tests last; whoever spreads files over workers undoes that.
    """
    global _flushed  # noqa: PLW0603 - a fact about this worker's database
    if _flushes(item):
        _flushed = True
    elif _flushed:
        with item.config.stash[blocking_manager_key].unblock():
            connection.close()  # the test before may have had it ended
            _restore_chain()
            connection.close()
        _flushed = False


def _flushes(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    is_marked = marker is not None and marker.kwargs.get("transaction", False)
    names = getattr(item, "fixturenames", ())
    return bool(is_marked or {"transactional_db", "live_server"} & set(names))


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
def sandbox(settings: Any) -> Iterator[Sandbox]:
    """The platforms' stand-ins, over real HTTP, with the demo's vouchers sold."""
    with platforms.served() as server:
        settings.SANDBOX_URL = server.url
        yield server


@pytest.fixture
def committed(transactional_db: None) -> None:
    """A database whose commits are real, for tests with threads; what it holds is flushed after."""
    _restore_chain()


@pytest.fixture
def real_commits(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database whose commits are real, emptied by hand: ten times as fast as a flush.

    For tests that leave no thread behind which still writes.
    """
    with django_db_blocker.unblock():
        yield
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in _empty_tables:
                cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608 - a name of ours
        _restore_chain()
