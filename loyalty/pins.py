"""Tiers that staff give until a date. The only module that writes pins."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import points
from loyalty.models import Membership, Tier, TierChange, TierPin
from shop.kernel.errors import DomainError, InvalidInput


class TierPinned(DomainError):
    """Staff have pinned this member's tier already; end that first."""

    code = "tier-pinned"
    title = _("The tier of this member is pinned already.")


class TierNotPinned(DomainError):
    """There is no pin to end."""

    code = "tier-not-pinned"
    title = _("The tier of this member is not pinned.")


@transaction.atomic
def pin(
    member_id: int, *, tier_code: str, until: datetime, reason: str, actor: str, now: datetime
) -> TierPin:
    """Put a member into a tier until then, and keep automatic moves away.

    Raises:
        InvalidInput: no such tier, or a date that has passed.
        TierPinned
    """
    tier = Tier.objects.filter(code=tier_code).first()
    if tier is None:
        raise InvalidInput("/tier", _("There is no such tier."), reason="unknown-tier")
    if until <= now:
        raise InvalidInput("/until", _("This date has passed."), reason="past")
    points.lock_accounts([member_id])
    if TierPin.objects.filter(member_id=member_id, ended_at=None).exists():
        raise TierPinned
    place = Membership.objects.get(member_id=member_id)
    made = TierPin.objects.create(
        member_id=member_id,
        tier=tier,
        previous_tier_id=place.tier_id,
        previous_kept_until=place.kept_until,
        reason=reason,
        until=until,
        actor=actor,
        pinned_at=now,
    )
    TierChange.objects.create(
        member_id=member_id,
        from_tier_id=place.tier_id,
        to_tier=tier,
        reason=TierChange.Reason.PINNED,
        source=f"pin:{made.pk}",
        occurred_at=now,
    )
    Membership.objects.filter(pk=member_id).update(tier=tier, tier_since=now, kept_until=until)
    return made


@transaction.atomic
def end(member_id: int, *, now: datetime) -> None:
    """Let a pin end now; the next review, which the caller starts, finds the tier that follows.

    Raises:
        TierNotPinned
    """
    points.lock_accounts([member_id])
    if TierPin.objects.filter(member_id=member_id, ended_at=None).update(until=now) != 1:
        raise TierNotPinned
