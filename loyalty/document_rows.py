"""Rows as plain data of a document that people write, and back, checked as a form checks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import InvalidInput

Row = dict[str, Any]
Refusal = tuple[str, Any, str]
"""Where in the document, what is wrong, and the code of it."""


def write(instance: models.Model, names: Sequence[str]) -> Row:
    """Return these fields of a row as texts, numbers, truths and lists."""
    return {name: _plain(getattr(instance, name)) for name in names}


def defaults(model: type[models.Model], names: Sequence[str]) -> Row:
    """Return what a document need not say."""
    fields = [model._meta.get_field(name) for name in names]
    return {
        field.name: _plain(field.get_default())
        for field in fields
        if isinstance(field, models.Field) and (field.has_default() or field.null)
    }


def read(model: type[models.Model], data: Any, *, names: Sequence[str], at: str) -> Row:
    """Return what a document says about a row, with the defaults of what it does not say.

    Raises:
        InvalidInput: with each field that is wrong, by its place in the document.
    """
    ensure_fields(data, names=names, optional=defaults(model, names), at=at)
    refusals: list[Refusal] = []
    values: Row = {}
    for name, raw in data.items():
        try:
            values[name] = _value(model._meta.get_field(name), raw)
        except (ValueError, InvalidOperation) as error:
            refusals.append((f"{at}/{name}", str(error), "type"))
    refusals += [] if refusals else _wrong(model(**values), names=names, at=at)
    if refusals:
        raise InvalidInput.of_many(refusals)
    return write(model(**values), names)


def ensure_fields(data: Any, *, names: Sequence[str], optional: Mapping[str, Any], at: str) -> None:
    """Check that a mapping has the fields that it must have, and no others.

    Raises:
        InvalidInput
    """
    if not isinstance(data, Mapping):
        raise InvalidInput(at, _("Fields with their values belong here."), reason="type")
    unknown = [(f"{at}/{name}", _("There is no such field."), "unknown") for name in data]
    missing = [(f"{at}/{name}", _("This field is missing."), "missing") for name in names]
    refusals = [
        *(refusal for refusal, name in zip(unknown, data, strict=True) if name not in names),
        *(
            refusal
            for refusal, name in zip(missing, names, strict=True)
            if name not in data and name not in optional
        ),
    ]
    if refusals:
        raise InvalidInput.of_many(refusals)


def terse(model: type[models.Model], row: Row) -> Row:
    """Return a row without the fields that have their defaults."""
    columns = {field.name for field in model._meta.fields}
    usual = defaults(model, [name for name in row if name in columns])
    return {name: value for name, value in row.items() if name not in usual or value != usual[name]}


def listed(data: Any, *, at: str) -> list[Any]:
    """Return a list if it is one.

    Raises:
        InvalidInput
    """
    if not isinstance(data, list):
        raise InvalidInput(at, _("This must be a list."), reason="type")
    return data


def ensure_new(key: Any, found: Mapping[Any, Any], *, at: str) -> None:
    """Check that a document says a thing once.

    Raises:
        InvalidInput
    """
    if key in found:
        raise InvalidInput(at, _("This is in the list twice."), reason="twice")


def _wrong(instance: models.Model, *, names: Sequence[str], at: str) -> list[Refusal]:
    """Return what the form of this row would complain about, what is as usual left in peace."""
    others = {field.name for field in instance._meta.fields}.difference(names)
    usual = {
        name
        for name, value in defaults(type(instance), names).items()
        if value == _plain(getattr(instance, name))
    }
    try:
        instance.clean_fields(exclude=others | usual)
        instance.clean()
        instance.validate_constraints(exclude=others)
    except ValidationError as error:
        return [
            (at if name == NON_FIELD_ERRORS else f"{at}/{name}", " ".join(messages), "value")
            for name, messages in error.message_dict.items()
        ]
    return []


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case datetime():
            return value.astimezone(ZoneInfo(settings.TIME_ZONE)).isoformat()
        case date() | time():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _value(field: Any, raw: Any) -> Any:
    """Return what a field holds for what was written.

    Raises:
        ValueError, InvalidOperation: that is no value of this field.
    """
    if raw is None and field.null:
        return None
    for kind, read_one in _READERS:
        if isinstance(field, kind):
            return read_one(field, raw)
    raise AssertionError(f"{field} belongs in no document")


def _array(field: Any, raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise ValueError(_("This must be a list."))
    return [_value(field.base_field, item) for item in raw]


def _truth(field: Any, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError(_("This must be true or false."))
    return raw


def _decimal(field: Any, raw: Any) -> Decimal:
    try:
        return Decimal(str(raw))
    except InvalidOperation as error:
        raise ValueError(_("This must be a number.")) from error


def _whole(field: Any, raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ValueError(_("This must be a whole number."))
    return raw


def _moment(field: Any, raw: Any) -> datetime:
    complaint = _("This must be a moment like 2026-11-11T00:00:00+08:00.")
    moment: datetime = _iso(datetime, raw, complaint)
    if moment.tzinfo is None:
        raise ValueError(_("Say the offset from UTC too, like +08:00."))
    return moment


def _day(field: Any, raw: Any) -> date:
    found: date = _iso(date, raw, _("This must be a day like 2026-12-31."))
    return found


def _time(field: Any, raw: Any) -> time:
    found: time = _iso(time, raw, _("This must be a time of day like 14:00."))
    return found


def _iso(kind: Any, raw: Any, complaint: Any) -> Any:
    try:
        return kind.fromisoformat(raw)
    except (ValueError, TypeError) as error:
        raise ValueError(complaint) from error


def _text(field: Any, raw: Any) -> str:
    if not isinstance(raw, str) or "\0" in raw:  # which no column can hold
        raise ValueError(_("This must be a text."))
    return raw


_READERS: list[tuple[Any, Any]] = [
    (ArrayField, _array),
    (models.BooleanField, _truth),
    (models.DecimalField, _decimal),
    (models.IntegerField, _whole),
    (models.DateTimeField, _moment),
    (models.DateField, _day),
    (models.TimeField, _time),
    (models.CharField, _text),
]
