"""Members who want to be served when a campaign starts: told once, each with their coupon.

When the first phase after the preheat starts, a job goes through the list in the order in which
people reserved. Coupons that run out go to who came first; the others are told all the same.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from campaigns import coupons, handouts
from campaigns.models import Campaign, CampaignPhase, Coupon, CouponDefinition, Reservation
from shop.kernel import jobs, outbox
from shop.kernel.errors import DomainError
from shop.kernel.models import Job

JOB = "campaigns.reservations"
SLICE = 200


class ReservationsClosed(DomainError):
    """Reservations are taken while the campaign preheats."""

    code = "reservations-closed"
    title = _("This campaign takes no reservations now.")


class ReservationsFull(DomainError):
    """As many have reserved as there are places."""

    code = "reservations-full"
    title = _("All places on the list are taken.")


@transaction.atomic
def reserve(campaign: Campaign, *, member_id: int, now: datetime) -> Reservation:
    """Put a member on the list; asking again changes nothing.

    The place is counted last, in the row that others wait for.

    Raises:
        ReservationsClosed, ReservationsFull
    """
    preheat = campaign.phases.filter(
        Q(ends_at__gt=now),
        kind=CampaignPhase.Kind.PREHEAT,
        status__in=[CampaignPhase.Status.PLANNED, CampaignPhase.Status.RUNNING],
        starts_at__lte=now,
    ).first()
    if preheat is None or campaign.status != Campaign.Status.ACTIVE:
        raise ReservationsClosed(campaign=campaign.code)
    reservation, is_new = Reservation.objects.get_or_create(
        campaign=campaign, member_id=member_id, defaults={"reserved_at": now, "phase": preheat}
    )
    has_room = Q(reservation_limit=None) | Q(reserved_count__lt=F("reservation_limit"))
    if is_new:
        counted = CampaignPhase.objects.filter(has_room, pk=preheat.pk)
        if counted.update(reserved_count=F("reserved_count") + 1) != 1:
            raise ReservationsFull(campaign=campaign.code, limit=preheat.reservation_limit)
    return reservation


def start_due(*, now: datetime) -> int:
    """Start a job for each campaign that has started and still has people to serve.

    One per campaign and ten minutes, so that one that failed is tried again.
    """
    started = CampaignPhase.objects.filter(
        campaign=OuterRef("campaign"), status=CampaignPhase.Status.RUNNING
    ).exclude(kind=CampaignPhase.Kind.PREHEAT)
    waiting = Reservation.objects.filter(Exists(started), told_at=None)
    due = list(waiting.values_list("campaign__code", flat=True).distinct())
    for code in due:
        jobs.start(
            JOB,
            params={"campaign": code},
            requested_by="beat",
            now=now,
            key=f"reservations:{code}:{now:%FT%H}:{now.minute // 10}",
        )
    return len(due)


@jobs.runs(JOB, label=_("Give coupons to who reserved"))
def serve_slice(job: Job, now: datetime) -> bool:
    """Give some of the list their coupons and queue a message to each; True after the last."""
    campaign = Campaign.objects.get(code=job.params["campaign"])
    waiting = Reservation.objects.filter(campaign=campaign, told_at=None)
    waiting = waiting.select_related("member", "phase__reservation_coupon")
    locked = waiting.order_by("reserved_at", "pk").select_for_update(of=("self",))
    taken = list(locked[:SLICE])
    by_coupon: dict[int, tuple[CouponDefinition, list[int]]] = {}
    for reservation in taken:
        promised = reservation.phase.reservation_coupon if reservation.phase else None
        if promised is not None:
            by_coupon.setdefault(promised.pk, (promised, []))[1].append(reservation.member_id)
    for promised, member_ids in by_coupon.values():
        _give(promised, member_ids, campaign=campaign, now=now)
    _tell(taken, campaign=campaign, now=now)
    job.done += len(taken)
    job.result = {"told": job.done}
    return len(taken) < SLICE


def hand_over(*, source_id: int, target_id: int) -> None:
    """Put one membership of a person on the lists where the other is."""
    mine = Reservation.objects.filter(member_id=target_id).values("campaign_id")
    Reservation.objects.filter(member_id=source_id).exclude(campaign_id__in=mine).update(
        member_id=target_id
    )
    twice = Reservation.objects.filter(member_id=source_id)
    for phase_id in twice.exclude(phase=None).values_list("phase_id", flat=True):
        CampaignPhase.objects.filter(pk=phase_id).update(reserved_count=F("reserved_count") - 1)
    twice.delete()


def _give(
    promised: CouponDefinition, member_ids: list[int], *, campaign: Campaign, now: datetime
) -> None:
    """Issue the coupon to each who has none of this list yet, while there are any.

    Raises:
        CouponNotClaimable: the coupon is not switched on, so nobody is told yet.
    """
    coupons.ensure_claim_period(promised, now=now)
    source = f"reservation:{campaign.pk}"
    try:
        handouts.issue(promised, member_ids=member_ids, source=source, now=now)
    except coupons.CouponExhausted:
        return


def _tell(taken: list[Reservation], *, campaign: Campaign, now: datetime) -> None:
    given = Coupon.objects.filter(
        source=f"reservation:{campaign.pk}", member_id__in=[r.member_id for r in taken]
    )
    coupon_of: dict[Any, int] = dict(given.values_list("member_id", "pk"))
    for reservation in taken:
        outbox.add(
            "campaign.started",
            key=f"{campaign.code}:{reservation.member.public_id}",
            payload={"campaign": campaign.code, "member": str(reservation.member.public_id)},
            now=now,
        )
        reservation.told_at = now
        reservation.coupon_id = coupon_of.get(reservation.member_id)
    Reservation.objects.bulk_update(taken, ["told_at", "coupon"])
