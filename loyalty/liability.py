"""What outstanding points will cost, and how they came to be outstanding.

The only module that writes snapshots of it; else it only reads.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.db import connection

from loyalty.models import LiabilitySnapshot
from loyalty.redemption import (
    MONTH_DAYS,
    Expectation,
    MonthOfLife,
    confidence,
    expectations,
)
from shop.kernel.money import Cents, Points

MOVEMENTS = {
    "earn": "earned",
    "referral": "earned",
    "spend": "used",
    "reverse_spend": "used",
    "expire": "expired",
    "reinstate": "expired",
    "reverse_earn": "clawed_back",
    "reverse_referral": "clawed_back",
    "extend_out": "adjusted",
    "extend_in": "adjusted",
    "adjust": "adjusted",
    "merge_out": "adjusted",
    "merge_in": "adjusted",
    "forfeit": "expired",
}
"""Where each kind of entry stands in the roll-forward; what comes back stands where it left."""
COLUMNS = ["earned", "used", "expired", "clawed_back", "adjusted"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthRow:
    """One calendar month of the ledger; `opening` and the movements (signed) sum to `closing`."""

    month: date
    opening: Points
    earned: Points
    used: Points
    expired: Points
    clawed_back: Points
    adjusted: Points
    closing: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class AgeRow:
    """Outstanding points of one age in whole months, and what they are expected to cost."""

    age_months: int
    points: Points
    expected_redemption: Fraction
    at_least: Fraction
    cost_cents: Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class Liability:
    """What the points in all wallets are expected to cost.

    `outstanding` are spendable lots; `debt` is what members owe, not set against it; `pending` are
    promised and not yet in the ledger, with the expectation of new points. `difference` is ledger
    less wallets less lots: 0, or something is broken.
    """

    outstanding: Points
    debt: Points
    pending: Points
    cents_per_point: Fraction
    cost_cents: Cents
    pending_cost_cents: Cents
    breakage_points: Points
    confidence: str
    observed_months: int
    ages: list[AgeRow]
    difference: int


def measure(*, now: datetime, points_per_yuan: int, life_months: int | None = None) -> Liability:
    """Return the liability now; a point costs what it pays, 100 / `points_per_yuan` fen."""
    outstanding = _outstanding_by_age(now)
    months = _months_of_life(now)
    expected = expectations(months, ages=max([*outstanding, 0]) + 1)
    cents_per_point = Fraction(100, points_per_yuan)
    ages = [
        _age_row(age, points, expected[age], cents_per_point)
        for age, points in sorted(outstanding.items())
    ]
    total, redeemed = (
        sum(outstanding.values()),
        sum((row.points * row.expected_redemption for row in ages), Fraction(0)),
    )
    sums = _sums()
    return Liability(
        outstanding=Points(total),
        debt=Points(sums["debt"]),
        pending=Points(sums["pending"]),
        cents_per_point=cents_per_point,
        cost_cents=Cents(sum(row.cost_cents for row in ages)),
        pending_cost_cents=Cents(round(sums["pending"] * cents_per_point * expected[0].expected)),
        breakage_points=Points(round(total - redeemed)),
        confidence=confidence(months, life_months=life_months),
        observed_months=len(months),
        ages=ages,
        difference=_difference(sums, total),
    )


def is_kept(day: date) -> bool:
    """Tell whether the day has its snapshot."""
    return LiabilitySnapshot.objects.filter(date=day).exists()


def snapshot(day: date, measured: Liability, *, now: datetime) -> bool:
    """Keep what was measured as the day's; False when the day has its snapshot already."""
    _row, is_new = LiabilitySnapshot.objects.get_or_create(
        date=day,
        defaults={
            "outstanding": measured.outstanding,
            "pending": measured.pending,
            "debt": measured.debt,
            "breakage": measured.breakage_points,
            "cost_cents": measured.cost_cents,
            "pending_cost_cents": measured.pending_cost_cents,
            "confidence": measured.confidence,
            "difference": measured.difference,
            "taken_at": now,
        },
    )
    return is_new


def roll_forward(*, now: datetime) -> list[MonthRow]:
    """Return every month from the first entry to now, in the chain's time zone, gaps included."""
    with connection.cursor() as cursor:
        cursor.execute(_MONTHS_SQL, {"timezone": settings.TIME_ZONE, "now": now})
        found = cursor.fetchall()
    months: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
    for month, kind, points in found:
        if kind is None:
            months[month]  # a month without entries
        else:
            months[month][MOVEMENTS[kind]] += points
    rows, balance = [], 0
    for month, moved in sorted(months.items()):
        opening, balance = balance, balance + sum(moved.values())
        columns: dict[str, Any] = {name: Points(points) for name, points in moved.items()}
        rows.append(
            MonthRow(month=month, opening=Points(opening), closing=Points(balance), **columns)
        )
    return rows


def _age_row(age: int, points: int, expectation: Expectation, cents_per_point: Fraction) -> AgeRow:
    cost = points * cents_per_point * expectation.expected
    return AgeRow(
        age_months=age,
        points=Points(points),
        expected_redemption=expectation.expected,
        at_least=expectation.at_least,
        cost_cents=Cents(round(cost)),
    )


def _difference(sums: Mapping[str, int], lots: int) -> int:
    """Return what ledger, wallets and lots disagree by, in points."""
    from_wallets = sums["balances"] + sums["debt"]
    return abs(sums["entries"] - sums["balances"]) + abs(from_wallets - lots)


def _outstanding_by_age(now: datetime) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_OUTSTANDING_SQL, {"now": now, "days": MONTH_DAYS})
        return {int(age): int(points) for age, points in cursor.fetchall()}


def _months_of_life(now: datetime) -> dict[int, MonthOfLife]:
    """Return what became of points in each month of age that some have lived through."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVES_SQL, {"now": now, "days": MONTH_DAYS})
        lives = cursor.fetchall()
    months: dict[int, dict[str, int]] = defaultdict(
        lambda: {"at_risk": 0, "spent": 0, "expired": 0, "lots": 0}
    )
    for lived, left_at, kind, points, lots in lives:
        for age in range(lived):
            month = months[age]
            month["lots"] += lots
            if left_at is None or left_at >= age:
                month["at_risk"] += points
            if left_at == age and kind == "spend":
                month["spent"] += points
            if left_at == age and kind == "expire":
                month["expired"] += points
    return {age: MonthOfLife(**counts) for age, counts in months.items()}


def _sums() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_SUMS_SQL)
        names = [column.name for column in cursor.description or []]
        (row,) = cursor.fetchall()
    return dict(zip(names, map(int, row), strict=True))


_OUTSTANDING_SQL = """
SELECT floor(extract(epoch FROM %(now)s - entry.occurred_at) / 86400 / %(days)s)::int AS age,
       sum(lot.remaining)
FROM loyalty_pointslot lot
JOIN loyalty_pointsentry entry ON entry.id = lot.entry_id
JOIN loyalty_pointsaccount account ON account.id = lot.account_id AND account.wallet = 'points'
WHERE lot.remaining > 0
GROUP BY 1
"""

# A row per number of months that lots have lived through, age at which points left, and how. What
# is still there has left at no age; its row counts the lots.
_LIVES_SQL = """
WITH lot AS (
    SELECT lot.id, lot.remaining, entry.occurred_at AS born,
           floor(extract(epoch FROM %(now)s - entry.occurred_at) / 86400 / %(days)s)::int AS lived
    FROM loyalty_pointslot lot
    JOIN loyalty_pointsentry entry ON entry.id = lot.entry_id
    JOIN loyalty_pointsaccount account ON account.id = lot.account_id AND account.wallet = 'points'
    WHERE entry.occurred_at <= %(now)s
)
SELECT lived, NULL::int AS left_at, '' AS kind, sum(remaining)::bigint, count(*)
FROM lot WHERE lived > 0 GROUP BY lived
UNION ALL
SELECT lot.lived,
       floor(extract(epoch FROM debit.occurred_at - lot.born) / 86400 / %(days)s)::int,
       debit.kind, sum(draw.points)::bigint, 0
FROM lot
JOIN loyalty_pointsdraw draw ON draw.lot_id = lot.id
JOIN loyalty_pointsentry debit ON debit.id = draw.entry_id
WHERE lot.lived > 0
GROUP BY 1, 2, 3
"""

_MONTHS_SQL = """
WITH entry AS (
    SELECT date_trunc('month', entry.occurred_at AT TIME ZONE %(timezone)s)::date AS month,
           entry.kind, sum(entry.points)::bigint AS points
    FROM loyalty_pointsentry entry
    JOIN loyalty_pointsaccount account
         ON account.id = entry.account_id AND account.wallet = 'points'
    GROUP BY 1, 2
)
SELECT month, kind, points FROM entry
UNION ALL
SELECT generate_series(
           min(month)::timestamp,
           date_trunc('month', %(now)s::timestamptz AT TIME ZONE %(timezone)s), interval '1 month'
       )::date, NULL, 0
FROM entry
"""

_SUMS_SQL = """
SELECT (SELECT COALESCE(sum(entry.points), 0) FROM loyalty_pointsentry entry
        JOIN loyalty_pointsaccount account
             ON account.id = entry.account_id AND account.wallet = 'points') AS entries,
       (SELECT COALESCE(sum(points), 0) FROM loyalty_pendingpoints pending
        JOIN loyalty_pointsaccount account
             ON account.id = pending.account_id AND account.wallet = 'points'
        WHERE pending.state = 'pending') AS pending,
       COALESCE(sum(balance), 0) AS balances,
       COALESCE(sum(GREATEST(-balance, 0)), 0) AS debt
FROM loyalty_pointsaccount WHERE wallet = 'points'
"""
