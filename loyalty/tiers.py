"""Who is in which tier. The only module that writes memberships."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Subquery, Sum, Value
from django.db.models.functions import Coalesce

from loyalty.models import (
    LoyaltyProgramme,
    Membership,
    PointsAccount,
    PointsEntry,
    Tier,
    TierChange,
)


def programme() -> LoyaltyProgramme:
    """Return the programme's settings; the defaults when nobody has saved any."""
    return LoyaltyProgramme.objects.filter(pk=1).first() or LoyaltyProgramme(pk=1)


def enrol(member_id: int, *, now: datetime) -> Membership:
    """Put a new member into the lowest tier."""
    tier = Tier.objects.order_by("level").first()
    if tier is None:
        raise Tier.DoesNotExist("the programme has no tiers")
    TierChange.objects.create(
        member_id=member_id, to_tier=tier, source="enrolment", occurred_at=now
    )
    return Membership.objects.create(member_id=member_id, tier=tier, tier_since=now)


def refresh(
    member_id: int,
    *,
    referral_count: int,
    source: str,
    now: datetime,
    window_days: int = 365,
    lost_points: int = 0,
) -> Tier | None:
    """Move a member to the tier they have earned; return it if they moved.

    Buying only ever lifts: a drop after the keep period is the periodic review's to decide. Only a
    refund drops at once, and only from a tier that the `lost_points` it took back had carried.
    """
    tiers = _tiers_with_points(member_id, since=now - timedelta(days=window_days))
    points = tiers[0].qualifying_points
    current = next(tier for tier in tiers if tier.pk == tiers[0].current_tier_id)
    earned = choose(tiers, points=points, referral_count=referral_count)
    if earned.level == current.level:
        return None
    if earned.level < current.level:
        carried = choose(tiers, points=points + lost_points, referral_count=referral_count)
        if carried.level < current.level or not lost_points:
            return None
    Membership.objects.filter(member_id=member_id).update(tier=earned, tier_since=now)
    TierChange.objects.create(
        member_id=member_id, from_tier=current, to_tier=earned, source=source, occurred_at=now
    )
    return earned


def choose(tiers: Sequence[Tier], *, points: int, referral_count: int) -> Tier:
    """Return the highest tier whose conditions are met; the lowest asks for nothing."""
    reached = [
        tier
        for tier in tiers
        if points >= tier.min_qualifying_points and referral_count >= tier.min_referrals
    ]
    return max(reached, key=lambda tier: tier.level)


def _tiers_with_points(member_id: int, *, since: datetime) -> Sequence[Any]:
    """Return all tiers, each with the member's points and current tier, in one statement."""
    in_window = (
        PointsEntry.objects.filter(
            account__member_id=member_id,
            account__wallet=PointsAccount.Wallet.QUALIFYING,
            occurred_at__gte=since,
        )
        .values("account")
        .annotate(total=Sum("points"))
        .values("total")
    )
    current = Membership.objects.filter(member_id=member_id).values("tier_id")
    return list(
        Tier.objects.annotate(
            qualifying_points=Coalesce(Subquery(in_window), Value(0)),
            current_tier_id=Subquery(current),
        ).order_by("level")
    )
