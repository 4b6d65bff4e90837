"""Members by tier and by role, and who went from where to where. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import rate


@dataclass(frozen=True, kw_only=True, slots=True)
class TierRow:
    """The members of a tier at the end of the period, and their share of all."""

    tier: str
    level: int
    role: str
    name_zh: str
    name_en: str
    members: int
    share: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleRow:
    """The members of a role: normal, VIP, spreader."""

    role: str
    members: int
    share: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Migration:
    """Members by their tier at the beginning (None: not a member yet) and at the end."""

    from_tier: str | None
    to_tier: str
    members: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRow:
    """The members of a tier at the end of a day, as counted on that day."""

    date: date
    tier: str
    members: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TierDistribution:
    """Tiers at the end of a period, and the moves since its beginning.

    Invariants:
        The members of a tier are the sum of its column of the migration matrix.
    """

    members: int
    tiers: Sequence[TierRow]
    roles: Sequence[RoleRow]
    migration: Sequence[Migration]
    days: Sequence[DayRow]


def build(*, stores: Sequence[Store], since: date, until: date) -> TierDistribution:
    """Return the distribution at the end of the business days [since, until) of these stores."""
    values = {
        "stores": [store.pk for store in stores],
        "starts": [store.business_day_start(since) for store in stores],
        "ends": [store.business_day_start(until) for store in stores],
        "since": since,
        "until": until,
    }
    migration = [Migration(**row) for row in rows.select(_MATRIX_SQL, values)]
    by_tier: dict[str, int] = {}
    for move in migration:
        by_tier[move.to_tier] = by_tier.get(move.to_tier, 0) + move.members
    everybody = sum(by_tier.values())
    tiers = [
        TierRow(
            **row,
            members=by_tier.get(row["tier"], 0),
            share=rate(by_tier.get(row["tier"], 0), everybody),
        )
        for row in rows.select(_TIERS_SQL, {})
    ]
    return TierDistribution(
        members=everybody,
        tiers=tiers,
        roles=_roles(tiers, everybody),
        migration=migration,
        days=[DayRow(**row) for row in rows.select(_DAYS_SQL, values)],
    )


def _roles(tiers: Sequence[TierRow], everybody: int) -> list[RoleRow]:
    by_role: dict[str, int] = {}
    for tier in tiers:
        by_role[tier.role] = by_role.get(tier.role, 0) + tier.members
    return [
        RoleRow(role=role, members=members, share=rate(members, everybody))
        for role, members in by_role.items()
    ]


_TIERS_SQL = "SELECT code AS tier, level, role, name_zh, name_en FROM loyalty_tier ORDER BY level"
# Where somebody was at a moment: where their first change after it came from, else where they are.
_MATRIX_SQL = """
WITH period AS (
    SELECT * FROM unnest(%(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        AS period (store_id, starts, ends)
), place AS (
    SELECT member.id, membership.tier_id, period.starts, period.ends
    FROM period
    JOIN shop_member member ON member.store_id = period.store_id AND member.status <> 'closed'
    JOIN loyalty_membership membership ON membership.member_id = member.id
), changes AS MATERIALIZED (
    SELECT change.id, change.member_id, change.from_tier_id, change.occurred_at
    FROM loyalty_tierchange change
    WHERE change.occurred_at >= (SELECT min(starts) FROM period)
), after_start AS (
    SELECT DISTINCT ON (change.member_id) change.member_id, change.from_tier_id
    FROM changes change JOIN place ON place.id = change.member_id
    WHERE change.occurred_at >= place.starts ORDER BY change.member_id, change.id
), after_end AS (
    SELECT DISTINCT ON (change.member_id) change.member_id, change.from_tier_id
    FROM changes change JOIN place ON place.id = change.member_id
    WHERE change.occurred_at >= place.ends ORDER BY change.member_id, change.id
), stood AS (
    SELECT CASE WHEN after_start.member_id IS NULL THEN place.tier_id
                ELSE after_start.from_tier_id END AS from_id,
           CASE WHEN after_end.member_id IS NULL THEN place.tier_id
                ELSE after_end.from_tier_id END AS to_id
    FROM place
    LEFT JOIN after_start ON after_start.member_id = place.id
    LEFT JOIN after_end ON after_end.member_id = place.id
)
SELECT origin.code AS from_tier, goal.code AS to_tier, count(*)::int AS members
FROM stood JOIN loyalty_tier goal ON goal.id = stood.to_id
LEFT JOIN loyalty_tier origin ON origin.id = stood.from_id
GROUP BY origin.code, origin.level, goal.code, goal.level
ORDER BY origin.level NULLS FIRST, goal.level
"""
_DAYS_SQL = """
SELECT count.date, tier.code AS tier, sum(count.members)::int AS members
FROM loyalty_tiercount count JOIN loyalty_tier tier ON tier.id = count.tier_id
WHERE count.store_id = ANY(%(stores)s) AND count.date >= %(since)s AND count.date < %(until)s
GROUP BY count.date, tier.code, tier.level ORDER BY count.date, tier.level
"""
