"""What a body of the API names by its code; what is not there is answered with 400."""

from collections.abc import Sequence
from typing import TypeVar

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Channel, Partner
from shop.kernel.errors import InvalidInput

ModelT = TypeVar("ModelT", bound=Model)


def partner_of(code: str) -> Partner:
    """Return the partner that a body names.

    Raises:
        InvalidInput
    """
    partner = Partner.objects.filter(code=code, is_active=True).first()
    if partner is None:
        raise InvalidInput("/partner", _("There is no such partner."), reason="unknown-partner")
    return partner


def channel_of(code: str) -> Channel:
    """Return the channel that a body names.

    Raises:
        InvalidInput
    """
    channel = Channel.objects.filter(code=code).first()
    if channel is None:
        raise InvalidInput("/channel", _("There is no such channel."), reason="unknown-channel")
    return channel


def campaign_of(code: str | None) -> Campaign | None:
    """Return the campaign that a body names, if it names one.

    Raises:
        InvalidInput
    """
    if code is None:
        return None
    campaign = Campaign.objects.filter(code=code).first()
    if campaign is None:
        raise InvalidInput("/campaign", _("There is no such campaign."), reason="unknown-campaign")
    return campaign


def many_of(model: type[ModelT], codes: Sequence[str], *, pointer: str) -> list[ModelT]:
    """Return the rows that a body names by their codes, each once.

    Raises:
        InvalidInput
    """
    found = {getattr(row, "code"): row for row in model._default_manager.filter(code__in=codes)}  # noqa: B009 - every model here has one
    missing = [
        (f"{pointer}/{index}", _("There is no such thing."), "unknown-code")
        for index, code in enumerate(codes)
        if code not in found
    ]
    if missing:
        raise InvalidInput.of_many(missing)
    return list(found.values())
