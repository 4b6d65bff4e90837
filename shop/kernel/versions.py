"""Copies of what seldom changes, which a process keeps for as long as nobody has changed it.

A trigger on every table behind a copy gives it a new version, in the transaction of the change. Who
uses a copy reads the version first, with something else that they read anyway; so a copy is never
older than that. Versions come from a sequence: one that was rolled back never comes again.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import pgtrigger
from django.db import connection

K = TypeVar("K")
V = TypeVar("V")


def trigger_of(name: str) -> pgtrigger.Trigger:
    """Return the trigger of a table whose changes make a new version of this name."""
    return pgtrigger.Trigger(
        name="new_version",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func=f"""
            INSERT INTO kernel_version (name, value)
            VALUES ('{name}', nextval('kernel_version_values'))
            ON CONFLICT (name) DO UPDATE SET value = excluded.value;
            RETURN NULL;
        """,  # noqa: S608 - a name in our own code
    )


def sql_of(name: str) -> str:
    """Return SQL for the version of this name; NULL when nothing was ever written."""
    return f"(SELECT value FROM kernel_version WHERE name = '{name}')"  # noqa: S608 - as above


def read(names: Sequence[str]) -> list[int | None]:
    """Return the versions of these names, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(map(sql_of, names))}")
        return list(cursor.fetchone())


class Copies(Generic[K, V]):
    """What a process keeps of one version; it keeps so many things `at_most`, and no former ones.

    >>> menu = Copies[str, int](at_most=2)
    >>> menu.of(1)["tea"] = 1200
    >>> menu.of(1), menu.of(2), menu.of(None)
    ({'tea': 1200}, {}, {})
    """

    def __init__(self, *, at_most: int) -> None:
        self._at_most = at_most
        # One attribute, so that no other thread sees a version with the copies of another.
        self._kept: tuple[int | None, dict[K, V]] = (None, {})

    def of(self, version: int | None) -> dict[K, V]:
        """Return the copies of this version, to look into and to add to; without one, none."""
        if version is None:
            return {}
        kept_version, kept = self._kept
        if kept_version != version or len(kept) >= self._at_most:
            kept = {}
            self._kept = (version, kept)
        return kept
