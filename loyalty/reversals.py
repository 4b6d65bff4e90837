"""What an order earned and spent, taken back and given back with its refunds.

Of a member whose former memberships were merged into theirs, theirs count too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from loyalty import ledger, lots
from loyalty.lots import Clawback, Draw
from loyalty.models import PendingPoints, PointsAccount, PointsDraw, PointsEntry
from loyalty.points import HISTORY_SQL, of_person
from shop.kernel.money import Points, share_of

Kind = PointsEntry.Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundShare:
    """How much of an order had been given back before and after one refund, in money."""

    whole: int
    before: int
    after: int

    def of(self, points: int) -> Points:
        """Return the part of `points` that this refund stands for.

        The difference of two rounded shares, so that halves add up to the whole.

        >>> halves = [(0, 1000), (1000, 1999)]
        >>> [RefundShare(whole=1999, before=b, after=a).of(19) for b, a in halves]
        [9, 10]
        """
        return Points(share_of(points, part=self.after, of=self.whole) - self.of_before(points))

    def of_before(self, points: int) -> Points:
        """Return the part of `points` that earlier refunds stood for."""
        return Points(share_of(points, part=self.before, of=self.whole))


def reverse_earn(
    account: PointsAccount,
    *,
    order_source: str,
    refund_source: str,
    share: RefundShare,
    now: datetime,
    policy: Clawback,
) -> Points:
    """Take back the refunded share of what an order earned, as far as the policy goes.

    What is still pending goes first, then the lot that the order itself opened. Return how many
    points were taken.
    """
    if account.is_closed:
        return Points(0)
    earned = _earned(account, order_source)
    taken = lots.claw_back(
        share.of(earned.points), pending=earned.pending, available=account.available, policy=policy
    )
    if taken.from_pending > 0:
        _take_from_promise(earned, Points(taken.from_pending), now=now)
    if taken.from_balance > 0:
        ledger.debit(
            account,
            kind=Kind.REVERSE_EARN,
            points=Points(taken.from_balance),
            source=refund_source,
            now=now,
            first=earned.entry_id,
        )
    return Points(taken.from_pending + taken.from_balance)


def reverse_spend(
    account: PointsAccount,
    *,
    order_source: str,
    refund_source: str,
    share: RefundShare,
    now: datetime,
) -> None:
    """Give back the refunded share of what was spent, each part with the expiry that it had.

    Parts that expire within the grace period, or have expired, live until it ends. Each expiry is
    an entry and a lot of its own: the first under `refund_source`, the next under `…/2`.
    """
    entries = PointsEntry.objects.filter(kind=Kind.SPEND, source=order_source)
    spent = of_person(entries, account).first()
    if spent is None or account.is_closed:
        return
    back = lots.restore(
        _draws(spent, now=now),
        returned=share.of_before(-spent.points),
        points=share.of(-spent.points),
        now=now,
    )
    for number, part in enumerate(back, start=1):
        ledger.credit(
            account,
            kind=Kind.REVERSE_SPEND,
            points=Points(part.points),
            source=refund_source if number == 1 else f"{refund_source}/{number}",
            now=now,
            expires_at=part.expires_at,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Earned:
    """What an order earned: in the ledger, or promised with so much of it still pending."""

    entry_id: int | None
    promise_id: int | None
    points: int
    pending: int


def _earned(account: PointsAccount, source: str) -> _Earned:
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "account": account.pk,
            "member": account.member_id,
            "wallet": account.wallet,
            "source": source,
        }
        cursor.execute(_EARNED_SQL, values)
        entry_id, promise_id, points, pending = cursor.fetchone()
    return _Earned(entry_id=entry_id, promise_id=promise_id, points=points, pending=pending)


_EARNED_SQL = f"""
SELECT entry.id, promise.id, COALESCE(promise.points, entry.points, 0),
       CASE WHEN promise.state = 'pending' THEN promise.points - promise.taken_back ELSE 0 END
FROM (VALUES (%(source)s)) AS asked (source)
LEFT JOIN loyalty_pointsentry entry
       ON entry.account_id = {HISTORY_SQL} AND entry.source = asked.source
      AND entry.kind = 'earn'
LEFT JOIN loyalty_pendingpoints promise
       ON promise.account_id = {HISTORY_SQL} AND promise.source = asked.source
      AND promise.kind = 'earn'
"""  # noqa: S608 - our own expression


def _draws(spent: PointsEntry, *, now: datetime) -> list[Draw]:
    """Return what a debit drew, in the order in which it did.

    What no lot covered was debt and had no expiry: it comes back for the grace period.
    """
    drawn = [
        Draw(lot_id=row.lot_id, points=row.points, expires_at=row.lot.expires_at)
        for row in PointsDraw.objects.filter(entry=spent)
        .select_related("lot")
        .order_by(F("lot__expires_at").asc(nulls_last=True), "lot_id")
    ]
    uncovered = -spent.points - sum(draw.points for draw in drawn)
    return [*drawn, Draw(lot_id=0, points=uncovered, expires_at=now)] if uncovered else drawn


def _take_from_promise(earned: _Earned, points: Points, *, now: datetime) -> None:
    """Shrink a pending promise; one that has nothing left is void."""
    is_void = points == earned.pending
    PendingPoints.objects.filter(pk=earned.promise_id or 0).update(
        taken_back=F("taken_back") + points,
        state=PendingPoints.State.VOIDED if is_void else PendingPoints.State.PENDING,
        resolved_at=now if is_void else None,
    )
