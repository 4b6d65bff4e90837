"""What ad platforms claim beside what we know, and what they were told. Reads, writes nothing.

Claims are shown, never added to anything of ours: two platforms often claim the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import rate

AGAINST = ["registrations", "first_orders", "orders"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimRow:
    """One link in the period: the platform's word on the left, ours on the right.

    People are three numbers that are never added up: what the platform estimates, visitors whom
    nobody knows, and members whom we have met by the link. `revenue_cents` is net of refunds.
    Ratios are claimed per ours; None where we have none.
    """

    link: str
    label: str
    channel: str
    cost_cents: int
    claimed_clicks: int
    claimed_conversions: int | None
    claimed_value_cents: int | None
    estimated_reach: int
    touches: int
    anonymous_visitors: int
    identified_members: int
    registrations: int
    first_orders: int
    orders: int
    revenue_cents: int
    conversions_ratio: float | None
    value_ratio: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadRow:
    """The results of one day that one platform is told, by how far that is."""

    date: date
    platform: str
    event: str
    waiting: int
    sent: int
    refused: int
    withdrawn: int
    dead: int
    sent_value_cents: int


def claims(
    *, stores: Sequence[Store], since: date, until: date, is_whole_chain: bool, against: str
) -> list[ClaimRow]:
    """Return a row per link with costs in [since, until), the most expensive first.

    `against` names which of our figures claimed conversions are compared with.
    """
    found = rows.select(_CLAIMS_SQL, _values(stores, since, until, is_whole_chain=is_whole_chain))
    return [
        ClaimRow(
            **row,
            conversions_ratio=_ratio(row["claimed_conversions"], row[against]),
            value_ratio=_ratio(row["claimed_value_cents"], row["revenue_cents"]),
        )
        for row in found
    ]


def uploads(
    *, stores: Sequence[Store], since: date, until: date, is_whole_chain: bool
) -> list[UploadRow]:
    """Return a row per day, platform and event in [since, until), of these stores' links."""
    values = _values(stores, since, until, is_whole_chain=is_whole_chain)
    return [UploadRow(**row) for row in rows.select(_UPLOADS_SQL, values)]


def _ratio(claimed: int | None, ours: int) -> float | None:
    return None if claimed is None else rate(claimed, ours)


def _values(
    stores: Sequence[Store], since: date, until: date, *, is_whole_chain: bool
) -> dict[str, Any]:
    return {
        "stores": [store.pk for store in stores],
        "starts": [store.business_day_start(since) for store in stores],
        "ends": [store.business_day_start(until) for store in stores],
        "since": since,
        "until": until,
        "whole_chain": is_whole_chain,
        "timezone": settings.TIME_ZONE,
    }


_LINKS_SQL = """
WITH period AS (
    SELECT * FROM unnest(
        %(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
    ) AS period (store_id, starts_at, ends_at)
),
links AS (
    SELECT link.id, link.code, link.label, link.channel_id, period.starts_at, period.ends_at
    FROM campaigns_channellink link JOIN period ON period.store_id = link.store_id
    UNION ALL
    SELECT link.id, link.code, link.label, link.channel_id,
           %(since)s::timestamp AT TIME ZONE %(timezone)s,
           %(until)s::timestamp AT TIME ZONE %(timezone)s
    FROM campaigns_channellink link WHERE link.store_id IS NULL AND %(whole_chain)s
)"""

_CLAIMS_SQL = f"""
{_LINKS_SQL},
claimed AS (
    SELECT cost.link_id, sum(cost.cost_cents)::bigint AS cost_cents,
           sum(cost.clicks)::bigint AS claimed_clicks,
           sum(cost.claimed_conversions)::bigint AS claimed_conversions,
           sum(cost.claimed_value_cents)::bigint AS claimed_value_cents,
           sum(cost.estimated_reach)::bigint AS estimated_reach
    FROM campaigns_dailycost cost JOIN links ON links.id = cost.link_id
    WHERE cost.date >= %(since)s AND cost.date < %(until)s
    GROUP BY cost.link_id
),
touched AS (
    SELECT link_id, sum(touches)::bigint AS touches
    FROM (
        SELECT touch.link_id, 1 AS touches
        FROM campaigns_touch touch
        JOIN links ON links.id = touch.link_id
             AND touch.occurred_at >= links.starts_at AND touch.occurred_at < links.ends_at
        WHERE touch.link_id IN (SELECT link_id FROM claimed) AND touch.quality = 'counted'
        UNION ALL
        SELECT total.link_id, total.touches FROM campaigns_touchtotal total
        WHERE total.link_id IN (SELECT link_id FROM claimed)
          AND total.date >= %(since)s AND total.date < %(until)s
    ) touch
    GROUP BY link_id
),
met AS (
    SELECT meeting.met_link_id AS link_id,
           count(DISTINCT meeting.visitor_id) FILTER (WHERE acquisition.member_id IS NULL)
               AS anonymous_visitors,
           count(DISTINCT acquisition.member_id) AS identified_members
    FROM storefront_meeting meeting
    LEFT JOIN campaigns_acquisition acquisition
         ON acquisition.visitor_id = meeting.visitor_id AND acquisition.visitor_id <> ''
    WHERE meeting.met_link_id IN (SELECT link_id FROM claimed)
      AND meeting.business_date >= %(since)s AND meeting.business_date < %(until)s
    GROUP BY meeting.met_link_id
),
ours AS (
    SELECT conversion.link_id,
           count(*) FILTER (WHERE conversion.kind = 'registration') AS registrations,
           count(*) FILTER (WHERE conversion.kind = 'first_order') AS first_orders,
           count(*) FILTER (WHERE conversion.kind = 'order') AS orders,
           sum(conversion.amount_cents)::bigint AS revenue_cents
    FROM campaigns_conversion conversion
    JOIN links ON links.id = conversion.link_id
         AND conversion.occurred_at >= links.starts_at AND conversion.occurred_at < links.ends_at
    WHERE conversion.link_id IN (SELECT link_id FROM claimed)
    GROUP BY conversion.link_id
)
SELECT links.code AS link, links.label, channel.code AS channel, claimed.cost_cents,
       claimed.claimed_clicks, claimed.claimed_conversions, claimed.claimed_value_cents,
       claimed.estimated_reach,
       COALESCE(touched.touches, 0) AS touches,
       COALESCE(met.anonymous_visitors, 0) AS anonymous_visitors,
       COALESCE(met.identified_members, 0) AS identified_members,
       COALESCE(ours.registrations, 0) AS registrations,
       COALESCE(ours.first_orders, 0) AS first_orders,
       COALESCE(ours.orders, 0) AS orders,
       COALESCE(ours.revenue_cents, 0) AS revenue_cents
FROM claimed
JOIN links ON links.id = claimed.link_id
JOIN campaigns_channel channel ON channel.id = links.channel_id
LEFT JOIN touched ON touched.link_id = claimed.link_id
LEFT JOIN met ON met.link_id = claimed.link_id
LEFT JOIN ours ON ours.link_id = claimed.link_id
ORDER BY claimed.cost_cents DESC, links.id
"""

_UPLOADS_SQL = f"""
{_LINKS_SQL},
visible AS (
    SELECT upload.*, click.platform
    FROM campaigns_adupload upload
    JOIN campaigns_adclick click ON click.id = upload.click_id
    JOIN links ON links.id = click.link_id
         AND upload.occurred_at >= links.starts_at AND upload.occurred_at < links.ends_at
    UNION ALL
    SELECT upload.*, click.platform
    FROM campaigns_adupload upload
    JOIN campaigns_adclick click ON click.id = upload.click_id
    WHERE click.link_id IS NULL AND %(whole_chain)s
      AND upload.occurred_at >= %(since)s::timestamp AT TIME ZONE %(timezone)s
      AND upload.occurred_at < %(until)s::timestamp AT TIME ZONE %(timezone)s
)
SELECT (occurred_at AT TIME ZONE %(timezone)s)::date AS date, platform, event,
       count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'sent') AS sent,
       count(*) FILTER (WHERE state = 'refused') AS refused,
       count(*) FILTER (WHERE state = 'withdrawn') AS withdrawn,
       count(*) FILTER (WHERE state = 'dead') AS dead,
       COALESCE(sum(value_cents) FILTER (WHERE state = 'sent'), 0)::bigint AS sent_value_cents
FROM visible
GROUP BY 1, 2, 3
ORDER BY 1 DESC, 2, 3
"""
