"""The same numbers as reports give, counted from the facts: slow, and sure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shop.storefront.reports import rows
from shop.storefront.reports.channel_ranking import Ranking
from shop.storefront.reports.dimensions import BUCKET
from shop.storefront.reports.economics import EconomicsRow
from shop.storefront.reports.loop import LoopRow
from shop.storefront.reports.newcomers import payback
from shop.storefront.reports.scopes import Scope


class NumbersDiffer(Exception):
    """The roll-ups do not say what the facts say: a speed of that means nothing."""


def same_loop(got: Sequence[LoopRow], scope: Scope) -> None:
    """Count the loop from members, orders and touches, and hold it against the report.

    Raises:
        NumbersDiffer
    """
    _same_visitors(got, scope)
    rows = _raw(_LOOP, scope)
    ours = {
        row.key: [getattr(row, name) for name in _LOOP_NAMES]
        for row in got
        if row.key != "total" and row.joined
    }
    theirs = {row["key"]: [row[name] for name in _LOOP_NAMES] for row in rows}
    _ensure_same(ours, theirs)
    margins: dict[str, dict[int, int]] = {}
    for row in _raw(_AGES, scope):
        margins.setdefault(row["key"], {})[row["age"]] = row["margin_cents"]
    _ensure_same(
        {row.key: row.payback_days for row in got if row.key != "total"},
        {
            row.key: payback(row.cost_cents, margins.get(row.key or "", {}))
            for row in got
            if row.key != "total"
        },
    )


def same_sales(got: Sequence[EconomicsRow], scope: Scope) -> None:
    """Count sales and visitors by period from the facts, and hold them against the report.

    Raises:
        NumbersDiffer
    """
    _same_visitors(got, scope)
    names = ["orders", "revenue_cents", "margin_cents", "new_buyers"]
    ours = {
        (row.starts_on, row.key): [getattr(row, name) for name in names]
        for row in got
        if row.key != "total" and row.orders
    }
    theirs = {
        (row["starts_on"], row["key"]): [row[name] for name in names]
        for row in _raw(_SALES, scope)
        if row["orders"]
    }
    _ensure_same(ours, theirs)


def same_buyers(got: Ranking, scope: Scope) -> None:
    """Count new buyers from the orders, and hold them against the ranking.

    Raises:
        NumbersDiffer
    """
    theirs: dict[str, int] = {}
    for row in _raw(_SALES, scope):
        theirs[row["key"]] = theirs.get(row["key"], 0) + row["new_buyers"]
    _ensure_same(
        {row.history.key: row.history.buyers for row in got.rows},
        {row.history.key: theirs.get(row.history.key, 0) for row in got.rows},
    )


def _same_visitors(got: Sequence[LoopRow | EconomicsRow], scope: Scope) -> None:
    ours = {
        (row.key, getattr(row, "starts_on", None)): (row.reached, row.clicked)
        for row in got
        if row.key != "total" and row.reached
    }
    sql = _VISITORS.format(bucket=BUCKET[scope.every].format(day="met_on"))
    theirs = {
        (row["key"], row["starts_on"]): (row["reached"], row["clicked"]) for row in _raw(sql, scope)
    }
    _ensure_same(ours, theirs)


def _ensure_same(ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> None:
    if ours != theirs:
        wrong = {key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}
        examples = {key: (ours.get(key), theirs.get(key)) for key in list(wrong)[:3]}
        raise NumbersDiffer(f"{len(wrong)} differ: {examples}")


def _raw(sql: str, scope: Scope) -> list[dict[str, Any]]:
    return rows.select(sql, scope.values())


_LOOP_NAMES = [
    *["joined", "first_order", "second_order", "long_term", "referrer", "friends", "orders"],
    *["revenue_cents", "margin_cents"],
]

_NEWCOMERS = """
newcomers AS (
    SELECT member.id, member.joined_at, channel.code AS key,
           ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS joined_on
    FROM shop_member member
    JOIN shop_store store ON store.id = member.store_id
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
    JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
    WHERE ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
          BETWEEN %(since)s AND %(until)s::date - 1
      AND member.store_id = ANY(%(stores)s)
)
"""
_BOUGHT = """
bought AS (
    SELECT newcomers.id AS member_id, newcomers.key, orders.paid_at,
           orders.business_date - newcomers.joined_on AS age,
           orders.paid_cents - orders.refunded_cents AS net_cents,
           orders.paid_cents - orders.refunded_cents
               - line.unit_cost_cents * (line.quantity - line.refunded_quantity) AS margin_cents,
           row_number() OVER person AS nth, first_value(orders.paid_at) OVER person AS first_at
    FROM newcomers
    JOIN shop_order orders ON orders.member_id = newcomers.id
    JOIN shop_orderline line ON line.order_id = orders.id
    WHERE orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
    WINDOW person AS (PARTITION BY orders.member_id ORDER BY orders.paid_at, orders.id)
)
"""

_LOOP = f"""
WITH {_NEWCOMERS}, {_BOUGHT},
people AS (
    SELECT newcomers.id, newcomers.key, count(bought.member_id) AS orders,
           COALESCE(sum(net_cents), 0) AS revenue_cents,
           COALESCE(sum(margin_cents), 0) AS margin_cents,
           COALESCE(bool_or(nth = 2 AND paid_at <= first_at + interval '30 days'), false) AS again,
           count(*) FILTER (WHERE paid_at < first_at + interval '90 days') >= 4
               OR max(tier.level) >= 2 AS regular,
           (SELECT count(*) FROM campaigns_referral referral
            WHERE referral.referrer_id = newcomers.id AND referral.status = 'qualified') AS friends
    FROM newcomers
    LEFT JOIN bought ON bought.member_id = newcomers.id
    JOIN loyalty_membership membership ON membership.member_id = newcomers.id
    JOIN loyalty_tier tier ON tier.id = membership.tier_id
    GROUP BY newcomers.id, newcomers.key
)
SELECT key, count(*) AS joined, count(*) FILTER (WHERE orders > 0) AS first_order,
       count(*) FILTER (WHERE again) AS second_order,
       count(*) FILTER (WHERE again AND regular) AS long_term,
       count(*) FILTER (WHERE orders > 0 AND friends > 0) AS referrer,
       sum(friends)::bigint AS friends, sum(orders)::bigint AS orders,
       sum(revenue_cents)::bigint AS revenue_cents, sum(margin_cents)::bigint AS margin_cents
FROM people GROUP BY key
"""

_AGES = f"""
WITH {_NEWCOMERS}, {_BOUGHT}
SELECT key, age, sum(margin_cents)::bigint AS margin_cents FROM bought GROUP BY 1, 2
"""

_SALES = """
WITH firsts AS (
    SELECT DISTINCT ON (member_id) id FROM shop_order
    WHERE paid_at IS NOT NULL AND status <> 'refunded' ORDER BY member_id, paid_at, id
),
part AS (
    SELECT conversion.channel_id, date_trunc('month', orders.business_date)::date AS starts_on,
           1 AS orders, orders.paid_cents AS revenue_cents,
           orders.paid_cents - line.unit_cost_cents * line.quantity AS margin_cents,
           CASE WHEN firsts.id IS NULL THEN 0 ELSE 1 END AS new_buyers
    FROM shop_order orders
    JOIN shop_orderline line ON line.order_id = orders.id
    JOIN campaigns_conversion conversion
         ON conversion.order_id = orders.id AND conversion.kind = 'order'
    LEFT JOIN firsts ON firsts.id = orders.id
    WHERE orders.business_date >= %(since)s AND orders.business_date < %(until)s
      AND orders.store_id = ANY(%(stores)s)
    UNION ALL
    SELECT conversion.channel_id,
           date_trunc('month', (refund.refunded_at AT TIME ZONE 'Asia/Shanghai')
                               - interval '5 hours')::date,
           0, -refund.amount_cents, line.unit_cost_cents * line.quantity - refund.amount_cents, 0
    FROM shop_refund refund
    JOIN shop_orderline line ON line.order_id = refund.order_id
    JOIN campaigns_conversion conversion
         ON conversion.order_id = refund.order_id AND conversion.kind = 'order'
    WHERE ((refund.refunded_at AT TIME ZONE 'Asia/Shanghai') - interval '5 hours')::date
          BETWEEN %(since)s AND %(until)s::date - 1
)
SELECT channel.code AS key, part.starts_on, sum(part.orders)::bigint AS orders,
       sum(part.revenue_cents)::bigint AS revenue_cents,
       sum(part.margin_cents)::bigint AS margin_cents, sum(part.new_buyers)::bigint AS new_buyers
FROM part JOIN campaigns_channel channel ON channel.id = part.channel_id
GROUP BY 1, 2
"""

_VISITORS = """
WITH seen AS (
    SELECT touch.visitor_id, channel.code AS key, touch.occurred_at,
           touch.kind = 'click' AS clicked,
           ((touch.occurred_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS met_on
    FROM campaigns_touch touch
    JOIN campaigns_channellink link ON link.id = touch.link_id
    JOIN campaigns_channel channel ON channel.id = link.channel_id
    JOIN shop_store store ON store.id = link.store_id
    WHERE touch.quality = 'counted'
),
last AS (
    SELECT DISTINCT ON (visitor_id, {bucket}) visitor_id, {bucket} AS starts_on, key, clicked
    FROM seen WHERE met_on >= %(since)s AND met_on < %(until)s
    ORDER BY visitor_id, {bucket}, clicked DESC, occurred_at DESC
),
joined AS (
    SELECT acquisition.visitor_id, channel.code AS key
    FROM campaigns_acquisition acquisition
    JOIN shop_member member ON member.id = acquisition.member_id
    JOIN shop_store store ON store.id = member.store_id
    JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
    WHERE ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
          BETWEEN %(since)s AND %(until)s::date - 1
)
SELECT COALESCE(joined.key, last.key) AS key, last.starts_on, count(*) AS reached,
       count(*) FILTER (WHERE last.clicked) AS clicked
FROM last LEFT JOIN joined USING (visitor_id)
GROUP BY 1, 2
"""
