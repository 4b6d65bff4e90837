"""How long a phase of each kind may be. Pure."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignPhase
from shop.kernel.errors import InvalidInput

Kind = CampaignPhase.Kind
FLASH = timedelta(hours=72)
SPANS = {
    Kind.LAUNCH: (timedelta(days=28), timedelta(days=92)),
    Kind.PREHEAT: (timedelta(0), timedelta(days=31)),
    Kind.FLASH72: (FLASH, FLASH),
}
"""How long a phase of a kind lasts, at least and at most: a launch one to three months."""


def end_of(kind: str, starts_at: datetime, ends_at: datetime | None) -> datetime | None:
    """Return when a phase ends: as said, or after the 72 hours of a flash to the second."""
    return starts_at + FLASH if ends_at is None and kind == Kind.FLASH72 else ends_at


def ensure_span(kind: str, starts_at: datetime, ends_at: datetime | None, *, pointer: str) -> None:
    """Check that a phase ends after it starts, and is as long as its kind allows.

    Raises:
        InvalidInput
    """
    if ends_at is None:
        if kind != Kind.ALWAYS_ON:
            raise InvalidInput(pointer, _("Only an always-on phase has no end."), reason="period")
        return
    if ends_at <= starts_at:
        raise InvalidInput(pointer, _("It must end after it starts."), reason="period")
    least, most = SPANS.get(Kind(kind), (timedelta(0), timedelta.max))
    if not least <= ends_at - starts_at <= most:
        message = {
            Kind.LAUNCH: _("A launch lasts one to three months."),
            Kind.PREHEAT: _("A preheat lasts a month at most."),
            Kind.FLASH72: _("A flash lasts 72 hours."),
        }[Kind(kind)]
        raise InvalidInput(pointer, message, reason="span")
