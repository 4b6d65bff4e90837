"""The two writes of the points ledger, each one statement. Only `points` calls them.

An entry is never changed. A credit repays debt first and opens a lot with the rest; a debit draws
on the lots that expire soonest. So Σ lots remaining = max(balance, 0), always. These statements do
what `loyalty.lots` says; tests hold the two against each other.
"""

from datetime import datetime

from django.db import connection

from loyalty import lots
from loyalty.models import PointsAccount
from shop.kernel.money import Points


def credit(
    account: PointsAccount,
    *,
    kind: str,
    points: Points,
    source: str,
    now: datetime,
    expires_at: datetime | None,
    note: str = "",
    actor: str = "",
) -> None:
    """Add points to a locked account: an entry, and a lot of what is left after debt."""
    balance = account.balance
    account.balance = Points(balance + points)
    with connection.cursor() as cursor:
        cursor.execute(
            _CREDIT_SQL,
            {
                "account": account.pk,
                "kind": kind,
                "points": points,
                "balance": account.balance,
                "source": source,
                "note": note,
                "actor": actor,
                "now": now,
                "expires_at": expires_at,
                "remaining": lots.after_debt(points, balance=balance),
                "has_lot": account.wallet != PointsAccount.Wallet.QUALIFYING,
            },
        )


def debit(
    account: PointsAccount,
    *,
    kind: str,
    points: Points,
    source: str,
    now: datetime,
    first: int | None = None,
    note: str = "",
    actor: str = "",
) -> None:
    """Take points from a locked account: an entry, drawn from lots; the rest becomes debt.

    The lot of the entry `first` is emptied before the others.
    """
    account.balance = Points(account.balance - points)
    with connection.cursor() as cursor:
        cursor.execute(
            _DEBIT_SQL,
            {
                "account": account.pk,
                "kind": kind,
                "points": points,
                "balance": account.balance,
                "source": source,
                "note": note,
                "actor": actor,
                "now": now,
                "first": first,
            },
        )


_ENTRY_SQL = """
INSERT INTO loyalty_pointsentry
       (account_id, kind, points, balance_after, source, note, actor, occurred_at)
VALUES (%(account)s, %(kind)s, {points}, %(balance)s, %(source)s, %(note)s, %(actor)s, %(now)s)
RETURNING id
"""

_CREDIT_SQL = f"""
WITH entry AS ({_ENTRY_SQL.format(points="%(points)s::bigint")}),
lot AS (
    INSERT INTO loyalty_pointslot (account_id, entry_id, points, remaining, expires_at)
    SELECT %(account)s, entry.id, %(points)s::bigint, %(remaining)s, %(expires_at)s FROM entry
    WHERE %(has_lot)s
)
UPDATE loyalty_pointsaccount SET balance = %(balance)s WHERE id = %(account)s
"""  # noqa: S608 - no value is interpolated

# Lots are drawn soonest-expiring first; what they do not cover is debt (a negative balance).
_DEBIT_SQL = f"""
WITH entry AS ({_ENTRY_SQL.format(points="-%(points)s::bigint")}),
open_lots AS (
    SELECT id, remaining,
           COALESCE(SUM(remaining) OVER (
               ORDER BY entry_id IS DISTINCT FROM %(first)s::bigint, expires_at NULLS LAST, id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM loyalty_pointslot WHERE account_id = %(account)s AND remaining > 0
),
taken AS (
    SELECT id, LEAST(remaining, %(points)s::bigint - before) AS points
    FROM open_lots WHERE before < %(points)s::bigint
),
draws AS (
    INSERT INTO loyalty_pointsdraw (entry_id, lot_id, points)
    SELECT entry.id, taken.id, taken.points FROM entry, taken
),
lots AS (
    UPDATE loyalty_pointslot lot SET remaining = lot.remaining - taken.points
    FROM taken WHERE lot.id = taken.id
)
UPDATE loyalty_pointsaccount SET balance = %(balance)s WHERE id = %(account)s
"""  # noqa: S608 - no value is interpolated
