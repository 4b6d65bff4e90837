"""How far a member has come, step by step: from joining to bringing others. Writes nothing.

The steps follow from facts that stand: a visit whose order was refunded whole is no step, and a
membership that was merged into this one counts with it.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from shop.storefront.reports.lifecycle import REGULAR_DAYS, REGULAR_ORDERS, STAGES


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """The first time that a member reached a stage, from the furthest before, and by what."""

    at: datetime
    from_stage: str | None
    to_stage: str
    because: str


def transitions(member_id: int) -> list[Transition]:
    """Return a member's steps, oldest first; each leads further than all before."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REACHED_SQL,
            {"member": member_id, "days": REGULAR_DAYS, "orders": REGULAR_ORDERS},
        )
        reached = cursor.fetchall()
    steps: list[Transition] = []
    for at, stage, because in reached:
        before = steps[-1].to_stage if steps else None
        if before is None or STAGES.index(stage) > STAGES.index(before):
            steps.append(Transition(at=at, from_stage=before, to_stage=stage, because=because))
    return steps


_REACHED_SQL = """
WITH person AS (
    SELECT id, joined_at FROM shop_member WHERE id = %(member)s OR merged_into_id = %(member)s
), visits AS (
    SELECT visit.visited_at AS at,
           row_number() OVER (ORDER BY visit.visited_at, visit.order_id) AS nth,
           visit.visited_at - lag(visit.visited_at, %(orders)s - 1)
               OVER (ORDER BY visit.visited_at, visit.order_id) AS span
    FROM loyalty_visit visit
    WHERE visit.member_id IN (SELECT id FROM person) AND visit.reversed_at IS NULL
), tiers AS (
    SELECT change.occurred_at AS at, tier.role, tier.level, tier.code
    FROM loyalty_tierchange change JOIN loyalty_tier tier ON tier.id = change.to_tier_id
    WHERE change.member_id IN (SELECT id FROM person)
), reached AS (
    SELECT min(joined_at) AS at, 'newcomer' AS stage, 'joined' AS because, 1 AS rank FROM person
    UNION ALL
    SELECT at, 'one_timer', 'order', 2 FROM visits WHERE nth = 1
    UNION ALL
    SELECT at, 'returning', 'order', 3 FROM visits WHERE nth = 2
    UNION ALL
    (SELECT at, 'regular', 'order', 4 FROM visits
     WHERE span <= %(days)s * interval '1 day' ORDER BY at LIMIT 1)
    UNION ALL
    (SELECT at, 'regular', 'tier:' || code, 4 FROM tiers
     WHERE level > (SELECT min(level) FROM loyalty_tier) ORDER BY at LIMIT 1)
    UNION ALL
    (SELECT at, 'advocate', 'tier:' || code, 5 FROM tiers
     WHERE role = 'spreader' ORDER BY at LIMIT 1)
    UNION ALL
    (SELECT referral.qualified_at, 'advocate', 'friend', 5
     FROM campaigns_referral referral
     WHERE referral.referrer_id IN (SELECT id FROM person) AND referral.status = 'qualified'
     ORDER BY referral.qualified_at LIMIT 1)
)
SELECT at, stage, because FROM reached WHERE at IS NOT NULL ORDER BY at, rank
"""
