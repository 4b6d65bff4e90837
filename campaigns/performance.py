"""What a campaign sold and cost, in all and by day. Reads, writes nothing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.hours import timezone_of
from campaigns.models import Campaign
from shop.kernel.money import Cents

MOST_DAYS = 92


@dataclass(frozen=True, kw_only=True, slots=True)
class Performance:
    """What came of a campaign. Sales are net of refunds; each order counts once in `sales_cents`.

    `attributed` orders are credited to its links, `carrying` ones used one of its offers: coupons
    and promotions that name the campaign, or that one of its phases unlocks.
    """

    cost_cents: Cents
    reached: int
    joined: int
    first_orders: int
    attributed_orders: int
    attributed_sales_cents: Cents
    carrying_orders: int
    carrying_sales_cents: Cents
    orders: int
    sales_cents: Cents
    discount_cents: Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One day on the wall of the stores."""

    date: date
    cost_cents: Cents
    joined: int
    sales_cents: Cents


def measure(campaign: Campaign) -> Performance:
    """Return what a campaign has brought so far."""
    (row,) = _select(_PERFORMANCE_SQL, {"campaign": campaign.pk})
    return Performance(**row)


def by_day(campaign: Campaign, *, now: datetime) -> list[Day]:
    """Return the days of a campaign so far, the last ninety-two of more, empty ones too."""
    until = min(now, campaign.ends_at or now)
    since = max(campaign.starts_at, until - timedelta(days=MOST_DAYS))
    values = {
        "campaign": campaign.pk,
        "since": since,
        "until": until,
        "timezone": timezone_of(campaign),
    }
    return [Day(**row) for row in _select(_DAYS_SQL, values)]


def _select(sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_PERFORMANCE_SQL = """
WITH links AS (SELECT id FROM campaigns_channellink WHERE campaign_id = %(campaign)s),
definitions AS (
    SELECT id FROM campaigns_coupondefinition WHERE campaign_id = %(campaign)s
    UNION
    SELECT unlocked.coupondefinition_id
    FROM campaigns_campaignphase_coupon_definitions unlocked
    JOIN campaigns_campaignphase phase ON phase.id = unlocked.campaignphase_id
    WHERE phase.campaign_id = %(campaign)s
),
promotions AS (
    SELECT id FROM campaigns_promotion WHERE campaign_id = %(campaign)s
    UNION
    SELECT unlocked.promotion_id
    FROM campaigns_campaignphase_promotions unlocked
    JOIN campaigns_campaignphase phase ON phase.id = unlocked.campaignphase_id
    WHERE phase.campaign_id = %(campaign)s
),
used AS (
    SELECT redemption.order_id, redemption.discount_cents
    FROM campaigns_couponredemption redemption
    JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
    WHERE coupon.definition_id IN (SELECT id FROM definitions) AND redemption.released_at IS NULL
    UNION ALL
    SELECT used.order_id, used.discount_cents FROM campaigns_promotionuse used
    WHERE used.promotion_id IN (SELECT id FROM promotions) AND used.released_at IS NULL
),
orders AS (
    SELECT found.order_id, bool_or(found.is_credited) AS is_credited,
           bool_or(NOT found.is_credited) AS is_carrying
    FROM (
        SELECT order_id, true AS is_credited FROM campaigns_conversion
        WHERE kind = 'order' AND link_id IN (SELECT id FROM links)
        UNION ALL
        SELECT order_id, false FROM used
    ) found
    GROUP BY found.order_id
),
sold AS (
    SELECT count(*) AS orders, sum(net) AS sales,
           count(*) FILTER (WHERE is_credited) AS attributed_orders,
           sum(net) FILTER (WHERE is_credited) AS attributed_sales,
           count(*) FILTER (WHERE is_carrying) AS carrying_orders,
           sum(net) FILTER (WHERE is_carrying) AS carrying_sales
    FROM (
        SELECT orders.*, bought.paid_cents - bought.refunded_cents AS net
        FROM orders JOIN shop_order bought ON bought.id = orders.order_id
        WHERE bought.paid_at IS NOT NULL AND bought.status <> 'refunded'
    ) counted
)
SELECT (SELECT COALESCE(sum(cost_cents), 0)::bigint FROM campaigns_dailycost
        WHERE link_id IN (SELECT id FROM links)) AS cost_cents,
       (SELECT count(DISTINCT visitor_id) FROM campaigns_touch
        WHERE link_id IN (SELECT id FROM links) AND quality = 'counted') AS reached,
       (SELECT count(*) FROM campaigns_conversion
        WHERE kind = 'registration' AND link_id IN (SELECT id FROM links)) AS joined,
       (SELECT count(*) FROM campaigns_conversion
        WHERE kind = 'first_order' AND link_id IN (SELECT id FROM links)) AS first_orders,
       attributed_orders, COALESCE(attributed_sales, 0)::bigint AS attributed_sales_cents,
       carrying_orders, COALESCE(carrying_sales, 0)::bigint AS carrying_sales_cents,
       orders, COALESCE(sales, 0)::bigint AS sales_cents,
       (SELECT COALESCE(sum(discount_cents), 0)::bigint FROM used) AS discount_cents
FROM sold
"""
_DAYS_SQL = """
WITH days AS (
    SELECT day::date AS date FROM generate_series(
        (%(since)s::timestamptz AT TIME ZONE %(timezone)s)::date,
        (%(until)s::timestamptz AT TIME ZONE %(timezone)s)::date, interval '1 day'
    ) AS day
),
links AS (SELECT id FROM campaigns_channellink WHERE campaign_id = %(campaign)s),
spent AS (
    SELECT date, sum(cost_cents)::bigint AS cents FROM campaigns_dailycost
    WHERE link_id IN (SELECT id FROM links) GROUP BY date
),
came AS (
    SELECT (occurred_at AT TIME ZONE %(timezone)s)::date AS date,
           count(*) FILTER (WHERE kind = 'registration') AS joined,
           COALESCE(sum(amount_cents) FILTER (WHERE kind IN ('order', 'refund')), 0)::bigint
               AS cents
    FROM campaigns_conversion WHERE link_id IN (SELECT id FROM links) GROUP BY 1
)
SELECT days.date, COALESCE(spent.cents, 0) AS cost_cents, COALESCE(came.joined, 0) AS joined,
       COALESCE(came.cents, 0) AS sales_cents
FROM days LEFT JOIN spent USING (date) LEFT JOIN came USING (date)
ORDER BY days.date
"""
