"""Rows turned into arrays by column, as `unnest` takes them, and added to the sums of months."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def columns(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns of rows by name, in the order of the rows.

    >>> columns([(1, "a"), (2, "b")], ["number", "letter"])
    {'number': [1, 2], 'letter': ['a', 'b']}
    """
    found = list(rows)
    return {name: [row[at] for row in found] for at, name in enumerate(names)}


def add_to(table: str, *, keys: Mapping[str, str], sums: Mapping[str, str], source: str) -> str:
    """Return a statement that adds up rows and adds that to the sums there are.

    `keys` and `sums` are columns of the table and what they are made of.
    """
    names = ", ".join([*keys, *sums])
    values = ", ".join([*keys.values(), *(f"sum({made})::bigint" for made in sums.values())])
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    added = ", ".join(f"{name} = total.{name} + excluded.{name}" for name in sums)
    return f"""
INSERT INTO {table} AS total ({names})
SELECT {values} FROM {source} GROUP BY {places} ORDER BY {places}
ON CONFLICT ({", ".join(keys)}) DO UPDATE SET {added}
"""


def month_of(day: str) -> str:
    """Return the first day of a day's month, in SQL."""
    return f"date_trunc('month', {day}::timestamp)::date"


def taken(sums: Iterable[str]) -> dict[str, str]:
    """Return the columns with what takes them off."""
    return {name: f"-row.{name}" for name in sums}


def given(sums: Iterable[str]) -> dict[str, str]:
    """Return the columns with what adds them."""
    return {name: f"row.{name}" for name in sums}
