"""Points whose time is over: taken in slices, set-wise, by the order of `loyalty.lots`.

A slice locks its accounts in ascending id and writes one entry for each lot. What is held for an
order stays, as `lots.expired` says, and goes with the next run if the hold was released.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from loyalty.models import PointsLot
from shop.kernel import jobs
from shop.kernel.models import Job

KIND = "points.expire"
SLICE = 5_000
"""Lots looked at in one transaction: a second or so, and no till waits longer for its members."""


def start(*, requested_by: str, now: datetime, key: str | None = None) -> Job:
    """Queue a run that expires everything due at this moment; the same key is the same run."""
    return jobs.start(
        KIND,
        params={"at": now.isoformat()},
        requested_by=requested_by,
        total=_count_due(now),
        now=now,
        key=key,
    )


def is_due(*, now: datetime) -> bool:
    """Tell whether anything has expired by this moment."""
    return PointsLot.objects.filter(remaining__gt=0, expires_at__lte=now).exists()


@jobs.runs(KIND, label=_("Let points expire"))
def expire_slice(job: Job, now: datetime) -> bool:
    """Expire the lots of one slice; True when nothing due is left after it."""
    at = datetime.fromisoformat(job.params["at"])
    found = _due_lots(at, after=(job.cursor or {}).get("after"))
    if found:
        entries, points = expire_accounts({account for account, _key in found}, now=at)
        totals = job.result or {}
        job.result = {
            "entries": totals.get("entries", 0) + entries,
            "points": totals.get("points", 0) + points,
        }
        job.cursor = {"after": found[-1][1]}
        job.done += len(found)
    return len(found) < SLICE


def expire_accounts(account_ids: Collection[int], *, now: datetime) -> tuple[int, int]:
    """Expire what is due in these accounts; return how many entries and points that were.

    Running it again finds nothing: what has expired is not there any more.
    """
    values: dict[str, Any] = {"accounts": sorted(account_ids), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SQL, values)
        cursor.execute(_EXPIRE_SQL, values)
        entries, points = cursor.fetchone()
    return entries, points


def _due_lots(at: datetime, *, after: list[str] | None) -> list[tuple[int, list[str]]]:
    """Return the next due lots, each as its account and its place in the order of expiry."""
    expires_at, lot_id = after or ["-infinity", "0"]
    with connection.cursor() as cursor:
        cursor.execute(
            # Ordered by the columns: by their names alone it would be the texts, and 10 before 9.
            "SELECT lot.account_id, lot.expires_at::text, lot.id::text FROM loyalty_pointslot lot"
            " WHERE lot.remaining > 0 AND lot.expires_at <= %s"
            " AND (lot.expires_at, lot.id) > (%s::timestamptz, %s::bigint)"
            " ORDER BY lot.expires_at, lot.id LIMIT %s",
            [at, expires_at, lot_id, SLICE],
        )
        return [(account, [expires, lot]) for account, expires, lot in cursor.fetchall()]


def _count_due(at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM loyalty_pointslot WHERE remaining > 0 AND expires_at <= %s", [at]
        )
        (count,) = cursor.fetchone()
    return int(count)


_LOCK_SQL = """
SELECT id FROM loyalty_pointsaccount WHERE id = ANY(%(accounts)s) ORDER BY id FOR NO KEY UPDATE
"""

# `covered` is what of the holds is left for a lot after those that are drawn before it. The entry's
# source says how far down the lot has come, so that no lot can expire to the same level twice.
_EXPIRE_SQL = """
WITH open_lots AS (
    SELECT lot.id, lot.account_id, lot.remaining, lot.expires_at, account.balance, account.held,
           account.held - (sum(lot.remaining) OVER before - lot.remaining) AS covered
    FROM loyalty_pointslot lot
    JOIN loyalty_pointsaccount account ON account.id = lot.account_id
    WHERE lot.account_id = ANY(%(accounts)s) AND lot.remaining > 0
    WINDOW before AS (PARTITION BY lot.account_id ORDER BY lot.expires_at NULLS LAST, lot.id)
),
lost AS (
    SELECT id, account_id, balance, expires_at, remaining,
           LEAST(remaining, remaining - GREATEST(covered, 0))::bigint AS points
    FROM open_lots
    WHERE expires_at <= %(now)s AND remaining > covered
),
entries AS (
    INSERT INTO loyalty_pointsentry
           (account_id, kind, points, balance_after, source, note, actor, occurred_at)
    SELECT account_id, 'expire', -points,
           balance - sum(points) OVER (PARTITION BY account_id ORDER BY expires_at, id),
           'lot:' || id || '-' || remaining - points, '', '', %(now)s
    FROM lost ORDER BY account_id, expires_at, id
    RETURNING id, account_id, points, source
),
draws AS (
    INSERT INTO loyalty_pointsdraw (entry_id, lot_id, points)
    SELECT entries.id, lost.id, lost.points
    FROM lost
    JOIN entries ON entries.account_id = lost.account_id
                AND entries.source = 'lot:' || lost.id || '-' || lost.remaining - lost.points
),
lots AS (
    UPDATE loyalty_pointslot lot SET remaining = lot.remaining - lost.points
    FROM lost WHERE lot.id = lost.id
),
accounts AS (
    UPDATE loyalty_pointsaccount account SET balance = account.balance - total.points
    FROM (SELECT account_id, sum(points) AS points FROM lost GROUP BY account_id) total
    WHERE account.id = total.account_id
)
SELECT count(*), COALESCE(sum(points), 0)::bigint FROM lost
"""
