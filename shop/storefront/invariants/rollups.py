"""Checks that roll-ups say what the facts say, where no change waits to be taken in."""

from collections.abc import Sequence

from django.conf import settings

from campaigns.attribution import TOUCH_KINDS
from shop.storefront.invariants.check import Check
from shop.storefront.models import NEVER
from shop.storefront.rollups import meetings
from shop.storefront.rollups.cohorts import COHORT_COLUMNS, COHORT_SUMS, IS_BUYER
from shop.storefront.rollups.meetings import CELL, COUNTS, MEETINGS_SQL, MET_ONCE_SQL, STANDING
from shop.storefront.rollups.people import (
    LOTS,
    MARGIN_DAYS,
    MEMBER_COLUMNS,
    STANDING_SQL,
    WORTH,
)
from shop.storefront.rollups.rows import month_of
from shop.storefront.rollups.sales import SALES_COLUMNS, SALES_SQL

FEW = 20_000
"""So many members, or days of stores, are all checked; of more, another hundredth every hour."""
_SAMPLE = f"(extract(epoch FROM %(now)s::timestamptz)::bigint / 3600) %% {LOTS}"
_ORIGIN = ["store_id", "joined_on", "channel_id", "link_id"]


def _listed(table: str, names: Sequence[str]) -> str:
    return ", ".join(f"{table}.{name}" for name in names)


def _differs(left: str, right: str, names: Sequence[str]) -> str:
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


def _months(days: str, months: str, *, keys: dict[str, str], sums: dict[str, str]) -> str:
    """Return a statement for the months whose sums are not those of their days."""
    added = ", ".join(f"sum({made}) AS {name}" for name, made in sums.items())
    differ = " OR ".join(f"COALESCE(day.{name}, 0) <> COALESCE(month.{name}, 0)" for name in sums)
    return f"""
        SELECT '{months}' AS months, store_id AS store, channel_id AS channel, link_id AS link
        FROM (
            SELECT {", ".join(f"{made} AS {name}" for name, made in keys.items())}, {added}
            FROM {days} row GROUP BY {", ".join(str(n) for n in range(1, len(keys) + 1))}
        ) day
        FULL JOIN {months} month USING ({", ".join(keys)})
        WHERE {differ}
    """


def _same(names: Sequence[str]) -> dict[str, str]:
    return {name: f"row.{name}" for name in names}


_MONTH_OF_JOINING = _same(_ORIGIN) | {"joined_on": month_of("row.joined_on")}
_MONTHS = " UNION ALL ".join(
    [
        _months(
            "storefront_cohort",
            "storefront_cohortmonth",
            keys=_MONTH_OF_JOINING,
            sums=_same(COHORT_COLUMNS)
            | {"buyers": f"CASE WHEN {IS_BUYER} THEN row.joined ELSE 0 END"},
        ),
        _months(
            "storefront_cohortday",
            "storefront_cohortage",
            keys=_MONTH_OF_JOINING | {"age": "row.age"},
            sums=_same(["margin_cents"]),
        ),
        _months(
            "storefront_salesday",
            "storefront_salesmonth",
            keys=_same(["store_id", "channel_id", "link_id"])
            | {"business_date": month_of("row.business_date")},
            sums=_same(SALES_COLUMNS),
        ),
        _months(
            "storefront_metonceday",
            "storefront_metoncemonth",
            keys=_same([*_ORIGIN, "met_link_id"])
            | {
                "business_date": month_of("row.business_date"),
                "joined_on": f"CASE WHEN row.joined_on < '{NEVER}'::date"
                f" THEN {month_of('row.joined_on')} ELSE row.joined_on END",
            },
            sums=_same(COUNTS),
        ),
    ]
)
_VISITORS = f"""
    (abs(hashtext(touch.visitor_id)) %% {LOTS} = {_SAMPLE}
     OR (SELECT count(*) FROM (SELECT FROM campaigns_touch
                               WHERE quality = 'counted' LIMIT {FEW}) few) < {FEW})
    AND NOT EXISTS (SELECT FROM storefront_rollupmark mark
                    WHERE mark.visitor_id = touch.visitor_id)
"""
_SEEN = MEETINGS_SQL.format(
    timezone=f"'{settings.TIME_ZONE}'",
    touch_kinds=f"'{{{','.join(TOUCH_KINDS)}}}'::text[]",
    which=_VISITORS,
)
_ONCE = MET_ONCE_SQL.format(meetings="storefront_meeting meeting")

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
    Check(
        id="I20",
        name="months-are-their-days",
        sql=_MONTHS,
    ),
    Check(
        id="I20",
        name="meetings-are-the-touches",
        sql=f"""
            WITH seen AS ({_SEEN})
            SELECT seen.visitor_id AS visitor, seen.business_date
            FROM seen LEFT JOIN storefront_meeting meeting
                 USING (visitor_id, business_date, met_link_id)
            WHERE meeting.met_first_at IS NULL OR meeting.met_first_at > seen.met_first_at
               OR meeting.met_first_at = seen.met_first_at
                  AND {_differs("seen", "meeting", ["is_clicked", "met_last_at"])}
        """,
    ),
    Check(
        id="I20",
        name="who-met-us-once-is-counted-once",
        sql=f"""
            WITH once AS ({_ONCE})
            SELECT {", ".join(CELL[:2])}, reached
            FROM once FULL JOIN storefront_metonceday counted
                 USING ({", ".join([*CELL, *COUNTS])})
            WHERE (once.business_date IS NULL OR counted.id IS NULL)
              AND NOT EXISTS (SELECT FROM storefront_rollupmark)
            UNION ALL
            SELECT NULL, sole.id, NULL
            FROM ({meetings.STANDING_SQL}) sole JOIN storefront_meeting meeting USING (id)
            WHERE {_differs("sole", "meeting", STANDING)}
              AND NOT EXISTS (SELECT FROM storefront_rollupmark)
        """,
    ),
]
