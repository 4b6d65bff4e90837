"""What a campaign brought hour by hour, for those who watch a flash. Reads, writes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from campaigns.models import Campaign, CampaignPhase
from shop.kernel.money import Cents

MOST = timedelta(days=7)
"""A longer stretch is shown from its last week."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hour:
    """One hour from `starts_at`. Orders and money are those credited to the campaign's links."""

    starts_at: datetime
    touches: int
    joined: int
    orders: int
    revenue_cents: Cents
    coupons_issued: int
    coupons_redeemed: int


def build(campaign: Campaign, phase: CampaignPhase | None, *, now: datetime) -> list[Hour]:
    """Return every hour of a phase (of the campaign, without one) that has begun, empty ones too.

    Hours count from the beginning of the stretch; of a longer one the last seven days are shown.
    """
    stretch = phase or campaign
    ends_at = min(stretch.ends_at or now, now)
    hours = -((stretch.starts_at - ends_at) // timedelta(hours=1))
    skipped = max(hours - int(MOST / timedelta(hours=1)), 0)
    since = stretch.starts_at + timedelta(hours=skipped)
    values = {
        "campaign": campaign.pk,
        "phase": phase.pk if phase else None,
        "since": since,
        "until": stretch.starts_at + timedelta(hours=max(hours, 0)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOURS_SQL, values)
        names = [column.name for column in cursor.description or []]
        return [Hour(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


_HOURS_SQL = """
WITH hours AS (
    SELECT generate_series(
        0, extract(epoch FROM %(until)s::timestamptz - %(since)s)::int / 3600 - 1
    ) AS number
),
links AS (
    SELECT id FROM campaigns_channellink
    WHERE campaign_id = %(campaign)s AND (%(phase)s::bigint IS NULL OR phase_id = %(phase)s)
),
events AS (
    SELECT occurred_at AS at, 1 AS touches, 0 AS joined, 0 AS orders, 0 AS cents, 0 AS issued,
           0 AS redeemed
    FROM campaigns_touch WHERE link_id IN (SELECT id FROM links) AND quality = 'counted'
      AND occurred_at >= %(since)s AND occurred_at < %(until)s
    UNION ALL
    SELECT occurred_at, 0, (kind = 'registration')::int, (kind = 'order')::int, amount_cents, 0, 0
    FROM campaigns_conversion WHERE link_id IN (SELECT id FROM links)
      AND kind IN ('registration', 'order', 'refund')
      AND occurred_at >= %(since)s AND occurred_at < %(until)s
    UNION ALL
    SELECT coupon.issued_at, 0, 0, 0, 0, 1, 0
    FROM campaigns_coupon coupon
    JOIN campaigns_coupondefinition definition ON definition.id = coupon.definition_id
    WHERE definition.campaign_id = %(campaign)s
      AND coupon.issued_at >= %(since)s AND coupon.issued_at < %(until)s
    UNION ALL
    SELECT redemption.redeemed_at, 0, 0, 0, 0, 0, 1
    FROM campaigns_couponredemption redemption
    JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
    JOIN campaigns_coupondefinition definition ON definition.id = coupon.definition_id
    WHERE definition.campaign_id = %(campaign)s AND redemption.released_at IS NULL
      AND redemption.redeemed_at >= %(since)s AND redemption.redeemed_at < %(until)s
),
counted AS (
    SELECT floor(extract(epoch FROM at - %(since)s::timestamptz) / 3600)::int AS number,
           sum(touches) AS touches, sum(joined) AS joined, sum(orders) AS orders,
           sum(cents) AS cents, sum(issued) AS issued, sum(redeemed) AS redeemed
    FROM events GROUP BY 1
)
SELECT %(since)s::timestamptz + hours.number * interval '1 hour' AS starts_at,
       COALESCE(touches, 0)::bigint AS touches, COALESCE(joined, 0)::bigint AS joined,
       COALESCE(orders, 0)::bigint AS orders, COALESCE(cents, 0)::bigint AS revenue_cents,
       COALESCE(issued, 0)::bigint AS coupons_issued,
       COALESCE(redeemed, 0)::bigint AS coupons_redeemed
FROM hours LEFT JOIN counted USING (number)
ORDER BY hours.number
"""
