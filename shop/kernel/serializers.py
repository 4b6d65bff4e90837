"""Serializers that take nothing on faith."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from shop.kernel.clock import YEARS
from shop.kernel.money import MAX_CENTS


class StrictSerializer(serializers.Serializer[Any]):
    """Input of the API: an unknown field is an error, so that a typo never passes silently."""

    default_error_messages = {"unknown_field": _("There is no such field.")}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                message = self.error_messages["unknown_field"]
                raise serializers.ValidationError(
                    {
                        name: [serializers.ErrorDetail(str(message), code="unknown-field")]
                        for name in unknown
                    }
                )
        return super().to_internal_value(data)


def validated(kind: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """Return input as this serializer validates it.

    Making a serializer copies all its fields, which takes longer than using them; so each is made
    once per process. Validating and showing keep nothing of a call in it.

    Raises:
        ValidationError
    """
    values: dict[str, Any] = _made_once(kind).run_validation(data)
    return values


def shown(kind: type[serializers.BaseSerializer[Any]], thing: Any) -> dict[str, Any]:
    """Return a thing as this serializer shows it; the serializer is made once, as above."""
    shape: dict[str, Any] = _made_once(cast(Any, kind)).to_representation(thing)
    return shape


@cache
def _made_once(kind: Callable[[], Any]) -> Any:
    return kind()


class StrictCharField(serializers.CharField):
    """Text that must arrive as a JSON string, without control characters."""

    default_error_messages = {"not_text": _("This must be a string.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        if "\x00" in data:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A whole number that must arrive as a JSON number; no strings, booleans or fractions."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """A truth value that must arrive as true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictUUIDField(serializers.UUIDField):
    """An id that must arrive as a JSON string; numbers are UUIDs only by accident."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class StrictDateTimeField(serializers.DateTimeField):
    """A moment with its offset from UTC, of this or the next century."""

    default_error_messages = {
        "no_offset": _("Say the offset from UTC, as in 2026-05-18T09:00:00+08:00."),
        "far_off": _("This is too far away."),
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("no_offset")
        return super().enforce_timezone(value)

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if moment.year not in YEARS:
            self.fail("far_off")
        return moment


class StrictDateField(serializers.DateField):
    """A day of this or the next century."""

    default_error_messages = {"far_off": _("This is too far away.")}

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if day.year not in YEARS:
            self.fail("far_off")
        return day


class AmountField(StrictIntegerField):
    """A positive amount of money in minor units."""

    def __init__(self, *, min_value: int = 1, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=MAX_CENTS, **kwargs)
