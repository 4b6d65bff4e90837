"""Pure arithmetic of lots: what a credit opens, what a debit draws, what expires, what comes back.

A lot is the unspent rest of one credit. No database, no clock: the statements of `loyalty.ledger`
do the same set-wise and are tested against these rules; `replay_points` runs on them alone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

GRACE = timedelta(days=30)
"""Points given back when their lot is about to expire, or has, live at least this long again."""


class Clawback(StrEnum):
    """How far a refund takes back what was earned: a policy of the programme."""

    ONLY_PENDING = "only_pending"
    WITHIN_BALANCE = "within_balance"
    ALLOW_DEBT = "allow_debt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lot:
    """What is left of one credit; it is there while `at < expires_at`, or always."""

    id: int
    remaining: int
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """What a debit took from one lot."""

    lot_id: int
    points: int
    expires_at: datetime | None = None


def in_draw_order(lots: Iterable[Lot]) -> list[Lot]:
    """Return the lots that have something left: soonest-expiring first, never last, then oldest.

    Ids grow with age: the smaller is the older.
    """
    return sorted(
        (lot for lot in lots if lot.remaining > 0),
        key=lambda lot: (_seconds(lot.expires_at), lot.id),
    )


def _seconds(expires_at: datetime | None) -> float:
    return math.inf if expires_at is None else expires_at.timestamp()


def draw(lots: Iterable[Lot], points: int, *, first: int | None = None) -> list[Draw]:
    """Return what a debit takes from which lots; what they do not cover becomes debt.

    `first` names a lot to be emptied before all others: what an order earned is taken back from
    its own lot, lest buying and returning exchange old points for fresh ones.

    >>> from datetime import UTC
    >>> forever, dated = Lot(id=1, remaining=100), datetime(2027, 1, 1, tzinfo=UTC)
    >>> drawn = draw([forever, Lot(id=2, remaining=60, expires_at=dated)], 80)
    >>> [(part.lot_id, part.points) for part in drawn]
    [(2, 60), (1, 20)]
    """
    drawn = []
    for lot in sorted(in_draw_order(lots), key=lambda lot: lot.id != first):
        taken = min(lot.remaining, points)
        if taken > 0:
            drawn.append(Draw(lot_id=lot.id, points=taken, expires_at=lot.expires_at))
            points -= taken
    return drawn


def after_debt(points: int, *, balance: int) -> int:
    """Return what a credit leaves for its lot: a negative balance is repaid first.

    >>> after_debt(100, balance=-30), after_debt(20, balance=-30), after_debt(20, balance=5)
    (70, 0, 20)
    """
    return max(points - max(-balance, 0), 0)


def expired(lots: Iterable[Lot], *, at: datetime, held: int = 0) -> list[Draw]:
    """Return what is lost at that moment, per lot: a lot has expired when `expires_at <= at`.

    Held points are set aside for an order and outlive their lots: the hold covers the lots that it
    would draw, and what it releases expires the next time.

    >>> from datetime import UTC
    >>> midnight = datetime(2027, 1, 1, tzinfo=UTC)
    >>> lots = [Lot(id=1, remaining=100, expires_at=midnight), Lot(id=2, remaining=5)]
    >>> [drawn.points for drawn in expired(lots, at=midnight, held=30)]
    [70]
    """
    lost, covered = [], held
    for lot in in_draw_order(lots):
        kept = min(lot.remaining, covered)
        covered -= kept
        is_due = lot.expires_at is not None and lot.expires_at <= at
        if is_due and lot.remaining > kept:
            lost.append(Draw(lot_id=lot.id, points=lot.remaining - kept, expires_at=lot.expires_at))
    return lost


def expiring(lots: Iterable[Lot], *, at: datetime) -> int:
    """Return how many of the points that are left will have expired at that moment."""
    return sum(lot.points for lot in expired(lots, at=at))


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """Where a clawback takes its points: from what is still pending, and from the balance."""

    from_pending: int
    from_balance: int


def claw_back(points: int, *, pending: int, available: int, policy: Clawback) -> Taken:
    """Return what a refund takes back of points that it undoes; pending ones go first.

    >>> [claw_back(50, pending=20, available=10, policy=policy).from_balance for policy in Clawback]
    [0, 10, 30]
    """
    from_pending = min(points, pending)
    rest = points - from_pending
    limits = {
        Clawback.ONLY_PENDING: 0,
        Clawback.WITHIN_BALANCE: max(available, 0),
        Clawback.ALLOW_DEBT: rest,
    }
    return Taken(from_pending=from_pending, from_balance=min(rest, limits[policy]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """Points that come back, and until when."""

    points: int
    expires_at: datetime | None


def restore(
    draws: Sequence[Draw], *, returned: int, points: int, now: datetime, grace: timedelta = GRACE
) -> list[Restored]:
    """Return `points` of a debit with the expiry each had, after `returned` came back before.

    What was drawn last comes back first, so that a partial refund gives the longest-lived points.
    A lot that expires within the grace period, or has, lives until the grace period ends. Parts
    with the same expiry are one; any sequence of parts gives the same lots as the whole at once.
    """
    merged: dict[datetime | None, int] = {}
    skipped = returned
    for drawn in reversed(draws):
        passed = min(skipped, drawn.points)
        skipped -= passed
        back = min(drawn.points - passed, points)
        points -= back
        if back > 0:
            until = None if drawn.expires_at is None else max(drawn.expires_at, now + grace)
            merged[until] = merged.get(until, 0) + back
    return [
        Restored(points=merged[until], expires_at=until) for until in sorted(merged, key=_seconds)
    ]


@dataclass(kw_only=True, slots=True)
class Wallet:
    """A wallet in memory, for replays and as the model in tests.

    Invariants:
        Σ lots remaining − debt = balance, where debt is what a negative balance owes.
    """

    balance: int = 0
    lots: list[Lot] = field(default_factory=list)

    @property
    def deficit(self) -> int:
        """Return the debt that the next credits repay."""
        return max(-self.balance, 0)

    def credit(self, points: int, *, expires_at: datetime | None = None) -> Lot:
        """Add points; what debt leaves of them is a new lot."""
        remaining = after_debt(points, balance=self.balance)
        lot = Lot(id=len(self.lots), remaining=remaining, expires_at=expires_at)
        self.balance += points
        self.lots.append(lot)
        return lot

    def debit(self, points: int, *, first: int | None = None) -> list[Draw]:
        """Take points, drawn from lots; what they do not cover is debt."""
        drawn = draw(self.lots, points, first=first)
        self._take(drawn, points)
        return drawn

    def expire(self, *, at: datetime, held: int = 0) -> list[Draw]:
        """Take what has expired, lot by lot."""
        lost = expired(self.lots, at=at, held=held)
        self._take(lost, sum(drawn.points for drawn in lost))
        return lost

    def _take(self, drawn: Iterable[Draw], points: int) -> None:
        self.balance -= points
        for part in drawn:
            lot = self.lots[part.lot_id]
            self.lots[part.lot_id] = replace(lot, remaining=lot.remaining - part.points)
