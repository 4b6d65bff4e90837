"""Who is in which tier. The only module that writes memberships."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loyalty.models import LoyaltyProgramme, Membership, Tier, TierChange
from shop.kernel import rows


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
    tiers, current, points = _standing(member_id, since=now - timedelta(days=window_days))
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


def _standing(member_id: int, *, since: datetime) -> tuple[list[Tier], Tier, int]:
    """Return all tiers, the member's own, and their qualifying points, in one statement."""
    found = rows.select(_STANDING_SQL, {"member": member_id, "since": since}, Tier)
    tiers = [tier for tier, _is_current, _points in found]
    current = next(tier for tier, is_current, _points in found if is_current)
    return tiers, current, found[0][2]


_STANDING_SQL = """
SELECT {columns},
       loyalty_tier.id = (SELECT tier_id FROM loyalty_membership WHERE member_id = %(member)s),
       (SELECT COALESCE(SUM(entry.points), 0)::bigint
        FROM loyalty_pointsentry entry JOIN loyalty_pointsaccount account
             ON account.id = entry.account_id AND account.wallet = 'qualifying'
        WHERE account.member_id = %(member)s AND entry.occurred_at >= %(since)s)
FROM loyalty_tier ORDER BY loyalty_tier.level
"""
