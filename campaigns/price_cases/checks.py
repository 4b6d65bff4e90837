"""Checks of JSON data that point at the first fault."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

Check = Callable[[Any, str], None]
"""Raises at the first fault of a value, found at a JSON pointer."""


class MalformedCase(ValueError):
    """A case that cannot be read, with the place of its first fault."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer or '/'} {detail}")


def anything(_value: Any, _pointer: str) -> None:
    """Accept what is information only."""


def text(value: Any, pointer: str) -> None:
    """Accept a string."""
    if not isinstance(value, str):
        raise MalformedCase(pointer, "must be a string")


def flag(value: Any, pointer: str) -> None:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise MalformedCase(pointer, "must be true or false")


def number(value: Any, pointer: str) -> None:
    """Accept a percentage: a finite number, a whole one or not."""
    if type(value) not in {int, float} or not math.isfinite(value):
        raise MalformedCase(pointer, "must be a finite number")


def moment(value: Any, pointer: str) -> None:
    """Accept an ISO 8601 time."""
    text(value, pointer)
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise MalformedCase(pointer, "must be an ISO 8601 time") from None


def whole(least: int | None = None) -> Check:
    """Return the check of a whole number, of at least so much if said."""

    def check(value: Any, pointer: str) -> None:
        if type(value) is not int:  # so that true is no number
            raise MalformedCase(pointer, "must be a whole number")
        if least is not None and value < least:
            raise MalformedCase(pointer, f"must be at least {least}")

    return check


def one_of(*words: str) -> Check:
    """Return the check of one of some words."""

    def check(value: Any, pointer: str) -> None:
        if value not in words:
            raise MalformedCase(pointer, "must be one of " + ", ".join(words))

    return check


def list_of(item: Check) -> Check:
    """Return the check of a list."""

    def check(value: Any, pointer: str) -> None:
        if not isinstance(value, list):
            raise MalformedCase(pointer, "must be a list")
        for index, each in enumerate(value):
            item(each, f"{pointer}/{index}")

    return check


def pair(first: Check, second: Check) -> Check:
    """Return the check of a list of two."""

    def check(value: Any, pointer: str) -> None:
        if not isinstance(value, list) or len(value) != 2:
            raise MalformedCase(pointer, "must be a list of two")
        first(value[0], f"{pointer}/0")
        second(value[1], f"{pointer}/1")

    return check


def map_of(item: Check) -> Check:
    """Return the check of an object with any keys."""

    def check(value: Any, pointer: str) -> None:
        for key, each in fields_of(value, pointer).items():
            item(each, f"{pointer}/{key}")

    return check


def object_of(fields: Mapping[str, Check], *, required: Iterable[str] = ()) -> Check:
    """Return the check of an object with these fields and no others."""

    def check(value: Any, pointer: str) -> None:
        for key, found in fields_of(value, pointer).items():
            if key not in fields:
                raise MalformedCase(f"{pointer}/{key}", "is not known")
            fields[key](found, f"{pointer}/{key}")
        for key in required:
            if key not in value:
                raise MalformedCase(f"{pointer}/{key}", "is missing")

    return check


def fields_of(value: Any, pointer: str) -> Mapping[str, Any]:
    """Return the fields of an object.

    Raises:
        MalformedCase
    """
    if not isinstance(value, dict):
        raise MalformedCase(pointer, "must be an object")
    return value
