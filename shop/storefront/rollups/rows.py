"""Rows turned into arrays by column, as `unnest` takes them."""

from collections.abc import Iterable, Sequence
from typing import Any


def columns(rows: Iterable[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns of rows by name, in the order of the rows.

    >>> columns([(1, "a"), (2, "b")], ["number", "letter"])
    {'number': [1, 2], 'letter': ['a', 'b']}
    """
    found = list(rows)
    return {name: [row[at] for row in found] for at, name in enumerate(names)}
