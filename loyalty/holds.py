"""Points that are set aside for an order or a reward. The only writer of holds.

A hold is posted, voided or expires, once; the flow has locked the wallet.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from loyalty import ledger
from loyalty.models import PointsAccount, PointsEntry, PointsHold
from loyalty.points import ensure_available, lock_accounts
from shop.kernel.errors import DomainError
from shop.kernel.money import Points

State = PointsHold.State


class HoldResolved(DomainError):
    """The hold was posted or voided before; a hold is resolved at most once."""

    code = "hold-resolved"
    title = _("These points were already spent or released.")


def take(
    account: PointsAccount,
    *,
    points: Points,
    source: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> int:
    """Set points aside; they stop being available at once and leave the balance when posted.

    While they are held they do not expire. Whoever holds them posts or voids; `expires_at` is for
    `expire`, which frees what was forgotten. Return the number of the hold.

    Raises:
        points.NotEnoughPoints, points.WalletClosed
    """
    ensure_available(account, points)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_SQL,
            {
                "account": account.pk,
                "points": points,
                "source": source,
                "now": now,
                "expires_at": expires_at,
            },
        )
        (number,) = cursor.fetchone()
    account.held = Points(account.held + points)
    return int(number)


_TAKE_SQL = """
WITH wallet AS (
    UPDATE loyalty_pointsaccount SET held = held + %(points)s WHERE id = %(account)s
)
INSERT INTO loyalty_pointshold (account_id, points, source, state, held_at, expires_at)
VALUES (%(account)s, %(points)s, %(source)s, 'pending', %(now)s, %(expires_at)s) RETURNING id
"""


def post(account: PointsAccount, *, source: str, now: datetime) -> None:
    """Spend what was held under this source; nothing when nothing was held.

    Raises:
        HoldResolved
    """
    held = _resolve(account, source=source, state=State.POSTED, now=now)
    if held is not None:
        kind = PointsEntry.Kind.SPEND
        ledger.debit(account, kind=kind, points=held, source=source, now=now)


def void(account: PointsAccount, *, source: str, now: datetime) -> None:
    """Release what was held under this source; nothing when nothing was held or it has expired.

    Raises:
        HoldResolved
    """
    try:
        _resolve(account, source=source, state=State.VOIDED, now=now)
    except HoldResolved as resolved:
        if resolved.members["state"] != State.EXPIRED:
            raise


def overdue(*, now: datetime, limit: int) -> list[int]:
    """Return ids of pending holds whose time is over, oldest first."""
    due = PointsHold.objects.filter(state="pending", expires_at__lte=now)
    return list(due.order_by("expires_at").values_list("id", flat=True)[:limit])


@transaction.atomic
def expire(hold_id: int, *, now: datetime) -> bool:
    """Free one hold that nobody posted or voided in time; False when somebody was first."""
    row = PointsHold.objects.select_related("account").get(pk=hold_id)
    account = lock_accounts([row.account.member_id]).of(row.account)
    try:
        _resolve(account, source=row.source, state=State.EXPIRED, now=now)
    except HoldResolved:
        return False
    return True


def _resolve(account: PointsAccount, *, source: str, state: str, now: datetime) -> Points | None:
    """Give a pending hold its end and free its points in one statement; return how many.

    None when nothing was held under this source.

    Raises:
        HoldResolved: it had its end before.
    """
    values: dict[str, Any] = {"account": account.pk, "source": source, "state": state, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE_SQL, values)
        found = cursor.fetchone()
    if found is None:
        before = PointsHold.objects.filter(account=account, source=source).first()
        if before is None:
            return None
        raise HoldResolved(source=source, state=before.state)
    account.held = Points(account.held - found[0])
    return Points(found[0])


_RESOLVE_SQL = """
WITH resolved AS (
    UPDATE loyalty_pointshold SET state = %(state)s, resolved_at = %(now)s
    WHERE account_id = %(account)s AND source = %(source)s AND state = 'pending'
    RETURNING points
)
UPDATE loyalty_pointsaccount SET held = held - resolved.points
FROM resolved WHERE id = %(account)s RETURNING resolved.points
"""
