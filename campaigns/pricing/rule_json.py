"""The versioned JSON form of a rule, read strictly and written shortly.

The form follows from the classes: their fields are the keys, and inside the parts of a rule what
equals its default is left out. So an effect or a condition that is added needs nothing here.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, time
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, NewType, get_args, get_origin, get_type_hints

from campaigns.pricing.effect import Effect
from campaigns.pricing.effects import EFFECTS
from campaigns.pricing.offers import Rule
from campaigns.pricing.validity import InvalidRule

VERSION = 1

Read = Callable[[Any, str], Any]
"""Turns a JSON value, found at a pointer, into a value of the rule."""


def offer_rule_to_json(rule: Rule) -> dict[str, Any]:
    """Return the JSON form of a rule; `parse_rule` gives the same rule back."""
    parts = {field.name: _written(getattr(rule, field.name)) for field in fields(rule)}
    return {"version": VERSION, **parts}


def parse_rule(data: Any) -> Rule:
    """Return the rule that a JSON form describes.

    Raises:
        InvalidRule: at the first key that is unknown or missing, or value that makes no sense.
    """
    found = _object(data, "")
    version = found.pop("version", None)
    if type(version) is not int or version != VERSION:
        raise InvalidRule("/version", "unsupported-version", f"must be {VERSION}")
    rule: Rule = _made(Rule, found, "")
    return rule


def _made(cls: Any, found: dict[str, Any], pointer: str) -> Any:
    """Return an instance of a dataclass, its faults told from the root of the rule."""
    readers = _readers(cls)
    for key in found:
        if key not in readers:
            raise InvalidRule(f"{pointer}/{_escaped(key)}", "unknown-key", "is not known here")
    for key in _required(cls):
        if key not in found:
            raise InvalidRule(f"{pointer}/{key}", "missing", "must be given")
    values = {key: readers[key](value, f"{pointer}/{key}") for key, value in found.items()}
    try:
        return cls(**values)
    except InvalidRule as fault:
        raise fault.below(pointer) from None


def _made_effect(value: Any, pointer: str) -> Effect:
    found = _object(value, pointer)
    kind = found.pop("kind", None)
    if not isinstance(kind, str) or kind not in EFFECTS:
        known = ", ".join(EFFECTS)
        raise InvalidRule(f"{pointer}/kind", "unknown-kind", f"must be one of {known}")
    effect: Effect = _made(EFFECTS[kind], found, pointer)
    return effect


@cache
def _readers(cls: Any) -> dict[str, Read]:
    hints = get_type_hints(cls)
    return {field.name: _reader(hints[field.name]) for field in _fields(cls)}


@cache
def _required(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in _fields(cls) if field.default is MISSING)


def _fields(cls: Any) -> tuple[Field[Any], ...]:
    return fields(cls)


def _reader(hint: Any) -> Read:
    """Return what reads values of a field's type; null stands for None where None is allowed."""
    if NoneType in get_args(hint):
        (inner,) = (_reader(arg) for arg in get_args(hint) if arg is not NoneType)
        return lambda value, pointer: None if value is None else inner(value, pointer)
    if get_origin(hint) in (tuple, frozenset):
        item, collect = _reader(get_args(hint)[0]), get_origin(hint)
        return lambda value, pointer: collect(
            item(each, f"{pointer}/{index}") for index, each in enumerate(_list(value, pointer))
        )
    if hint is Effect:
        return _made_effect
    if is_dataclass(hint):
        return lambda value, pointer: _made(hint, _object(value, pointer), pointer)
    return _plain_reader(hint.__supertype__ if isinstance(hint, NewType) else hint)


def _plain_reader(cls: Any) -> Read:
    if issubclass(cls, StrEnum):
        return lambda value, pointer: _parsed(
            cls, value, pointer, detail="must be one of " + ", ".join(cls)
        )
    if cls is datetime:
        return lambda value, pointer: _parsed(
            datetime.fromisoformat, value, pointer, detail="must be an ISO 8601 time"
        )
    if cls is time:
        return lambda value, pointer: _parsed(
            time.fromisoformat, value, pointer, detail="must be a time such as 09:30"
        )
    return lambda value, pointer: _typed(cls, value, pointer)


def _parsed(parse: Callable[[str], Any], value: Any, pointer: str, *, detail: str) -> Any:
    text = _typed(str, value, pointer)
    try:
        return parse(text)
    except ValueError:
        raise InvalidRule(pointer, "out-of-range", detail) from None


NAMES = {int: "a whole number", str: "a string", bool: "true or false", list: "a list"}


def _typed(cls: type, value: Any, pointer: str) -> Any:
    if type(value) is not cls:  # so that true is no number
        raise InvalidRule(pointer, "wrong-type", f"must be {NAMES[cls]}")
    return value


def _list(value: Any, pointer: str) -> list[Any]:
    found: list[Any] = _typed(list, value, pointer)
    return found


def _object(value: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidRule(pointer, "wrong-type", "must be an object")
    return dict(value)


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _written(value: Any) -> Any:
    if isinstance(value, Effect):
        return {"kind": value.kind, **_written_fields(value)}
    if is_dataclass(value):
        return _written_fields(value)
    if isinstance(value, frozenset):
        return sorted(_written(each) for each in value)
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if isinstance(value, datetime | time):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def _written_fields(value: Any) -> dict[str, Any]:
    return {
        field.name: _written(found)
        for field in fields(value)
        if (found := getattr(value, field.name)) != field.default
    }
