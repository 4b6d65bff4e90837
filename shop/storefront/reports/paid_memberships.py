"""How many of those who could buy a paid membership have. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import rate


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRow:
    """A plan in the period: buyers of it among all who could, and the money, net of refunds.

    `eligible` are the active members who had joined by the end of the period; `renewals` are
    purchases of somebody who had bought the plan before.
    """

    plan: str
    name_zh: str
    name_en: str
    eligible: int
    buyers: int
    purchases: int
    renewals: int
    revenue_cents: int
    conversion_rate: float | None


def build(*, stores: Sequence[Store], since: date, until: date) -> list[PlanRow]:
    """Return a row per plan for members of these stores, in the business days [since, until)."""
    values = {
        "stores": [store.pk for store in stores],
        "starts": [store.business_day_start(since) for store in stores],
        "ends": [store.business_day_start(until) for store in stores],
    }
    return [
        PlanRow(**row, conversion_rate=rate(row["buyers"], row["eligible"]))
        for row in rows.select(_PLANS_SQL, values)
    ]


_PLANS_SQL = """
WITH period AS (
    SELECT * FROM unnest(%(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        AS period (store_id, starts, ends)
), eligible AS (
    SELECT member.id, period.starts, period.ends
    FROM period JOIN shop_member member ON member.store_id = period.store_id
    WHERE member.status = 'active' AND member.joined_at < period.ends
), bought AS (
    SELECT purchase.*, EXISTS (
               SELECT FROM loyalty_planpurchase earlier
               WHERE earlier.member_id = purchase.member_id AND earlier.plan_id = purchase.plan_id
                 AND earlier.bought_at < purchase.bought_at) AS is_renewal
    FROM loyalty_planpurchase purchase JOIN eligible ON eligible.id = purchase.member_id
    WHERE purchase.bought_at >= eligible.starts AND purchase.bought_at < eligible.ends
)
SELECT plan.code AS plan, plan.name_zh, plan.name_en,
       (SELECT count(*) FROM eligible)::int AS eligible,
       count(DISTINCT bought.member_id)::int AS buyers, count(bought.id)::int AS purchases,
       (count(*) FILTER (WHERE bought.is_renewal))::int AS renewals,
       COALESCE(sum(bought.price_cents - bought.refunded_cents), 0)::bigint AS revenue_cents
FROM loyalty_membershipplan plan LEFT JOIN bought ON bought.plan_id = plan.id
GROUP BY plan.id ORDER BY plan.code
"""
