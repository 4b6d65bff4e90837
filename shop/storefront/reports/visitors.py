"""Who met our links in a period, and clicked. Reads, writes nothing.

A visitor who joined in the period stands where the member stands; any other where their last click,
scan or visit was, without one their last impression. So each person is in one row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from campaigns.attribution import TOUCH_KINDS
from shop.storefront.reports import rows
from shop.storefront.reports.dimensions import BUCKET, KEYS, LINKS, NAMED
from shop.storefront.reports.scopes import Scope
from shop.storefront.reports.spending import Place, place


@dataclass(frozen=True, kw_only=True, slots=True)
class Visitors:
    """`reached` and `clicked`, and the seconds from first met to joined: by place, and of all."""

    by_place: Mapping[Place, Mapping[str, Any]]
    total: Mapping[str, Any]


def build(scope: Scope) -> Visitors:
    """Return who met us.

    With periods, a visitor counts in each in which they met us.
    """
    values = {
        **scope.values(),
        "starts": [store.business_day_start(scope.since) for store in scope.stores],
        "ends": [store.business_day_start(scope.until) for store in scope.stores],
        "timezone": settings.TIME_ZONE,
        "touch_kinds": [str(kind) for kind in TOUCH_KINDS],
    }
    day = "(touch.occurred_at AT TIME ZONE %(timezone)s)::date"
    sql = _VISITORS_SQL.format(
        links=LINKS.format(key=KEYS[scope.by]),
        key=KEYS[scope.by],
        named=NAMED.format(row="member"),
        bucket=BUCKET[scope.every].format(day=day),
    )
    found = rows.select(sql, values)
    return Visitors(
        by_place={place(row): row for row in found if row["key"] is not None},
        total=next((row for row in found if row["key"] is None), {}),
    )


# Newcomers are found by their visitor id: only visitors of the period are looked up.
_VISITORS_SQL = """
WITH {links},
period AS (
    SELECT links.link_id, links.key,
           COALESCE(store.starts_at, %(since)s::timestamp AT TIME ZONE %(timezone)s) AS starts_at,
           COALESCE(store.ends_at, %(until)s::timestamp AT TIME ZONE %(timezone)s) AS ends_at
    FROM links
    LEFT JOIN unnest(%(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
         AS store (store_id, starts_at, ends_at) ON store.store_id = links.store_id
),
touched AS (
    SELECT DISTINCT ON (touch.visitor_id, {bucket}) touch.visitor_id, period.key,
           {bucket} AS starts_on, touch.kind = ANY(%(touch_kinds)s) AS is_clicked,
           min(touch.occurred_at) OVER (PARTITION BY touch.visitor_id, {bucket}) AS first_at
    FROM period
    JOIN campaigns_touch touch ON touch.link_id = period.link_id
     AND touch.occurred_at >= period.starts_at AND touch.occurred_at < period.ends_at
     AND touch.quality = 'counted'
    ORDER BY touch.visitor_id, {bucket}, touch.kind = ANY(%(touch_kinds)s) DESC,
             touch.occurred_at DESC, touch.id DESC
),
owners AS (
    SELECT DISTINCT ON (acquisition.visitor_id) acquisition.visitor_id, acquisition.acquired_at,
           {key} AS key
    FROM storefront_memberrollup member
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.member_id
    {named}
    WHERE member.joined_on >= %(since)s AND member.joined_on < %(until)s
      AND member.store_id = ANY(%(stores)s) AND acquisition.visitor_id <> ''
    ORDER BY acquisition.visitor_id, acquisition.acquired_at
),
visitors AS (
    SELECT COALESCE(owners.key, touched.key) AS key, touched.starts_on, touched.is_clicked,
           CASE WHEN owners.acquired_at >= touched.first_at
                THEN extract(epoch FROM owners.acquired_at - touched.first_at) END AS seconds
    FROM touched LEFT JOIN owners ON owners.visitor_id = touched.visitor_id
)
SELECT key, starts_on, count(*) AS reached, count(*) FILTER (WHERE is_clicked) AS clicked,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds))::float8 AS seconds_to_join,
       avg(seconds)::float8 AS mean_seconds_to_join
FROM visitors
GROUP BY GROUPING SETS ((key, starts_on), ())
"""
