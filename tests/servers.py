"""The pytest plugin that gives every run its own PostgreSQL and Valkey.

They must run before pytest-django reads the settings, which is earlier than any conftest; hence a
plugin, named in pyproject.toml. Workers of pytest-xdist inherit their controller's environment.
"""

import atexit
import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from shop.config import translations
from shop.config.embedded import ephemeral
from shop.config.processes import CannotStart

_running = ExitStack()
atexit.register(_running.close)  # also where pytest gives up before it is configured


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Start the servers; a wrapper, because pytest-django's own hook asks to be first."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _take_own_valkey_database(int(worker.removeprefix("gw")))
    else:
        _start()
    return (yield)


def _start() -> None:
    try:
        os.environ |= _running.enter_context(ephemeral())
    except CannotStart as error:
        raise pytest.UsageError(str(error)) from error
    translations.compile_all()


def _take_own_valkey_database(number: int) -> None:
    """Keep workers out of each other's cache, as pytest-django does for PostgreSQL."""
    server = os.environ["REDIS_URL"].rpartition("/")[0]
    os.environ["REDIS_URL"] = f"{server}/{number + 1}"
