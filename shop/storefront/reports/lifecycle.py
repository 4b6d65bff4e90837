"""Members by how far they have come: from the first visit to bringing others. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import rate

REGULAR_DAYS, REGULAR_ORDERS = 90, 4
"""So many orders in so many days make a regular, as in docs/metrics.md; or the second tier does."""
STAGES = ["newcomer", "one_timer", "returning", "regular", "advocate"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRow:
    """The members of one stage; each member is in exactly one, the furthest they have reached."""

    stage: str
    members: int
    share: float | None


def build(*, stores: Sequence[Store], now: datetime) -> list[StageRow]:
    """Return a row per stage; the members add up to all who are not closed."""
    found = rows.select(
        _STAGES_SQL,
        {
            "stores": [store.pk for store in stores],
            "since": now - timedelta(days=REGULAR_DAYS),
            "orders": REGULAR_ORDERS,
        },
    )
    members = {row["stage"]: row["members"] for row in found}
    everybody = sum(members.values())
    return [
        StageRow(
            stage=stage,
            members=members.get(stage, 0),
            share=rate(members.get(stage, 0), everybody),
        )
        for stage in STAGES
    ]


_STAGES_SQL = """
WITH visits AS (
    SELECT visit.member_id, count(*) AS ever,
           count(*) FILTER (WHERE visit.visited_at >= %(since)s) AS lately
    FROM loyalty_visit visit WHERE visit.reversed_at IS NULL GROUP BY visit.member_id
), friends AS (
    SELECT DISTINCT referrer_id FROM campaigns_referral WHERE status = 'qualified'
)
SELECT CASE
           WHEN friends.referrer_id IS NOT NULL OR tier.role = 'spreader' THEN 'advocate'
           WHEN COALESCE(visits.lately, 0) >= %(orders)s
                OR tier.level > (SELECT min(level) FROM loyalty_tier) THEN 'regular'
           WHEN COALESCE(visits.ever, 0) >= 2 THEN 'returning'
           WHEN visits.ever = 1 THEN 'one_timer'
           ELSE 'newcomer'
       END AS stage, count(*)::int AS members
FROM shop_member member
JOIN loyalty_membership membership ON membership.member_id = member.id
JOIN loyalty_tier tier ON tier.id = membership.tier_id
LEFT JOIN visits ON visits.member_id = member.id
LEFT JOIN friends ON friends.referrer_id = member.id
WHERE member.store_id = ANY(%(stores)s) AND member.status <> 'closed'
GROUP BY 1
"""
