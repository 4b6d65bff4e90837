"""Who is in which tier, from joining to the last refund. With `reviews`, the writer of memberships.

The wallets of a member are locked before their tier moves: so a sale, a refund, a review and a
pin take turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty import standing
from loyalty.models import LoyaltyProgramme, Membership, Tier, TierChange, TierPin
from shop.kernel import rows

Reason = TierChange.Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """What a refund took back of each thing that a tier may be reached by."""

    points: int = 0
    cents: int = 0
    visits: int = 0
    friends: int = 0
    """Friends of this member who count no more."""

    def of(self, basis: str) -> int:
        """Return what was lost in the units of this basis."""
        by_basis = {"points": self.points, "spend": self.cents, "visits": self.visits}
        return by_basis[basis]


NOTHING_LOST = Lost()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Standing:
    """All tiers, the member's own, and what they have collected in the window, in units."""

    tiers: list[Tier]
    current: Tier
    basis: str
    amount: int
    kept_until: datetime
    """For how long a tier reached now is kept."""
    is_pinned: bool


def programme() -> LoyaltyProgramme:
    """Return the programme's settings; the defaults when nobody has saved any."""
    return LoyaltyProgramme.objects.filter(pk=1).first() or LoyaltyProgramme(pk=1)


def enrol(member_id: int, *, now: datetime) -> Membership:
    """Put a new member into the lowest tier."""
    tier = Tier.objects.order_by("level").first()
    if tier is None:
        raise Tier.DoesNotExist("the programme has no tiers")
    TierChange.objects.create(
        member_id=member_id,
        to_tier=tier,
        reason=Reason.JOINED,
        source="enrolment",
        occurred_at=now,
    )
    return Membership.objects.create(member_id=member_id, tier=tier, tier_since=now)


def refresh(
    member_id: int,
    *,
    referral_count: int,
    source: str,
    now: datetime,
    lost: Lost = NOTHING_LOST,
) -> Tier | None:
    """Move a member to the tier they have earned; return it if they moved.

    Buying only ever lifts: a drop after the keep period is the periodic review's to decide. Only a
    refund drops at once, and only from a tier that what it took back had carried. A tier that staff
    have pinned stays.
    """
    place = _standing(member_id, now=now)
    earned = _earned(place, place.amount, referral_count)
    if earned.level == place.current.level or place.is_pinned:
        return None
    if earned.level < place.current.level:
        taken = lost.of(place.basis)
        carried = _earned(place, place.amount + taken, referral_count + lost.friends)
        if carried.level < place.current.level or not (taken or lost.friends):
            return None
    is_lowest = earned.level == place.tiers[0].level
    Membership.objects.filter(member_id=member_id).update(
        tier=earned, tier_since=now, kept_until=None if is_lowest else place.kept_until
    )
    is_lifted = earned.level > place.current.level
    TierChange.objects.create(
        member_id=member_id,
        from_tier=place.current,
        to_tier=earned,
        reason=Reason.EARNED if is_lifted else Reason.REFUNDED,
        source=source,
        occurred_at=now,
    )
    return earned


def take_over(*, source_id: int, target_id: int, now: datetime) -> None:
    """Give the target of a merge the source's tier where that is higher; a pinned tier stays."""
    places = Membership.objects.select_related("tier").in_bulk([source_id, target_id])
    theirs, mine = places[source_id], places[target_id]
    pinned = TierPin.objects.filter(member_id__in=[source_id, target_id], ended_at=None)
    if theirs.tier.level <= mine.tier.level or pinned.exists():
        return
    Membership.objects.filter(member_id=target_id).update(
        tier=theirs.tier, tier_since=theirs.tier_since, kept_until=theirs.kept_until
    )
    TierChange.objects.create(
        member_id=target_id,
        from_tier=mine.tier,
        to_tier=theirs.tier,
        reason=Reason.EARNED,
        source=f"merge:{source_id}",
        occurred_at=now,
    )


def choose(tiers: Sequence[Tier], *, points: int, referral_count: int) -> Tier:
    """Return the highest tier whose conditions are met; the lowest asks for nothing."""
    reached = [
        tier
        for tier in tiers
        if points >= tier.min_qualifying_points and referral_count >= tier.min_referrals
    ]
    return max(reached, key=lambda tier: tier.level)


def keep_from(now: datetime, *, settings: LoyaltyProgramme) -> datetime:
    """Return how long a tier reached now is kept where days are counted, as the demo does."""
    return now + timedelta(days=settings.tier_keep_days)


def _earned(place: _Standing, amount: int, referral_count: int) -> Tier:
    whole = amount // standing.UNITS[LoyaltyProgramme.Basis(place.basis)]
    return choose(place.tiers, points=whole, referral_count=referral_count)


def _standing(member_id: int, *, now: datetime) -> _Standing:
    """Return where a member stands, in one statement."""
    found = rows.select(_STANDING_SQL, {"member": member_id, "now": now}, Tier)
    _tier, _current, basis, amount, kept_until, is_pinned = found[0]
    return _Standing(
        tiers=[tier for tier, *_place in found],
        current=next(tier for tier, is_current, *_place in found if is_current),
        basis=basis,
        amount=amount,
        kept_until=kept_until,
        is_pinned=is_pinned,
    )


_NOW = "%(now)s::timestamptz"
_STANDING_SQL = f"""
WITH place AS MATERIALIZED (
    SELECT membership.tier_id, COALESCE(programme.qualifying_basis, 'points') AS basis,
           {standing.amount_since("clock.since")} AS amount,
           {standing.kept_until(_NOW)} AS kept_until,
           EXISTS (SELECT FROM loyalty_tierpin pin
                   WHERE pin.member_id = member.id AND pin.ended_at IS NULL) AS is_pinned
    FROM loyalty_membership membership
    JOIN shop_member member ON member.id = membership.member_id
    JOIN shop_store store ON store.id = member.store_id
    LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
    CROSS JOIN LATERAL (SELECT {standing.window_start(_NOW)} AS since) clock
    WHERE membership.member_id = %(member)s
)
SELECT {{columns}}, loyalty_tier.id = place.tier_id, place.basis, place.amount,
       place.kept_until, place.is_pinned
FROM loyalty_tier CROSS JOIN place ORDER BY loyalty_tier.level
"""
