"""The words that all kinds of case share: numbers, times, and what we cannot say."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from shop.kernel.cases import Case

REMARKS = {"id", "name", "label", "note", "notes", "comment", "description"}
"""Words that only explain."""


class Unreadable(Exception):
    """The case lacks a word, or has one that we do not know; the message says which."""


def part(value: Any, what: str, known: Collection[str]) -> Case:
    """Return an object that holds no other words than these.

    Raises:
        Unreadable
    """
    if not isinstance(value, Mapping):
        raise Unreadable(f"{what} is no object: {value!r}")
    for word in sorted(set(value) - set(known) - REMARKS):
        raise Unreadable(f"{what} says “{word}”, which has no meaning here")
    return value


def one_of(known: Collection[str], value: Any, what: str) -> str:
    """Return a word that is one of these.

    Raises:
        Unreadable
    """
    if not isinstance(value, str) or value not in known:
        raise Unreadable(f"there is no {what} “{value}”; there are {', '.join(known)}")
    return value


def type_of(value: Any, known: Collection[str], what: str) -> str:
    """Return the type of an event, an operation or a rule."""
    return one_of(known, value.get("type") if isinstance(value, Mapping) else None, what)


def parts(case: Case, word: str) -> list[Any]:
    """Return a list of the case."""
    value = required(case, word)
    if not isinstance(value, list):
        raise Unreadable(f"{word} is no list: {value!r}")
    return value


def required(case: Case, word: str) -> Any:
    """Return what the case must say."""
    if case.get(word) is None:
        raise Unreadable(f"{word} is missing")
    return case[word]


def whole(case: Case, word: str, default: int | None = None) -> int:
    """Return a whole number; it may be written 100 or 100.0."""
    value = number(case, word, default)
    if value.denominator != 1:
        raise Unreadable(f"{word} is no whole number: {case[word]!r}")
    return int(value)


def number(case: Case, word: str, default: int | None = None) -> Fraction:
    """Return an exact number: 1.1 means eleven tenths, not the nearest binary fraction."""
    value = case.get(word)
    if value is None and default is not None:
        return Fraction(default)
    value = required(case, word)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable(f"{word} is no number: {value!r}")
    try:
        return Fraction(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError):
        raise Unreadable(f"{word} is no number: {value!r}") from None


def flag(case: Case, word: str, *, default: bool) -> bool:
    """Return yes or no."""
    value = case.get(word)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Unreadable(f"{word} is neither true nor false: {value!r}")
    return value


def moment(case: Case, word: str) -> datetime | None:
    """Return a time, in UTC where no zone is named and at midnight where only a date is given."""
    value = case.get(word)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unreadable(f"{word} is no time: {value!r}")
    try:
        if len(value) == len("2026-01-01"):
            return datetime.combine(date.fromisoformat(value), time(), tzinfo=UTC)
        at = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"{word} is no time: {value!r}") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def required_moment(case: Case, word: str) -> datetime:
    """Return a time that the case must name."""
    required(case, word)
    at = moment(case, word)
    assert at is not None  # noqa: S101 - just required
    return at
