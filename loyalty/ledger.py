"""The writes of the points ledger, each one statement. Only noun modules of `loyalty` call them.

An entry is never changed. A credit repays debt first and opens a lot with the rest; a debit draws
on the lots that expire soonest. So Σ lots remaining = max(balance, 0), always. These statements do
what `loyalty.lots` says; tests hold the two against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """One of several entries: `points` above zero are credited, below zero debited."""

    account: PointsAccount
    kind: str
    points: int
    expires_at: datetime | None = None


def post(postings: Sequence[Posting], *, source: str, now: datetime) -> None:
    """Write entries of locked accounts in this order, as `credit` and `debit` one by one would.

    An account has at most one debit among them, before its credits.
    """
    if not postings:
        return
    rows = []
    for posting in postings:
        account, balance = posting.account, posting.account.balance
        account.balance = Points(balance + posting.points)
        has_lot = posting.points > 0 and account.wallet != PointsAccount.Wallet.QUALIFYING
        remaining = lots.after_debt(posting.points, balance=balance) if has_lot else None
        rows.append(
            (
                account.pk,
                str(posting.kind),
                posting.points,
                account.balance,
                remaining,
                posting.expires_at,
            )
        )
    names = ("accounts", "kinds", "points", "balances", "remaining", "expires_at")
    values = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_POST_SQL, values | {"source": source, "now": now})


_POST_SQL = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(kinds)s::text[], %(points)s::bigint[],
                         %(balances)s::bigint[], %(remaining)s::bigint[],
                         %(expires_at)s::timestamptz[]) WITH ORDINALITY
        AS given (account_id, kind, points, balance, remaining, expires_at, place)
),
entries AS (
    INSERT INTO loyalty_pointsentry
           (account_id, kind, points, balance_after, source, note, actor, occurred_at)
    SELECT account_id, kind, points, balance, %(source)s, '', '', %(now)s FROM given ORDER BY place
    RETURNING id, account_id, kind, points
),
opened AS (
    INSERT INTO loyalty_pointslot (account_id, entry_id, points, remaining, expires_at)
    SELECT given.account_id, entries.id, given.points, given.remaining, given.expires_at
    FROM given JOIN entries USING (account_id, kind) WHERE given.remaining IS NOT NULL
),
open_lots AS (
    SELECT lot.id, lot.remaining, entries.id AS entry_id, -entries.points AS wanted,
           COALESCE(SUM(lot.remaining) OVER (
               PARTITION BY lot.account_id ORDER BY lot.expires_at NULLS LAST, lot.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM entries JOIN loyalty_pointslot lot ON lot.account_id = entries.account_id
    WHERE entries.points < 0 AND lot.remaining > 0
),
taken AS (
    SELECT id, entry_id, LEAST(remaining, wanted - before) AS points
    FROM open_lots WHERE before < wanted
),
draws AS (
    INSERT INTO loyalty_pointsdraw (entry_id, lot_id, points)
    SELECT entry_id, id, points FROM taken
),
lots AS (
    UPDATE loyalty_pointslot lot SET remaining = lot.remaining - taken.points
    FROM taken WHERE lot.id = taken.id
)
UPDATE loyalty_pointsaccount account SET balance = last.balance
FROM (SELECT DISTINCT ON (account_id) account_id, balance
      FROM given ORDER BY account_id, place DESC) last
WHERE account.id = last.account_id
"""

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
