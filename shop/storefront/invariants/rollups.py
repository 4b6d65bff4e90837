"""Checks that roll-ups say what the facts say, where no change waits to be taken in."""

from shop.storefront.invariants.check import Check
from shop.storefront.models import NEVER
from shop.storefront.rollups.people import (
    COHORT_COLUMNS,
    COHORT_SUMS,
    LOTS,
    MARGIN_DAYS,
    MEMBER_COLUMNS,
    STANDING_SQL,
    WORTH,
)
from shop.storefront.rollups.sales import SALES_COLUMNS, SALES_SQL

FEW = 20_000
"""So many members, or days of stores, are all checked; of more, another hundredth every hour."""
_SAMPLE = f"(extract(epoch FROM %(now)s::timestamptz)::bigint / 3600) %% {LOTS}"
_ORIGIN = ["store_id", "joined_on", "channel_id", "link_id"]


def _listed(table: str, names: list[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


def _differs(left: str, right: str, names: list[str]) -> str:
    return f"ROW({_listed(left, names)}) IS DISTINCT FROM ROW({_listed(right, names)})"


_COHORT_WORTH = ", ".join(f"sum(row.{name}) AS {name}" for name in WORTH)
_DAYS_WORTH = ", ".join(
    [
        *(f"sum(row.{name}) AS {name}" for name in ("orders", "revenue_cents", "margin_cents")),
        *(
            f"COALESCE(sum(row.margin_cents) FILTER (WHERE row.age <= {days}), 0)"
            f" AS margin_{days}_cents"
            for days in MARGIN_DAYS
        ),
    ]
)
_MEMBERS = f"""
    SELECT COALESCE(array_agg(member.id), ARRAY[]::bigint[]) FROM shop_member member
    WHERE (member.id %% {LOTS} = {_SAMPLE}
           OR (SELECT count(*) FROM (SELECT FROM shop_member LIMIT {FEW}) few) < {FEW})
      AND NOT EXISTS (SELECT FROM storefront_rollupmark mark WHERE mark.member_id = member.id)
      AND NOT EXISTS (SELECT FROM storefront_rollupmark mark
                      JOIN shop_order orders ON orders.id = mark.order_id
                      WHERE orders.member_id = member.id)
"""
_FILLED = (
    STANDING_SQL.replace("= ANY(%(members)s)", f"= ANY(({_MEMBERS})::bigint[])")
    .replace("%(never)s", f"'{NEVER}'::date")
    .replace("%(lots)s", str(LOTS))
)
_DAYS = f"""
    SELECT DISTINCT orders.store_id, orders.business_date FROM shop_order orders
    WHERE orders.paid_at IS NOT NULL
      AND (extract(epoch FROM orders.business_date)::bigint / 86400 %% {LOTS} = {_SAMPLE}
           OR (SELECT count(*) FROM (SELECT FROM shop_order LIMIT {FEW}) few) < {FEW})
      AND NOT EXISTS (SELECT FROM storefront_rollupmark)
"""
_SALES = SALES_SQL.replace(
    "day AS (SELECT * FROM unnest(%(stores)s::bigint[], %(days)s::date[])"
    " AS day (store_id, business_date))",
    f"day AS ({_DAYS})",
)

CHECKS = [
    Check(
        id="I20",
        name="member-rollups-are-the-orders",
        sql=f"""
            WITH {_FILLED}
            SELECT standing.member_id AS member, standing.revenue_cents, row.revenue_cents AS rolled
            FROM standing
            LEFT JOIN storefront_memberrollup row ON row.member_id = standing.member_id
            WHERE {_differs("standing", "row", MEMBER_COLUMNS)}
        """,
    ),
    Check(
        id="I20",
        name="cohorts-are-their-members",
        sql=f"""
            WITH added AS (
                SELECT {_listed("row", [*_ORIGIN, "first_on"])}, {COHORT_SUMS}
                FROM storefront_memberrollup row GROUP BY 1, 2, 3, 4, 5
            ),
            cohort AS (
                SELECT {_listed("row", _ORIGIN)}, {_COHORT_WORTH}
                FROM storefront_cohort row GROUP BY 1, 2, 3, 4
            ),
            days AS (
                SELECT {_listed("row", _ORIGIN)}, {_DAYS_WORTH}
                FROM storefront_cohortday row GROUP BY 1, 2, 3, 4
            )
            SELECT store_id AS store, joined_on, 'members' AS differ
            FROM added FULL JOIN storefront_cohort cohort
                 USING ({", ".join([*_ORIGIN, "first_on"])})
            WHERE {_differs("added", "cohort", COHORT_COLUMNS)}
            UNION ALL
            SELECT store_id, joined_on, 'days'
            FROM cohort FULL JOIN days USING ({", ".join(_ORIGIN)})
            WHERE {_differs("cohort", "days", WORTH)}
              AND COALESCE(cohort.orders, 0) + COALESCE(days.orders, 0) > 0
              AND NOT EXISTS (SELECT FROM storefront_rollupmark)
        """,
    ),
    Check(
        id="I20",
        name="sales-days-are-the-orders",
        sql=f"""
            WITH {_SALES}
            SELECT store_id AS store, business_date, channel_id AS channel
            FROM sold
            FULL JOIN (SELECT row.* FROM storefront_salesday row JOIN day
                            USING (store_id, business_date)) row
                 USING (store_id, business_date, channel_id, link_id)
            WHERE {_differs("sold", "row", SALES_COLUMNS)}
        """,
    ),
]
