"""Members who want to be told when a campaign starts."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, CampaignPhase, Reservation
from shop.kernel import outbox
from shop.kernel.errors import DomainError


class ReservationsClosed(DomainError):
    """Reservations are taken while the campaign preheats."""

    code = "reservations-closed"
    title = _("This campaign takes no reservations now.")


def reserve(campaign: Campaign, *, member_id: int, now: datetime) -> Reservation:
    """Put a member on the list; asking again changes nothing.

    Raises:
        ReservationsClosed
    """
    is_preheating = campaign.status == Campaign.Status.ACTIVE and campaign.phases.filter(
        Q(ends_at__gt=now), kind=CampaignPhase.Kind.PREHEAT, starts_at__lte=now
    )
    if not is_preheating:
        raise ReservationsClosed(campaign=campaign.code)
    reservation, _is_new = Reservation.objects.get_or_create(
        campaign=campaign, member_id=member_id, defaults={"reserved_at": now}
    )
    return reservation


def tell(campaign: Campaign, *, now: datetime) -> int:
    """Queue one message to each member on the list who was not told; return how many."""
    waiting = Reservation.objects.filter(campaign=campaign, told_at=None).select_related("member")
    told = list(waiting.select_for_update(of=("self",), skip_locked=True))
    for reservation in told:
        outbox.add(
            "campaign.started",
            key=f"{campaign.code}:{reservation.member.public_id}",
            payload={"campaign": campaign.code, "member": str(reservation.member.public_id)},
            now=now,
        )
    Reservation.objects.filter(pk__in=[reservation.pk for reservation in told]).update(told_at=now)
    return len(told)


def hand_over(*, source_id: int, target_id: int) -> None:
    """Put one membership of a person on the lists where the other is."""
    mine = Reservation.objects.filter(member_id=target_id).values("campaign_id")
    Reservation.objects.filter(member_id=source_id).exclude(campaign_id__in=mine).update(
        member_id=target_id
    )
    Reservation.objects.filter(member_id=source_id).delete()
