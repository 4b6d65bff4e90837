"""Who joined and who opened the mini-program first, by day and channel. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from campaigns.models import Touch
from shop.models import Store
from shop.storefront.reports import rows


@dataclass(frozen=True, kw_only=True, slots=True)
class SignupRow:
    """One day of one channel, with at least one of the two.

    `registrations` are new members of these stores by the channel of their acquisition;
    `first_opens` are visitors whose very first visit (of any link) was that day, through a link of
    the channel.
    """

    date: date
    channel: str
    name_zh: str
    name_en: str
    registrations: int
    first_opens: int


def build(
    *, stores: Sequence[Store], since: date, until: date, is_whole_chain: bool = False
) -> list[SignupRow]:
    """Return a row per day in [since, until) and channel, by day, busiest channel first.

    A day is a business day of the store; links of no store go by calendar days of the chain's time
    zone, and count for the whole chain only.
    """
    values = {
        "stores": [store.pk for store in stores],
        "since": since,
        "until": until,
        "whole_chain": is_whole_chain,
        "timezone": settings.TIME_ZONE,
        "opened": Touch.Kind.VISIT,
    }
    return [SignupRow(**row) for row in rows.select(_SIGNUPS_SQL, values)]


# The outer bounds on moments leave room for any time zone and let indexes work.
_SIGNUPS_SQL = """
WITH joined AS (
    SELECT ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS date, acquisition.channel_id, 1 AS registrations, 0 AS first_opens
    FROM shop_member member
    JOIN shop_store store ON store.id = member.store_id
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
    WHERE store.id = ANY(%(stores)s)
      AND member.joined_at >= %(since)s::date - 2 AND member.joined_at < %(until)s::date + 2
),
opened AS (
    SELECT ((touch.occurred_at AT TIME ZONE COALESCE(store.timezone, %(timezone)s))
            - COALESCE(store.day_starts_at, time '00:00')::interval)::date AS date,
           link.channel_id, 0 AS registrations, 1 AS first_opens
    FROM campaigns_touch touch
    JOIN campaigns_channellink link ON link.id = touch.link_id
    LEFT JOIN shop_store store ON store.id = link.store_id
    WHERE touch.kind = %(opened)s AND touch.quality = 'counted'
      AND touch.occurred_at >= %(since)s::date - 2 AND touch.occurred_at < %(until)s::date + 2
      AND (link.store_id = ANY(%(stores)s) OR (link.store_id IS NULL AND %(whole_chain)s))
      AND NOT EXISTS (
          SELECT FROM campaigns_touch earlier
          WHERE earlier.visitor_id = touch.visitor_id AND earlier.kind = %(opened)s
            AND earlier.quality = 'counted'
            AND (earlier.occurred_at, earlier.id) < (touch.occurred_at, touch.id))
),
both_kinds AS (SELECT * FROM joined UNION ALL SELECT * FROM opened)
SELECT both_kinds.date, channel.code AS channel, channel.name_zh, channel.name_en,
       sum(registrations) AS registrations, sum(first_opens) AS first_opens
FROM both_kinds
JOIN campaigns_channel channel ON channel.id = both_kinds.channel_id
WHERE both_kinds.date >= %(since)s AND both_kinds.date < %(until)s
GROUP BY both_kinds.date, channel.id, channel.code, channel.name_zh, channel.name_en
ORDER BY both_kinds.date, sum(registrations) DESC, sum(first_opens) DESC, channel.id
"""
