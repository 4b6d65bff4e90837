"""Columns that more than one table of promotion has."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns import utm


def validate_utm_template(text: str) -> None:
    """Refuse a template that cannot be filled."""
    if text and not utm.is_template(text):
        raise ValidationError(
            _("Give UTM parameters such as %(example)s, with places only of %(places)s."),
            params={"example": utm.STANDARD, "places": ", ".join(utm.PLACES)},
            code="utm-template",
        )


class UtmTemplateField(models.CharField):  # type: ignore[type-arg]
    """UTM parameters with places to fill in; empty: none are added."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            **{
                "max_length": 300,
                "blank": True,
                "default": "",
                "db_default": "",
                "validators": [validate_utm_template],
                "help_text": _(
                    "Added where the link leads; a link's own outweighs its channel's. Places:"
                    " {channel} {kind} {medium} {campaign} {phase} {placement} {store} {link}"
                ),
                **kwargs,
            },
        )
