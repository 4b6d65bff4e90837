"""What each channel cost in a period, and what came of it. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import per_person, rate


@dataclass(frozen=True, kw_only=True, slots=True)
class ChannelRow:
    """One channel in the period.

    `impressions` and `clicks` are the platform's word (daily costs); `touches` are our own count.
    `joined` and `first_buyers` are credited as docs/metrics.md says; `revenue_cents` is net of
    refunds. `cpc_cents`, `cac_cents` and `roas` are None where there is nothing to divide by.
    """

    channel: str
    name_zh: str
    name_en: str
    cost_cents: int
    impressions: int
    clicks: int
    touches: int
    joined: int
    first_buyers: int
    revenue_cents: int
    cpc_cents: int | None
    cac_cents: int | None
    roas: float | None


def build(
    *, stores: Sequence[Store], since: date, until: date, is_whole_chain: bool = False
) -> list[ChannelRow]:
    """Return a row per channel, most expensive first, for the business days in [since, until).

    Counted are links, members and orders of these stores; links of no store count for the whole
    chain only. Of touches that were dropped, the totals kept count.
    """
    values = {
        "stores": [store.pk for store in stores],
        "starts": [store.business_day_start(since) for store in stores],
        "ends": [store.business_day_start(until) for store in stores],
        "since": since,
        "until": until,
        "whole_chain": is_whole_chain,
        "timezone": settings.TIME_ZONE,
    }
    return [_row(row) for row in rows.select(_CHANNELS_SQL, values)]


def _row(row: dict[str, Any]) -> ChannelRow:
    cost = row["cost_cents"]
    return ChannelRow(
        **row,
        cpc_cents=per_person(cost, row["clicks"]),
        cac_cents=per_person(cost, row["first_buyers"]),
        roas=rate(row["revenue_cents"], cost),
    )


# `period` has a row per store; links of no store go by calendar days of the chain's time zone.
_CHANNELS_SQL = """
WITH period AS (
    SELECT * FROM unnest(
        %(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
    ) AS period (store_id, starts_at, ends_at)
),
links AS (
    SELECT link.id, link.channel_id, period.starts_at, period.ends_at
    FROM campaigns_channellink link JOIN period ON period.store_id = link.store_id
    UNION ALL
    SELECT link.id, link.channel_id, %(since)s::timestamp AT TIME ZONE %(timezone)s,
           %(until)s::timestamp AT TIME ZONE %(timezone)s
    FROM campaigns_channellink link WHERE link.store_id IS NULL AND %(whole_chain)s
),
parts (channel_id, cost_cents, impressions, clicks, touches, joined, first_buyers, revenue_cents)
AS (
    SELECT links.channel_id, sum(cost.cost_cents), sum(cost.impressions), sum(cost.clicks),
           0, 0, 0, 0
    FROM campaigns_dailycost cost JOIN links ON links.id = cost.link_id
    WHERE cost.date >= %(since)s AND cost.date < %(until)s
    GROUP BY links.channel_id
    UNION ALL
    SELECT links.channel_id, 0, 0, 0, count(*), 0, 0, 0
    FROM campaigns_touch touch JOIN links ON links.id = touch.link_id
    WHERE touch.occurred_at >= links.starts_at AND touch.occurred_at < links.ends_at
      AND touch.quality = 'counted'
    GROUP BY links.channel_id
    UNION ALL
    SELECT links.channel_id, 0, 0, 0, sum(total.touches), 0, 0, 0
    FROM campaigns_touchtotal total JOIN links ON links.id = total.link_id
    WHERE total.date >= %(since)s AND total.date < %(until)s
    GROUP BY links.channel_id
    UNION ALL
    SELECT conversion.channel_id, 0, 0, 0, 0,
           count(*) FILTER (WHERE conversion.kind = 'registration'), 0,
           sum(conversion.amount_cents)
    FROM campaigns_conversion conversion
    JOIN shop_member member ON member.id = conversion.member_id
    LEFT JOIN shop_order orders ON orders.id = conversion.order_id
    JOIN period ON period.store_id = COALESCE(orders.store_id, member.store_id)
    WHERE conversion.occurred_at >= period.starts_at AND conversion.occurred_at < period.ends_at
    GROUP BY conversion.channel_id
    UNION ALL
    SELECT conversion.channel_id, 0, 0, 0, 0, 0, count(*), 0
    FROM loyalty_visit visit
    JOIN period ON period.store_id = visit.store_id
    JOIN campaigns_conversion conversion
         ON conversion.order_id = visit.order_id AND conversion.kind = 'order'
    WHERE visit.visited_at >= period.starts_at AND visit.visited_at < period.ends_at
      AND visit.reversed_at IS NULL
      AND NOT EXISTS (
          SELECT FROM loyalty_visit earlier
          WHERE earlier.member_id = visit.member_id AND earlier.reversed_at IS NULL
            AND (earlier.visited_at, earlier.order_id) < (visit.visited_at, visit.order_id))
    GROUP BY conversion.channel_id
    UNION ALL
    SELECT id, 0, 0, 0, 0, 0, 0, 0 FROM campaigns_channel
)
SELECT channel.code AS channel, channel.name_zh, channel.name_en,
       sum(parts.cost_cents)::bigint AS cost_cents, sum(parts.impressions)::bigint AS impressions,
       sum(parts.clicks)::bigint AS clicks, sum(parts.touches)::bigint AS touches,
       sum(parts.joined)::bigint AS joined, sum(parts.first_buyers)::bigint AS first_buyers,
       sum(parts.revenue_cents)::bigint AS revenue_cents
FROM parts JOIN campaigns_channel channel ON channel.id = parts.channel_id
GROUP BY channel.id, channel.code, channel.name_zh, channel.name_en
ORDER BY sum(parts.cost_cents) DESC, sum(parts.revenue_cents) DESC, channel.id
"""
