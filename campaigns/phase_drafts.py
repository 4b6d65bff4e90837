"""Phases as somebody plans them: checked, then written. See campaigns.phases for what moves them.

The only module that makes phases, and the only writer of their plans and offers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import phase_spans
from campaigns.models import (
    Campaign,
    CampaignPhase,
    Channel,
    ChannelLink,
    CouponDefinition,
    PhasePlan,
    Promotion,
)
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Cents

AnyOffer = CouponDefinition | Promotion
Offer = TypeVar("Offer", CouponDefinition, Promotion)
Row = TypeVar("Row", CouponDefinition, Promotion, Channel)
NOTHING = Cents(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanDraft:
    """What a channel, or one of its links, is to cost and to bring."""

    channel: str
    link: str = ""
    cost_cents: Cents = NOTHING
    reach: int = 0
    joins: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseDraft:
    """A stretch of a campaign to be; half-open. A flash without an end lasts its 72 hours.

    Offers, channels and links are named by their codes.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime | None = None
    budget_cents: Cents | None = None
    daily_budget_cents: Cents | None = None
    cpa_limit_cents: Cents | None = None
    cpa_min_joins: int = 30
    redemption_limit: int | None = None
    target_joins: int | None = None
    target_first_orders: int | None = None
    target_sales_cents: Cents | None = None
    target_cpa_cents: Cents | None = None
    target_roas_percent: int | None = None
    open_coupons: str = CampaignPhase.OpenCoupons.KEEP
    coupon_definitions: Sequence[str] = ()
    promotions: Sequence[str] = ()
    reservation_coupon: str = ""
    reservation_limit: int | None = None
    plan: Sequence[PlanDraft] = ()


AS_THEY_ARE = (
    "kind",
    "starts_at",
    "budget_cents",
    "daily_budget_cents",
    "cpa_limit_cents",
    "cpa_min_joins",
    "redemption_limit",
    "target_joins",
    "target_first_orders",
    "target_sales_cents",
    "target_cpa_cents",
    "target_roas_percent",
    "open_coupons",
    "reservation_limit",
)


def ensure_within(
    draft: PhaseDraft, *, starts_at: datetime, ends_at: datetime | None, pointer: str
) -> None:
    """Check that a phase is as long as its kind, and lies within its campaign.

    Raises:
        InvalidInput
    """
    end = phase_spans.end_of(draft.kind, draft.starts_at, draft.ends_at)
    phase_spans.ensure_span(draft.kind, draft.starts_at, end, pointer=f"{pointer}/ends_at")
    is_within = draft.starts_at >= starts_at and (
        ends_at is None or (end is not None and end <= ends_at)
    )
    if not is_within:
        raise InvalidInput(pointer, _("The phase is not within the campaign."), reason="period")


@transaction.atomic
def write(campaign: Campaign, draft: PhaseDraft, *, pointer: str) -> CampaignPhase:
    """Write a phase with its offers and its plan.

    Raises:
        InvalidInput: an offer, a channel or a link does not exist, or cannot be one of the phase.
    """
    coupons = _offers(CouponDefinition, draft.coupon_definitions, f"{pointer}/coupon_definitions")
    promotions = _offers(Promotion, draft.promotions, f"{pointer}/promotions")
    phase = CampaignPhase(
        campaign=campaign,
        ends_at=phase_spans.end_of(draft.kind, draft.starts_at, draft.ends_at),
        **{name: getattr(draft, name) for name in AS_THEY_ARE},
    )
    phase.reservation_coupon = _reservation_coupon(draft, pointer)
    phase.save(force_insert=True)
    phase.coupon_definitions.set(coupons)
    phase.promotions.set(promotions)
    PhasePlan.objects.bulk_create(_plans(phase, draft.plan, f"{pointer}/plan"))
    return phase


def ensure_can_wait(offer: AnyOffer, *, pointer: str) -> None:
    """Check that an offer can be one of a phase that does not run: it must not work already.

    Raises:
        InvalidInput
    """
    is_running = offer.phases.filter(status=CampaignPhase.Status.RUNNING).exists()
    if offer.status == offer.Status.ACTIVE and not is_running:
        text = _("“%(offer)s” works already: pause it, and the phase switches it on.")
        raise InvalidInput(pointer, text % {"offer": offer.code}, reason="offer-active")
    if offer.status == offer.Status.ENDED:
        text = _("“%(offer)s” is over.")
        raise InvalidInput(pointer, text % {"offer": offer.code}, reason="offer-ended")


def _reservation_coupon(draft: PhaseDraft, pointer: str) -> CouponDefinition | None:
    if not draft.reservation_coupon:
        return None
    if draft.kind != CampaignPhase.Kind.PREHEAT:
        text = _("Only a preheat takes reservations.")
        raise InvalidInput(f"{pointer}/reservation_coupon", text, reason="not-a-preheat")
    return _found(CouponDefinition, draft.reservation_coupon, f"{pointer}/reservation_coupon")


def _offers(model: type[Offer], codes: Sequence[str], pointer: str) -> list[Offer]:
    found = [_found(model, code, f"{pointer}/{index}") for index, code in enumerate(codes)]
    for index, offer in enumerate(found):
        ensure_can_wait(offer, pointer=f"{pointer}/{index}")
    return found


def _found(model: type[Row], code: str, pointer: str) -> Row:
    row = model.objects.filter(code=code).first()
    if row is None:
        raise InvalidInput(pointer, _("There is nothing of this code."), reason="unknown-code")
    return row


def _plans(phase: CampaignPhase, drafts: Sequence[PlanDraft], pointer: str) -> list[PhasePlan]:
    plans = []
    seen = set()
    for index, draft in enumerate(drafts):
        place = f"{pointer}/{index}"
        if (draft.channel, draft.link) in seen:
            raise InvalidInput(place, _("This stands in the plan twice."), reason="twice")
        seen.add((draft.channel, draft.link))
        channel = _found(Channel, draft.channel, f"{place}/channel")
        link = None
        if draft.link:
            link = ChannelLink.objects.filter(code=draft.link, channel=channel).first()
            if link is None:
                text = _("The channel has no such link.")
                raise InvalidInput(f"{place}/link", text, reason="unknown-link")
        plans.append(
            PhasePlan(
                phase=phase,
                channel=channel,
                link=link,
                cost_cents=draft.cost_cents,
                reach=draft.reach,
                joins=draft.joins,
            )
        )
    return plans
