"""Moments as people type them: a day and a time of this or the next century."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from shop.kernel.clock import YEARS


class MomentField(forms.SplitDateTimeField):
    """A day and a time; a year that was mistyped is refused.

    The calendar ends where Python's does, and a moment there has no local time in every zone: it
    could be stored, and no page could show it.
    """

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        if moment is not None and moment.year not in YEARS:
            raise ValidationError(_("This is too far away."), code="far_off")
        return moment
