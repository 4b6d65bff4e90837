"""The loop: what was spent on people, who came, stayed, whom they brought, when it paid back.

docs/metrics.md, “The loop”, says what each number means. Reads, writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from campaigns.attribution import ORGANIC, TOUCH_KINDS
from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import per_person, rate

TOTAL = "total"
SECOND_WITHIN = timedelta(days=30)
LONG_TERM = timedelta(days=90)
LONG_TERM_ORDERS = 4
REPEAT_DAYS = (7, 30, 90)
PER_MILLE = 1000
KEYS = {
    "channel": "channel.code",
    "link": "COALESCE(link.code, '')",
    "campaign": "COALESCE(campaign.code, '')",
    "phase": "COALESCE(campaign.code || '/' || phase.kind, '')",
    "store": "COALESCE(store.code, '')",
    "city": "COALESCE(store.city, '')",
}
"""By what people and money may be told; what names no link, campaign or store has the empty key."""
HOURS = ["hours_to_join", "hours_to_first", "hours_to_second"]
COUNTS = [
    *["cost_cents", "impressions", "platform_clicks", "reached_estimated"],
    *["reached", "clicked", "joined"],
    *["first_order", "second_order", "long_term", "referrer", "friends"],
    *["revenue_cents", "margin_cents", "orders"],
    *[f"{what}_{days}" for days in REPEAT_DAYS for what in ("ripe", "repeated")],
]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopRow:
    """One channel (link, campaign, phase, store, city) of the period's newcomers, until now.

    People: each is in exactly one row, and each stage from `joined` on is a part of the one before,
    but for `referrer`. Money is in fen, net of refunds; margin is less the cost of goods too.
    Quotients are None where there is nothing to divide by. `hours_` are medians.
    `payback_days`: after so many days of membership the margin had covered the cost; None: not yet.
    """

    key: str | None
    cost_cents: int
    impressions: int
    platform_clicks: int
    reached_estimated: int
    reached: int
    clicked: int
    joined: int
    first_order: int
    second_order: int
    long_term: int
    referrer: int
    friends: int
    orders: int
    revenue_cents: int
    margin_cents: int
    cpm_cents: int | None
    cpc_cents: int | None
    ctr: float | None
    click_to_join: float | None
    click_to_buy: float | None
    cac_cents: int | None
    roas: float | None
    roi: float | None
    ltv_cents: int | None
    payback_days: int | None
    repeat_7: float | None
    repeat_30: float | None
    repeat_90: float | None
    hours_to_join: float | None
    hours_to_first: float | None
    hours_to_second: float | None


def build(
    *,
    stores: Sequence[Store],
    since: date,
    until: date,
    now: datetime,
    by: str = "channel",
    is_whole_chain: bool = False,
) -> list[LoopRow]:
    """Return the total and then a row per key, most expensive first.

    Followed are the members who joined at these stores on the business days in [since, until), with
    all that they did anywhere until now; counted is what the stores' links cost on these days and
    whom they met. Links of no store count for the whole chain only.

    Raises:
        KeyError: there is nothing of that name to tell by.
    """
    values = {
        "stores": [store.pk for store in stores],
        "starts": [store.business_day_start(since) for store in stores],
        "ends": [store.business_day_start(until) for store in stores],
        "since": since,
        "until": until,
        "now": now,
        "whole_chain": is_whole_chain,
        "timezone": settings.TIME_ZONE,
        "touch_kinds": [str(kind) for kind in TOUCH_KINDS],
        "organic": ORGANIC,
        "second_within": SECOND_WITHIN,
        "long_term": LONG_TERM,
        "long_term_orders": LONG_TERM_ORDERS,
    }
    people = _PEOPLE_SQL.format(key=KEYS[by])
    found = rows.select(people + _ROWS_SQL, values)
    medians = {row["key"]: row for row in rows.select(people + _HOURS_SQL, values)}
    margins = _margins(rows.select(people + _MARGINS_SQL, values))
    total = {name: sum(row[name] for row in found) for name in COUNTS}
    return [
        _row(TOTAL, total, medians.get(None, {}), _sum(margins.values())),
        *(
            _row(row["key"] or None, row, medians.get(row["key"], {}), margins[row["key"]])
            for row in found
        ),
    ]


def payback(cost_cents: int, margins: Mapping[int, int]) -> int | None:
    """Return after how many days the margin covers the cost; None if it has not yet.

    `margins` are by the day since a member joined, day 0 first. What cost nothing is paid back at
    once.

    >>> payback(1000, {0: 400, 2: 300, 9: 300}), payback(1000, {0: 999}), payback(0, {})
    (9, None, 0)
    """
    if cost_cents <= 0:
        return 0
    covered = 0
    for day, margin in sorted(margins.items()):
        covered += margin
        if covered >= cost_cents:
            return day
    return None


def _row(
    key: str | None,
    counts: Mapping[str, int],
    hours: Mapping[str, float | None],
    margins: Mapping[int, int],
) -> LoopRow:
    cost, margin = counts["cost_cents"], counts["margin_cents"]
    numbers: dict[str, Any] = {
        name: counts[name] for name in COUNTS[: COUNTS.index("margin_cents") + 2]
    }
    numbers |= {
        f"repeat_{d}": rate(counts[f"repeated_{d}"], counts[f"ripe_{d}"]) for d in REPEAT_DAYS
    }
    numbers |= {name: hours.get(name) for name in HOURS}
    return LoopRow(
        key=key,
        cpm_cents=per_person(cost * PER_MILLE, counts["impressions"]),
        cpc_cents=per_person(cost, counts["clicked"]),
        ctr=rate(counts["platform_clicks"], counts["impressions"]),
        click_to_join=rate(counts["joined"], counts["clicked"]),
        click_to_buy=rate(counts["first_order"], counts["clicked"]),
        cac_cents=per_person(cost, counts["first_order"]),
        roas=rate(counts["revenue_cents"], cost),
        roi=rate(margin - cost, cost),
        ltv_cents=margin // counts["first_order"] if counts["first_order"] else None,
        payback_days=payback(cost, margins),
        **numbers,
    )


def _margins(found: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, int]]:
    margins: dict[str, dict[int, int]] = defaultdict(dict)
    for row in found:
        margins[row["key"]][row["day"]] = row["margin_cents"]
    return margins


def _sum(of_keys: Iterable[Mapping[int, int]]) -> dict[int, int]:
    total: dict[int, int] = defaultdict(int)
    for margins in of_keys:
        for day, cents in margins.items():
            total[day] += cents
    return total


# Newcomers and where they came from, visitors of the period's links, what newcomers bought.
# A visitor who joined stands where the member stands; so each person is in one row.
_PEOPLE_SQL = """
WITH period AS (
    SELECT * FROM unnest(
        %(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
    ) AS period (store_id, starts_at, ends_at)
),
links AS (
    SELECT link.id, period.starts_at, period.ends_at
    FROM campaigns_channellink link JOIN period ON period.store_id = link.store_id
    UNION ALL
    SELECT link.id, %(since)s::timestamp AT TIME ZONE %(timezone)s,
           %(until)s::timestamp AT TIME ZONE %(timezone)s
    FROM campaigns_channellink link WHERE link.store_id IS NULL AND %(whole_chain)s
),
newcomers AS (
    SELECT member.id AS member_id, member.joined_at, acquisition.visitor_id, {key} AS key
    FROM shop_member member
    JOIN period ON period.store_id = member.store_id
     AND member.joined_at >= period.starts_at AND member.joined_at < period.ends_at
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
    JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
    JOIN shop_store store ON store.id = member.store_id
    LEFT JOIN campaigns_channellink link ON link.id = acquisition.last_link_id
    LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
    LEFT JOIN campaigns_campaignphase phase ON phase.id = link.phase_id
),
named_links AS (
    SELECT links.id, {key} AS key
    FROM links
    JOIN campaigns_channellink link ON link.id = links.id
    JOIN campaigns_channel channel ON channel.id = link.channel_id
    LEFT JOIN shop_store store ON store.id = link.store_id
    LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
    LEFT JOIN campaigns_campaignphase phase ON phase.id = link.phase_id
),
touched AS (
    SELECT DISTINCT ON (touch.visitor_id) touch.visitor_id, named_links.key,
           touch.kind = ANY(%(touch_kinds)s) AS is_clicked,
           min(touch.occurred_at) OVER (PARTITION BY touch.visitor_id) AS first_at
    FROM campaigns_touch touch
    JOIN links ON links.id = touch.link_id
     AND touch.occurred_at >= links.starts_at AND touch.occurred_at < links.ends_at
     AND touch.quality = 'counted'
    JOIN named_links ON named_links.id = links.id
    ORDER BY touch.visitor_id, touch.kind = ANY(%(touch_kinds)s) DESC,
             touch.occurred_at DESC, touch.id DESC
),
visitors AS (
    SELECT touched.visitor_id, touched.is_clicked, touched.first_at, owner.joined_at,
           COALESCE(owner.key, touched.key) AS key
    FROM touched
    LEFT JOIN LATERAL (
        SELECT newcomers.key, newcomers.joined_at FROM newcomers
        WHERE newcomers.visitor_id = touched.visitor_id
        ORDER BY newcomers.joined_at LIMIT 1
    ) owner ON true
),
bought AS (
    SELECT newcomers.member_id, newcomers.key, newcomers.joined_at, orders.id, orders.paid_at,
           orders.paid_cents - orders.refunded_cents AS net_cents,
           orders.paid_cents - orders.refunded_cents - goods.cost_cents AS margin_cents,
           row_number() OVER person AS nth, first_value(orders.paid_at) OVER person AS first_at
    FROM newcomers
    JOIN shop_order orders ON orders.member_id = newcomers.member_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(line.unit_cost_cents * (line.quantity - line.refunded_quantity)), 0)
                   AS cost_cents
        FROM shop_orderline line WHERE line.order_id = orders.id
    ) goods
    WHERE orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
    WINDOW person AS (PARTITION BY orders.member_id ORDER BY orders.paid_at, orders.id)
),
buyers AS (
    SELECT member_id, min(first_at) AS first_at, min(paid_at) FILTER (WHERE nth = 2) AS second_at,
           count(*) AS orders, sum(net_cents) AS revenue_cents, sum(margin_cents) AS margin_cents,
           count(*) FILTER (WHERE paid_at < first_at + %(long_term)s::interval) AS early_orders
    FROM bought GROUP BY member_id
),
people AS (
    SELECT newcomers.key, newcomers.member_id, newcomers.joined_at, buyers.first_at,
           buyers.second_at, COALESCE(buyers.orders, 0) AS orders,
           COALESCE(buyers.revenue_cents, 0) AS revenue_cents,
           COALESCE(buyers.margin_cents, 0) AS margin_cents,
           COALESCE(buyers.second_at <= buyers.first_at + %(second_within)s::interval, false)
               AS has_second,
           buyers.early_orders >= %(long_term_orders)s OR tier.level >= 2 AS is_regular,
           (SELECT count(*) FROM campaigns_referral referral
            WHERE referral.referrer_id = newcomers.member_id AND referral.status = 'qualified')
               AS friends
    FROM newcomers
    LEFT JOIN buyers ON buyers.member_id = newcomers.member_id
    LEFT JOIN loyalty_membership membership ON membership.member_id = newcomers.member_id
    LEFT JOIN loyalty_tier tier ON tier.id = membership.tier_id
)
"""

_RIPE = ",\n           ".join(
    f"""count(*) FILTER (WHERE is_ripe_{days}) AS ripe_{days},
           count(*) FILTER (
               WHERE is_ripe_{days} AND second_at <= first_at + interval '{days} days'
           ) AS repeated_{days}"""
    for days in REPEAT_DAYS
)
_IS_RIPE = ", ".join(
    f"first_at <= %(now)s::timestamptz - interval '{days} days' AS is_ripe_{days}"
    for days in REPEAT_DAYS
)
_NAMES = ", ".join(COUNTS)
_SUMS = ", ".join(f"COALESCE(sum({name}), 0)::bigint AS {name}" for name in COUNTS)

_ROWS_SQL = f""",
spent AS (
    SELECT named_links.key, sum(cost.cost_cents) AS cost_cents,
           sum(cost.impressions) AS impressions, sum(cost.clicks) AS platform_clicks,
           sum(cost.estimated_reach) AS reached_estimated
    FROM campaigns_dailycost cost JOIN named_links ON named_links.id = cost.link_id
    WHERE cost.date >= %(since)s AND cost.date < %(until)s
    GROUP BY named_links.key
),
met AS (
    SELECT key, count(*) AS reached, count(*) FILTER (WHERE is_clicked) AS clicked
    FROM visitors GROUP BY key
),
came AS (
    SELECT key, count(*) AS joined, count(first_at) AS first_order,
           count(*) FILTER (WHERE has_second) AS second_order,
           count(*) FILTER (WHERE has_second AND is_regular) AS long_term,
           count(*) FILTER (WHERE first_at IS NOT NULL AND friends > 0) AS referrer,
           sum(friends) AS friends, sum(orders) AS orders, sum(revenue_cents) AS revenue_cents,
           sum(margin_cents) AS margin_cents,
           {_RIPE}
    FROM (SELECT *, {_IS_RIPE} FROM people) people GROUP BY key
),
parts AS (
    SELECT key, {_NAMES}
    FROM spent FULL JOIN met USING (key) FULL JOIN came USING (key)
)
SELECT key, {_SUMS}
FROM parts GROUP BY key
ORDER BY cost_cents DESC, revenue_cents DESC, key
"""

_HOURS_SQL = """,
gaps AS (
    SELECT key, extract(epoch FROM joined_at - first_at) / 3600 AS hours_to_join,
           NULL::float8 AS hours_to_first, NULL::float8 AS hours_to_second
    FROM visitors WHERE joined_at >= first_at
    UNION ALL
    SELECT key, NULL, extract(epoch FROM first_at - joined_at) / 3600,
           CASE WHEN has_second THEN extract(epoch FROM second_at - first_at) / 3600 END
    FROM people WHERE first_at IS NOT NULL
)
SELECT key,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_join)::numeric, 1)::float8
           AS hours_to_join,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_first)::numeric, 1)::float8
           AS hours_to_first,
       round(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_second)::numeric, 1)::float8
           AS hours_to_second
FROM gaps GROUP BY GROUPING SETS ((key), ())
"""

_MARGINS_SQL = """
SELECT key, floor(extract(epoch FROM paid_at - joined_at) / 86400)::int AS day,
       sum(margin_cents)::bigint AS margin_cents
FROM bought GROUP BY 1, 2
"""
