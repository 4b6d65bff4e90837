"""What partners cost, in money and in kind, day by day. Reads, writes nothing.

Three kinds: `statement` (approved ones, on the last day of their month), `visit` (the goods of what
was on the house, on the business day), and `swap` (deliveries, at their part of the agreed value,
on their day), which is no cash and stays apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

PARTNER_COSTS_SQL = """
    SELECT 'statement' AS kind, deal.id AS deal_id, deal.channel_id, deal.campaign_id,
           NULL::bigint AS store_id,
           (statement.month + interval '1 month' - interval '1 day')::date AS date,
           statement.total_cents AS cash_cents, 0::bigint AS noncash_cents
    FROM campaigns_dealstatement statement
    JOIN campaigns_koldeal deal ON deal.id = statement.deal_id
    WHERE statement.state <> 'draft'
    UNION ALL
    SELECT 'visit', deal.id, deal.channel_id, deal.campaign_id, orders.store_id,
           orders.business_date, goods.cost_cents, 0
    FROM campaigns_kolvisit visit
    JOIN campaigns_koldeal deal ON deal.id = visit.deal_id
    JOIN shop_order orders ON orders.id = visit.order_id AND orders.status <> 'refunded'
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(line.unit_cost_cents * line.quantity), 0)::bigint AS cost_cents
        FROM shop_orderline line WHERE line.order_id = orders.id
    ) goods
    UNION ALL
    SELECT 'swap', NULL, swap.channel_id, swap.campaign_id, NULL,
           delivery.delivered_on, 0, delivery.value_cents
    FROM campaigns_swapdelivery delivery
    JOIN campaigns_resourceswap swap ON swap.id = delivery.swap_id
"""
"""One row per cost; no store: the whole chain's. For reports to join."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartnerCost:
    """What came together for one channel and campaign; cash and kind are never added up."""

    channel: str
    campaign: str | None
    cash_cents: int
    noncash_cents: int


def by_channel(*, since: date, until: date) -> list[PartnerCost]:
    """Return what partners cost on the days in [since, until), by channel and campaign."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_CHANNEL_SQL, {"since": since, "until": until})
        return [
            PartnerCost(channel=channel, campaign=campaign, cash_cents=cash, noncash_cents=noncash)
            for channel, campaign, cash, noncash in cursor.fetchall()
        ]


def of_deal(deal_id: int) -> Mapping[str, Any]:
    """Return what a deal has cost until now: approved statements, and the goods of its visits."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_DEAL_SQL, {"deal": deal_id})
        statements, visits = cursor.fetchone()
    return {"statement_cents": statements, "visit_cents": visits}


_BY_CHANNEL_SQL = f"""
SELECT channel.code, campaign.code, sum(cost.cash_cents)::bigint, sum(cost.noncash_cents)::bigint
FROM ({PARTNER_COSTS_SQL}) cost
JOIN campaigns_channel channel ON channel.id = cost.channel_id
LEFT JOIN campaigns_campaign campaign ON campaign.id = cost.campaign_id
WHERE cost.date >= %(since)s AND cost.date < %(until)s
GROUP BY channel.code, campaign.code
ORDER BY channel.code, campaign.code NULLS FIRST
"""  # noqa: S608 - what is filled in is a constant of this module

_OF_DEAL_SQL = f"""
SELECT COALESCE(sum(cash_cents) FILTER (WHERE kind = 'statement'), 0)::bigint,
       COALESCE(sum(cash_cents) FILTER (WHERE kind = 'visit'), 0)::bigint
FROM ({PARTNER_COSTS_SQL}) cost WHERE deal_id = %(deal)s
"""  # noqa: S608 - what is filled in is a constant of this module
