"""Offers as a manager switches them: from draft to active, paused, active again, ended.

Coupon definitions and promotions go the same way.
"""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from campaigns import periods, pricing
from campaigns.models import CouponDefinition, Promotion
from shop.kernel.errors import DomainError

AnyOffer = CouponDefinition | Promotion
Status = CouponDefinition.Status


class OfferNotSwitchable(DomainError):
    """Only a draft or a paused offer can be activated, only an active one paused."""

    code = "offer-not-switchable"
    title = _("The offer cannot be switched to that now.")


def activate(offer: AnyOffer, *, now: datetime) -> None:
    """Let the offer apply, and its coupons be issued.

    Raises:
        OfferNotSwitchable: not a draft or paused, or over at once.
    """
    if isinstance(offer, CouponDefinition) and periods.is_over(offer, now=now):
        raise OfferNotSwitchable(_("Its coupons would have expired already."))
    if is_over(offer, now=now):
        raise OfferNotSwitchable(_("Its period is over."))
    _switch(offer, come_from=[Status.DRAFT, Status.PAUSED], to=Status.ACTIVE)


def pause(offer: AnyOffer) -> None:
    """Stop issuing and applying; issued coupons wait.

    Raises:
        OfferNotSwitchable: not active.
    """
    _switch(offer, come_from=[Status.ACTIVE], to=Status.PAUSED)


def end(offer: AnyOffer) -> None:
    """Stop issuing and applying for good; issued coupons of a definition stay usable.

    Raises:
        OfferNotSwitchable: ended already, or never begun.
    """
    _switch(offer, come_from=[Status.ACTIVE, Status.PAUSED], to=Status.ENDED)


def end_overdue(*, now: datetime) -> int:
    """End the active and paused promotions whose period is over; return how many."""
    open_ones = Promotion.objects.filter(status__in=[Status.ACTIVE, Status.PAUSED])
    overdue = [promotion.pk for promotion in open_ones if is_over(promotion, now=now)]
    return open_ones.filter(pk__in=overdue).update(status=Status.ENDED)


def is_over(offer: AnyOffer, *, now: datetime) -> bool:
    """Return whether the period that the rule names has ended."""
    ends_at = pricing.parse_rule(offer.rule).conditions.ends_at
    return ends_at is not None and ends_at <= now


def _switch(offer: AnyOffer, *, come_from: list[str], to: str) -> None:
    rows = type(offer).objects.filter(pk=offer.pk, status__in=come_from)
    if rows.update(status=to) != 1:
        raise OfferNotSwitchable(offer=offer.code)
