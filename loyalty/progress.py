"""How far a member is from the next tier, and when they would drop: pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """A tier as progress sees it; `minimum` in units (points, cents or visits)."""

    code: str
    level: int
    name_zh: str
    name_en: str
    minimum: int
    friends: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a member stands.

    `amount` and `friends` count in the window of now, `amount_then` and `friends_then` those that
    will still count when the period of the tier ends.
    """

    rungs: Sequence[Rung]
    level: int
    basis: str
    amount: int
    friends: int
    amount_then: int
    friends_then: int
    window_ends_at: datetime | None
    """When what counts now stops counting: the end of the year, or when the oldest of it leaves."""
    kept_until: datetime | None
    grace_days: int
    downgrade: str
    pinned_until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """What is missing for the next tier, in units and friends, and until when it counts."""

    tier: Rung
    missing: int
    missing_friends: int
    by: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """What is missing to keep the tier, and where and when the member would drop."""

    tier: Rung
    missing: int
    missing_friends: int
    drops_at: datetime


def ahead_of(place: Place) -> Ahead | None:
    """Return what is missing for the next tier; nothing above the highest."""
    above = [rung for rung in place.rungs if rung.level > place.level]
    if not above:
        return None
    rung = min(above, key=lambda rung: rung.level)
    return Ahead(
        tier=rung,
        missing=max(rung.minimum - place.amount, 0),
        missing_friends=max(rung.friends - place.friends, 0),
        by=place.window_ends_at,
    )


def risk_of(place: Place) -> Risk | None:
    """Return where the member would drop if nothing more came; nothing while the tier is safe."""
    own = next(rung for rung in place.rungs if rung.level == place.level)
    below = [rung for rung in place.rungs if rung.level < place.level]
    is_safe = place.amount_then >= own.minimum and place.friends_then >= own.friends
    if not below or is_safe or place.kept_until is None or place.downgrade == "never":
        return None
    if place.pinned_until is not None:
        return None
    next_lower = max(below, key=lambda rung: rung.level)
    earned = [
        rung
        for rung in below
        if place.amount_then >= rung.minimum and place.friends_then >= rung.friends
    ]
    lands = max(earned, key=lambda rung: rung.level) if earned else below[0]
    return Risk(
        tier=lands if place.downgrade == "to_earned" else next_lower,
        missing=max(own.minimum - place.amount_then, 0),
        missing_friends=max(own.friends - place.friends_then, 0),
        drops_at=place.kept_until + timedelta(days=place.grace_days),
    )
