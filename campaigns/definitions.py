"""Offers as a manager switches them: from draft to active, paused, active again, ended.

Coupon definitions and promotions go the same way.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import caps, loss_guard, periods, pricing
from campaigns.loss_guard import Finding
from campaigns.models import CampaignPhase, CouponDefinition, Promotion
from shop.kernel import locks
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.models import Staff

AnyOffer = CouponDefinition | Promotion
Status = CouponDefinition.Status
ACTIVATION = "campaigns.offer-activation"
MOST_SHOWN = 10
NOT_APPROVED: dict[str, Any] = {
    "approved_by": None,
    "approved_at": None,
    "approved_loss_cents": None,
}
"""An offer that nobody has approved as it stands."""
NOT_COPIED = frozenset(
    {
        "id",
        "code",
        "status",
        "submitted_by_id",
        "approved_by_id",
        "approved_at",
        "approved_loss_cents",
        "issued_count",
        "redeemed_count",
        "spent_cents",
    }
)


class OfferNotSwitchable(DomainError):
    """Only a draft or a paused offer can be activated, only an active one paused."""

    code = "offer-not-switchable"
    title = _("The offer cannot be switched to that now.")


class ApprovalNeeded(DomainError):
    """The offer would sell something below its floor price, so a second person must approve it.

    `combinations` are the worst: what is sold, at which price, by which offers together.
    """

    code = "offer-needs-approval"
    title = _(
        "Together with others this offer sells below a floor price. A second person must agree."
    )


class ApproverIsSubmitter(DomainError):
    """Nobody approves what they have submitted themselves."""

    code = "approver-is-submitter"
    title = _("Another person must approve this than the one who submitted it.")


class OfferWaitsForPhase(DomainError):
    """An offer that belongs to phases of campaigns works while one of them runs."""

    code = "offer-waits-for-phase"
    title = _("The offer is switched on when its phase starts.")


@transaction.atomic
def activate(offer: AnyOffer, *, now: datetime) -> None:
    """Let the offer apply, and its coupons be issued.

    One offer is activated at a time, so that of two that sell below a floor only together, the
    second is found out. A draft that belongs to phases none of which runs is made ready: it is
    paused, and its phase switches it on.

    Raises:
        OfferNotSwitchable: not a draft or paused, or over at once.
        OfferWaitsForPhase: ready already, and none of its phases runs.
        ApprovalNeeded: it sells below a floor price, further than was approved.
    """
    _ensure_time_left(offer, now=now)
    locks.wait_for(ACTIVATION)
    found = loss_guard.losses(loss_guard.check(offer, now=now))
    if found and worst_loss(found) > (offer.approved_loss_cents or 0):
        raise ApprovalNeeded(combinations=[as_json(finding) for finding in found[:MOST_SHOWN]])
    if not waits_for_phase(offer):
        _switch(offer, come_from=[Status.DRAFT, Status.PAUSED], to=Status.ACTIVE)
    elif offer.status == Status.PAUSED:
        raise OfferWaitsForPhase(offer=offer.code)
    else:
        _switch(offer, come_from=[Status.DRAFT], to=Status.PAUSED)


def submit(offer: AnyOffer, *, by: Staff) -> None:
    """Ask another person to approve the offer.

    Raises:
        OfferNotSwitchable: not a draft or paused.
    """
    _switch(
        offer,
        come_from=[Status.DRAFT, Status.PAUSED],
        to=Status.SUBMITTED,
        submitted_by=by,
        **NOT_APPROVED,
    )


@transaction.atomic
def approve(offer: AnyOffer, *, by: Staff, now: datetime) -> None:
    """Activate a submitted offer, at the loss that the approver has been shown.

    One that belongs to phases none of which runs is made ready, as by `activate`.

    Raises:
        OfferNotSwitchable: not submitted, or over at once.
        ApproverIsSubmitter
    """
    if offer.submitted_by_id == by.pk:
        raise ApproverIsSubmitter(offer=offer.code)
    _ensure_time_left(offer, now=now)
    locks.wait_for(ACTIVATION)
    found = loss_guard.losses(loss_guard.check(offer, now=now))
    _switch(
        offer,
        come_from=[Status.SUBMITTED],
        to=Status.PAUSED if waits_for_phase(offer) else Status.ACTIVE,
        approved_by=by,
        approved_at=now,
        approved_loss_cents=worst_loss(found),
    )


def reject(offer: AnyOffer) -> None:
    """Give a submitted offer back as a draft.

    Raises:
        OfferNotSwitchable: not submitted.
    """
    _switch(offer, come_from=[Status.SUBMITTED], to=Status.DRAFT, submitted_by=None)


def worst_loss(found: Sequence[Finding]) -> Cents:
    """Return how far below its floor the worst of them sells one unit."""
    return Cents(max((finding.combination.loss_cents for finding in found), default=0))


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a combination as a problem document or an API answer shows it."""
    sold = finding.combination
    return {
        "product": sold.article.line.product,
        "sku": sold.article.sku,
        "topping": sold.article.topping,
        "quantity": sold.quantity,
        "list_cents": sold.article.list_cents,
        "unit_cents": sold.unit_cents,
        "floor_cents": sold.article.floor_cents,
        "is_loss": sold.is_loss,
        "offers": list(finding.offers),
        "store": sold.occasion.place.store,
        "at": sold.occasion.local_time.isoformat(),
    }


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


@transaction.atomic
def duplicate(offer: AnyOffer) -> AnyOffer:
    """Return a draft that gives the same, under the next free code; nothing used, none approved."""
    locks.wait_for(f"campaigns.duplicate:{offer.code}")
    codes = set(
        type(offer).objects.filter(code__startswith=offer.code[:28]).values_list("code", flat=True)
    )
    copy = type(offer)(
        **{
            field.attname: getattr(offer, field.attname)
            for field in offer._meta.concrete_fields
            if field.attname not in NOT_COPIED
        }
    )
    copy.code = next(
        code for n in count(2) if (code := f"{offer.code[:28].rstrip('-')}-{n}") not in codes
    )
    copy.save(force_insert=True)
    if isinstance(copy, CouponDefinition) and copy.claim_buckets > 1:
        caps.divide(copy)
    return copy


def end_overdue(*, now: datetime) -> int:
    """End the active and paused promotions whose period is over; return how many."""
    open_ones = Promotion.objects.filter(status__in=[Status.ACTIVE, Status.PAUSED])
    overdue = [promotion.pk for promotion in open_ones if is_over(promotion, now=now)]
    return open_ones.filter(pk__in=overdue).update(status=Status.ENDED)


def waits_for_phase(offer: AnyOffer) -> bool:
    """Tell whether an offer belongs to phases of campaigns and none of them runs."""
    running = offer.phases.filter(status=CampaignPhase.Status.RUNNING)
    return offer.phases.exists() and not running.exists()


def is_over(offer: AnyOffer, *, now: datetime) -> bool:
    """Return whether the period that the rule names has ended."""
    ends_at = pricing.parse_rule(offer.rule).conditions.ends_at
    return ends_at is not None and ends_at <= now


def _ensure_time_left(offer: AnyOffer, *, now: datetime) -> None:
    if isinstance(offer, CouponDefinition) and periods.is_over(offer, now=now):
        raise OfferNotSwitchable(_("Its coupons would have expired already."))
    if is_over(offer, now=now):
        raise OfferNotSwitchable(_("Its period is over."))


def _switch(offer: AnyOffer, *, come_from: list[str], to: str, **fields: Any) -> None:
    """Move the offer on if it still stands where the person saw it, rule and submitter included."""
    rows = type(offer).objects.filter(
        pk=offer.pk, status__in=come_from, rule=offer.rule, submitted_by=offer.submitted_by_id
    )
    if rows.update(status=to, **fields) != 1:
        raise OfferNotSwitchable(offer=offer.code)
