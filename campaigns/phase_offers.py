"""The offers of a phase: they work while it runs.

A draft was never approved and stays one; whatever is ready waits as a paused offer and is switched
on with the phase. An offer that several phases unlock works while any of them runs.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from campaigns import definitions
from campaigns.models import CampaignPhase, CouponDefinition, Promotion
from shop import alerts
from shop.kernel import locks
from shop.kernel.errors import DomainError

AnyOffer = CouponDefinition | Promotion
Status = CampaignPhase.Status
NOT_UNLOCKED = "offer-not-unlocked"


def of(phase: CampaignPhase) -> list[AnyOffer]:
    """Return the offers that a phase unlocks."""
    return [*phase.coupon_definitions.order_by("pk"), *phase.promotions.order_by("pk")]


def unlock(phase: CampaignPhase, *, store_id: int | None, now: datetime) -> None:
    """Switch the offers of a phase on; one that cannot be is told to staff, the others go on."""
    for offer in of(phase):
        if offer.status == offer.Status.PAUSED:
            try:
                with transaction.atomic():
                    definitions.activate(offer, now=now)
            except DomainError as refusal:
                alerts.raise_condition(
                    NOT_UNLOCKED,
                    subject=_subject(phase, offer),
                    details={
                        "campaign": phase.campaign.code,
                        "offer": offer.code,
                        "why": str(refusal.title),
                    },
                    now=now,
                    severity=alerts.Severity.CRITICAL,
                    store_id=store_id,
                )


def lock(phase: CampaignPhase, *, now: datetime) -> None:
    """Switch the offers of a phase off for a while; coupons that people hold wait."""
    locks.wait_for(definitions.ACTIVATION)  # nobody switches one on meanwhile
    for offer in _only_of(phase):
        if offer.status == offer.Status.ACTIVE:
            definitions.pause(offer)
    _clear_alarms(phase, now=now)


def wind_down(phase: CampaignPhase, *, now: datetime) -> None:
    """Switch the offers of a phase off for good, unless a phase that is still to come has them.

    With `keep`, what people hold stays usable until it expires; with `wait` it stops here.
    """
    locks.wait_for(definitions.ACTIVATION)
    to_come = CampaignPhase.objects.filter(status__in=[Status.PLANNED, Status.PAUSED])
    keeps = phase.open_coupons == CampaignPhase.OpenCoupons.KEEP
    for offer in _only_of(phase):
        if offer.status not in {offer.Status.ACTIVE, offer.Status.PAUSED}:
            continue
        has_future = offer.phases.filter(pk__in=to_come.exclude(pk=phase.pk)).exists()
        if has_future or not keeps:
            if offer.status == offer.Status.ACTIVE:
                definitions.pause(offer)
        else:
            definitions.end(offer)
    _clear_alarms(phase, now=now)


def _only_of(phase: CampaignPhase) -> list[AnyOffer]:
    """Return the offers of a phase that no other running phase unlocks."""
    others: QuerySet[CampaignPhase] = CampaignPhase.objects.filter(status=Status.RUNNING)
    running = others.exclude(pk=phase.pk)
    return [offer for offer in of(phase) if not offer.phases.filter(pk__in=running).exists()]


def _clear_alarms(phase: CampaignPhase, *, now: datetime) -> None:
    subjects = [_subject(phase, offer) for offer in of(phase)]
    alerts.clear(NOT_UNLOCKED, subjects=subjects, now=now)


def _subject(phase: CampaignPhase, offer: AnyOffer) -> str:
    return f"{phase.subject}:{offer.code}"
