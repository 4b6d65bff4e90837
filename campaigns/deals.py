"""Deals with opinion leaders, from draft to end. The only module that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    Campaign,
    Channel,
    ChannelLink,
    CouponDefinition,
    DealCoupon,
    DealLink,
    KolDeal,
    Partner,
)
from shop.kernel.clock import chain_day
from shop.kernel.errors import DomainError, InvalidInput, NotFound
from shop.kernel.money import Cents

Status = KolDeal.Status
CAME_FROM: dict[str, str] = {
    Status.ACTIVE: Status.DRAFT,
    Status.CANCELLED: Status.DRAFT,
    Status.ENDED: Status.ACTIVE,
}
"""For each step of a deal, the status that it comes from."""


class DealStepNotAllowed(DomainError):
    """A draft is activated or cancelled, an active deal is ended; nothing else."""

    code = "deal-step-not-allowed"
    title = _("The deal cannot take this step now.")


class DealSourceTaken(DomainError):
    """A link or a coupon brings sales for one deal only, and has one."""

    code = "deal-source-taken"
    title = _("A link or coupon belongs to another deal.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is agreed; `commission` is in basis points, `last_on` still counts."""

    label: str
    channel: Channel
    campaign: Campaign | None
    fee_cents: Cents
    fee_terms: str
    commission: int
    starts_on: date
    last_on: date
    links: Sequence[ChannelLink] = ()
    coupons: Sequence[CouponDefinition] = ()


@transaction.atomic
def create(partner: Partner, terms: Terms) -> KolDeal:
    """Draft a deal with the links and coupons by which it brings people.

    Raises:
        InvalidInput: it ends before it starts.
        DealSourceTaken
    """
    if terms.last_on < terms.starts_on:
        raise InvalidInput("/last_on", _("It ends before it starts."), reason="ends-before-start")
    deal = KolDeal.objects.create(
        partner=partner,
        label=terms.label,
        channel=terms.channel,
        campaign=terms.campaign,
        fee_cents=terms.fee_cents,
        fee_terms=terms.fee_terms,
        commission=terms.commission,
        starts_on=terms.starts_on,
        last_on=terms.last_on,
    )
    try:
        with transaction.atomic():
            DealLink.objects.bulk_create(DealLink(deal=deal, link=link) for link in terms.links)
            DealCoupon.objects.bulk_create(
                DealCoupon(deal=deal, definition=definition) for definition in terms.coupons
            )
    except IntegrityError as error:
        raise DealSourceTaken from error
    return deal


@transaction.atomic
def step(deal_id: int, *, to: str, now: datetime) -> KolDeal:
    """Move a deal on. One that ends early counts no sales after today.

    Raises:
        NotFound, DealStepNotAllowed
    """
    deal = lock(deal_id)
    if deal.status != CAME_FROM[to]:
        raise DealStepNotAllowed(deal_status=deal.status, step=to)
    deal.status = to
    if to == Status.ENDED:
        deal.last_on = max(min(deal.last_on, chain_day(now)), deal.starts_on)
    deal.save(update_fields=["status", "last_on"])
    return deal


def lock(deal_id: int) -> KolDeal:
    """Return the deal with its row locked for the transaction.

    Raises:
        NotFound
    """
    deal = KolDeal.objects.select_for_update(no_key=True).filter(pk=deal_id).first()
    if deal is None:
        raise NotFound
    return deal
