"""What a campaign brought hour by hour, for those who watch a flash. Reads, writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from campaigns.models import Campaign, CampaignPhase
from shop.kernel.money import Cents

MOST = timedelta(days=7)
"""A longer stretch is shown from its last week."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hour:
    """One hour on the wall of the store, as far as the stretch reaches into it.

    Orders and money are those credited to the campaign's links. Costs are known by the day only:
    each day's is spread evenly over its hours, `claims` are coupons that members took themselves.
    """

    starts_at: datetime
    local: str
    touches: int
    joined: int
    orders: int
    revenue_cents: Cents
    cost_cents: Cents
    coupons_issued: int
    claims: int
    coupons_redeemed: int


def timezone_of(campaign: Campaign) -> str:
    """Return the time zone of a campaign's stores; the chain's if they have several."""
    zones = list(campaign.stores.values_list("timezone", flat=True).distinct()[:2])
    return zones[0] if len(zones) == 1 else settings.TIME_ZONE


def build(
    campaign: Campaign, phase: CampaignPhase | None, *, now: datetime, timezone: str = ""
) -> list[Hour]:
    """Return every clock hour of a phase (of the campaign, without one) so far, empty ones too.

    Hours are those of a time zone, the stores' unless one is named; of a stretch of more than
    seven days the last seven are shown.
    """
    stretch = phase or campaign
    ended_at = phase.ended_at if phase else None
    until = min(now, stretch.ends_at or now, ended_at or now)
    since = max(stretch.starts_at, until - MOST)
    if until <= since:
        return []
    values = {
        "campaign": campaign.pk,
        "phase": phase.pk if phase else None,
        "since": since,
        "until": until,
        "timezone": timezone or timezone_of(campaign),
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOURS_SQL, values)
        names = [column.name for column in cursor.description or []]
        return [Hour(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


# A day's cost of n fen over its 24 hours: hour k (0 to 23) has n*(k+1)/24 - n*k/24, both rounded
# down, so that the hours of a day add up to it.
_HOURS_SQL = """
WITH hours AS (
    SELECT at AS starts_at, at AT TIME ZONE %(timezone)s AS wall
    FROM generate_series(
        date_trunc('hour', %(since)s::timestamptz, %(timezone)s),
        %(until)s::timestamptz - interval '1 microsecond', interval '1 hour'
    ) AS at
),
links AS (
    SELECT id FROM campaigns_channellink
    WHERE campaign_id = %(campaign)s AND (%(phase)s::bigint IS NULL OR phase_id = %(phase)s)
),
definitions AS (
    SELECT id FROM campaigns_coupondefinition
    WHERE %(phase)s::bigint IS NULL AND campaign_id = %(campaign)s
    UNION
    SELECT unlocked.coupondefinition_id
    FROM campaigns_campaignphase_coupon_definitions unlocked
    JOIN campaigns_campaignphase phase ON phase.id = unlocked.campaignphase_id
    WHERE phase.campaign_id = %(campaign)s
      AND (%(phase)s::bigint IS NULL OR phase.id = %(phase)s)
),
events AS (
    SELECT occurred_at AS at, 1 AS touches, 0 AS joined, 0 AS orders, 0 AS cents, 0 AS issued,
           0 AS claims, 0 AS redeemed
    FROM campaigns_touch WHERE link_id IN (SELECT id FROM links) AND quality = 'counted'
      AND occurred_at >= %(since)s AND occurred_at < %(until)s
    UNION ALL
    SELECT occurred_at, 0, (kind = 'registration')::int, (kind = 'order')::int, amount_cents,
           0, 0, 0
    FROM campaigns_conversion WHERE link_id IN (SELECT id FROM links)
      AND kind IN ('registration', 'order', 'refund')
      AND occurred_at >= %(since)s AND occurred_at < %(until)s
    UNION ALL
    SELECT issued_at, 0, 0, 0, 0, 1, (source = 'claim')::int, 0
    FROM campaigns_coupon WHERE definition_id IN (SELECT id FROM definitions)
      AND issued_at >= %(since)s AND issued_at < %(until)s
    UNION ALL
    SELECT redemption.redeemed_at, 0, 0, 0, 0, 0, 0, 1
    FROM campaigns_couponredemption redemption
    JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
    WHERE coupon.definition_id IN (SELECT id FROM definitions)
      AND redemption.released_at IS NULL
      AND redemption.redeemed_at >= %(since)s AND redemption.redeemed_at < %(until)s
),
counted AS (
    SELECT date_trunc('hour', at, %(timezone)s) AS starts_at,
           sum(touches) AS touches, sum(joined) AS joined, sum(orders) AS orders,
           sum(cents) AS cents, sum(issued) AS issued, sum(claims) AS claims,
           sum(redeemed) AS redeemed
    FROM events GROUP BY 1
),
spent AS (
    SELECT date, sum(cost_cents)::bigint AS cents FROM campaigns_dailycost
    WHERE link_id IN (SELECT id FROM links)
      AND date >= (%(since)s::timestamptz AT TIME ZONE %(timezone)s)::date
      AND date <= (%(until)s::timestamptz AT TIME ZONE %(timezone)s)::date
    GROUP BY date
)
SELECT hours.starts_at, to_char(hours.wall, 'YYYY-MM-DD HH24:MI') AS local,
       COALESCE(touches, 0)::bigint AS touches,
       COALESCE(joined, 0)::bigint AS joined, COALESCE(orders, 0)::bigint AS orders,
       COALESCE(counted.cents, 0)::bigint AS revenue_cents,
       COALESCE(
           spent.cents * (extract(hour FROM hours.wall)::int + 1) / 24
           - spent.cents * extract(hour FROM hours.wall)::int / 24, 0
       )::bigint AS cost_cents,
       COALESCE(issued, 0)::bigint AS coupons_issued, COALESCE(claims, 0)::bigint AS claims,
       COALESCE(redeemed, 0)::bigint AS coupons_redeemed
FROM hours LEFT JOIN counted USING (starts_at) LEFT JOIN spent ON spent.date = hours.wall::date
ORDER BY hours.starts_at
"""
