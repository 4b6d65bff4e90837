"""Points that were promised and enter the ledger later, by time or when an order is completed.

The only writer of promises, but for what `reversals` takes off them.
"""

from datetime import datetime

from django.db import connection, transaction

from loyalty import ledger, lots
from loyalty.lots import Clawback
from loyalty.models import PendingPoints, PointsAccount, PointsEntry
from loyalty.points import earn, lock_accounts, of_person
from shop.kernel.money import Points

Kind = PointsEntry.Kind


def make(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    now: datetime,
    available_at: datetime | None,
    kind: str = Kind.REFERRAL,
) -> None:
    """Promise points for later; they enter the ledger when their time has come.

    Without `available_at` they wait until `complete` names it. A closed wallet is promised nothing.
    """
    if points > 0 and not account.is_closed:
        PendingPoints.objects.create(
            account=account,
            kind=kind,
            points=points,
            source=source,
            promised_at=now,
            available_at=available_at,
        )


def complete(source: str, *, available_at: datetime) -> None:
    """Say when promises that waited for this order's completion are available."""
    PendingPoints.objects.filter(source=source, available_at=None, state="pending").update(
        available_at=available_at
    )


def due(*, now: datetime, limit: int) -> list[int]:
    """Return ids of promises whose time has come, oldest first."""
    found = PendingPoints.objects.filter(state="pending", available_at__lte=now)
    return list(found.order_by("available_at").values_list("id", flat=True)[:limit])


@transaction.atomic
def release(promise_id: int, *, now: datetime, expires_at: datetime | None) -> bool:
    """Turn one due promise into an entry; False when another worker or a refund was first.

    `expires_at` is of points; stamps do not expire.
    """
    pending = PendingPoints.objects.select_related("account").get(pk=promise_id)
    account = lock_accounts([pending.account.member_id]).of(pending.account)
    left = _resolve(promise_id, state=PendingPoints.State.POSTED, now=now)
    if left is not None:
        earn(
            account,
            points=left,
            source=pending.source,
            now=now,
            expires_at=None if account.wallet == PointsAccount.Wallet.STAMPS else expires_at,
            kind=pending.kind,
        )
    return left is not None


def revoke(account: PointsAccount, *, source: str, now: datetime, policy: Clawback) -> None:
    """Take back what was promised: void it while pending, debit it once it was posted.

    A posted promise is taken back as far as the programme's policy goes.
    """
    promised = of_person(PendingPoints.objects.filter(source=source), account).first()
    if promised is None:
        return
    if _resolve(promised.pk, state=PendingPoints.State.VOIDED, now=now) is not None:
        return
    entries = PointsEntry.objects.filter(kind=promised.kind, source=source)
    posted = of_person(entries, account).first()
    if posted is None or account.is_closed:
        return
    taken = lots.claw_back(posted.points, pending=0, available=account.available, policy=policy)
    if taken.from_balance > 0:
        ledger.debit(
            account,
            kind=Kind.REVERSE_REFERRAL,
            points=Points(taken.from_balance),
            source=source,
            now=now,
            first=posted.pk,
        )


def _resolve(promise_id: int, *, state: str, now: datetime) -> Points | None:
    """Post or void a pending promise; return what is left of it, None if it was resolved before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE loyalty_pendingpoints SET state = %s, resolved_at = %s"
            " WHERE id = %s AND state = 'pending' RETURNING points - taken_back",
            [state, now, promise_id],
        )
        found = cursor.fetchone()
    return None if found is None else Points(found[0])
