"""The ways that led to conversions: which channels, links or campaigns a member had met before.

A way has the clicks, scans and visits of the member in the 30 days before the conversion, and the
moment they joined through a link or a friend, if that lies within. A friend's code ends what was
before it. Who met nothing came by themselves: `organic`. Reads, writes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from django.db import connection

from campaigns.attribution import ORGANIC, TOUCH_KINDS, WINDOW
from campaigns.credit import JourneyPath
from campaigns.models import Conversion
from shop.kernel.money import Cents

KEYS = {
    name: f"CASE channel.kind WHEN 'organic' THEN 'organic' ELSE {column} END"
    for name, column in {
        "channel": "channel.code",
        "link": "COALESCE(link.code, '')",
        "campaign": "COALESCE(campaign.code, '')",
    }.items()
}
"""By what a way may be told. A touch that names no link or campaign has the empty key; all that
nobody paid for has one key, whatever it is told by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """Moments of some stores: each with its own beginning and end, half-open."""

    stores: Sequence[int]
    starts: Sequence[datetime]
    ends: Sequence[datetime]

    @property
    def values(self) -> dict[str, Any]:
        """Return the period as values of a statement."""
        return {"stores": list(self.stores), "starts": list(self.starts), "ends": list(self.ends)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ConversionPath:
    """One conversion, the way to it, and who has the credit that was frozen then.

    `net_cents` is what the order has brought by now, refunds taken off; 0 for a registration.
    `ages` are the times from each touch to the conversion.
    """

    keys: tuple[str, ...]
    ages: tuple[timedelta, ...]
    frozen_key: str
    net_cents: Cents


def converted(kind: str, period: Period, *, by: str = "channel") -> Iterator[ConversionPath]:
    """Yield the ways to the conversions of one kind in a period; orders refunded whole left out."""
    sql = _CONVERTED_SQL.format(key=KEYS[by], period=_PERIOD, which=_OF_PERIOD)
    values = _VALUES | period.values | {"kind": kind, "has_money": _has_money(kind)}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for row in cursor:
            yield _path(*row)


def of_order(order_id: int, *, by: str = "channel") -> ConversionPath | None:
    """Return the way to an order; None for a guest's, which nobody can follow."""
    sql = _CONVERTED_SQL.format(key=KEYS[by], period=_NO_PERIOD, which=_OF_ORDER)
    values = _VALUES | {"order": order_id, "kind": Conversion.Kind.ORDER, "has_money": True}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    return None if row is None else _path(*row)


def unconverted(
    kind: str, period: Period, *, by: str = "channel", with_shared: bool
) -> list[JourneyPath]:
    """Return the ways of visitors of these stores' links in the period that led to nothing.

    `with_shared` adds the visitors of links that belong to no store.
    """
    values = _VALUES | period.values | {"kind": kind, "with_shared": with_shared}
    with connection.cursor() as cursor:
        cursor.execute(_UNCONVERTED_SQL.format(key=KEYS[by], period=_PERIOD), values)
        return [
            JourneyPath(channels=tuple(keys), conversions=Fraction(0), nulls=Fraction(people))
            for keys, people in cursor.fetchall()
        ]


def _has_money(kind: str) -> bool:
    return kind != Conversion.Kind.REGISTRATION


def _path(keys: list[str] | None, ages: list[float], frozen_key: str, cents: int) -> ConversionPath:
    return ConversionPath(
        keys=tuple(keys or [ORGANIC]),
        ages=tuple(timedelta(seconds=age) for age in ages or [0.0]),
        frozen_key=frozen_key,
        net_cents=Cents(cents),
    )


_VALUES: dict[str, Any] = {
    "touch_kinds": [str(kind) for kind in TOUCH_KINDS],
    "window": WINDOW,
}

_PERIOD = """
period AS (
    SELECT * FROM unnest(
        %(stores)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]
    ) AS period (store_id, starts_at, ends_at)
)
"""
_NO_PERIOD = "period AS (SELECT)"
_OF_PERIOD = """
JOIN period ON period.store_id = COALESCE(orders.store_id, member.store_id)
     AND conversion.occurred_at >= period.starts_at AND conversion.occurred_at < period.ends_at
"""
_OF_ORDER = "JOIN period ON conversion.order_id = %(order)s"

# Joining stands in the way as a touch of its own, unless it came by the link touched just before.
_CONVERTED_SQL = """
WITH {period},
chosen AS (
    SELECT conversion.id, conversion.member_id, conversion.occurred_at,
           conversion.channel_id, conversion.link_id,
           CASE WHEN %(has_money)s THEN orders.paid_cents - orders.refunded_cents ELSE 0 END
               AS cents
    FROM campaigns_conversion conversion
    JOIN shop_member member ON member.id = conversion.member_id
    LEFT JOIN shop_order orders ON orders.id = conversion.order_id
    {which}
    WHERE conversion.kind = %(kind)s AND orders.status IS DISTINCT FROM 'refunded'
),
met AS (
    SELECT chosen.id, touch.occurred_at, touch.id AS place, link.channel_id, touch.link_id
    FROM chosen
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = chosen.member_id
    JOIN campaigns_touch touch ON touch.visitor_id = acquisition.visitor_id
    JOIN campaigns_channellink link ON link.id = touch.link_id
    WHERE acquisition.visitor_id <> '' AND touch.kind = ANY(%(touch_kinds)s)
      AND touch.quality = 'counted'
      AND touch.occurred_at > chosen.occurred_at - %(window)s
      AND touch.occurred_at <= chosen.occurred_at
      AND (acquisition.referrer_id IS NULL OR touch.occurred_at > acquisition.acquired_at)
    UNION ALL
    SELECT chosen.id, acquisition.acquired_at, 0, acquisition.channel_id, acquisition.last_link_id
    FROM chosen
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = chosen.member_id
    WHERE acquisition.acquired_at > chosen.occurred_at - %(window)s
      AND (acquisition.referrer_id IS NOT NULL
           OR acquisition.last_link_id IS NOT NULL AND acquisition.last_link_id IS DISTINCT FROM (
               SELECT touch.link_id FROM campaigns_touch touch
               WHERE touch.visitor_id = acquisition.visitor_id AND acquisition.visitor_id <> ''
                 AND touch.kind = ANY(%(touch_kinds)s) AND touch.quality = 'counted'
                 AND touch.occurred_at <= acquisition.acquired_at
                 AND touch.occurred_at > chosen.occurred_at - %(window)s
               ORDER BY touch.occurred_at DESC, touch.id DESC LIMIT 1))
),
ways AS (
    SELECT met.id,
           array_agg({key} ORDER BY met.occurred_at, met.place) AS keys,
           array_agg(extract(epoch FROM chosen.occurred_at - met.occurred_at)::float8
                     ORDER BY met.occurred_at, met.place) AS ages
    FROM met
    JOIN chosen USING (id)
    JOIN campaigns_channel channel ON channel.id = met.channel_id
    LEFT JOIN campaigns_channellink link ON link.id = met.link_id
    LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
    GROUP BY met.id
)
SELECT ways.keys, ways.ages, {key}, chosen.cents
FROM chosen
JOIN campaigns_channel channel ON channel.id = chosen.channel_id
LEFT JOIN campaigns_channellink link ON link.id = chosen.link_id
LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
LEFT JOIN ways ON ways.id = chosen.id
ORDER BY chosen.id
"""

_UNCONVERTED_SQL = """
WITH {period},
met AS (
    SELECT touch.visitor_id, touch.occurred_at, touch.id AS place, {key} AS key
    FROM campaigns_touch touch
    JOIN campaigns_channellink link ON link.id = touch.link_id
    JOIN campaigns_channel channel ON channel.id = link.channel_id
    LEFT JOIN campaigns_campaign campaign ON campaign.id = link.campaign_id
    LEFT JOIN period ON period.store_id = link.store_id
    WHERE touch.kind = ANY(%(touch_kinds)s) AND touch.quality = 'counted'
      AND (touch.occurred_at >= period.starts_at AND touch.occurred_at < period.ends_at
           OR link.store_id IS NULL AND %(with_shared)s
              AND touch.occurred_at >= (SELECT min(starts_at) FROM period)
              AND touch.occurred_at < (SELECT max(ends_at) FROM period))
      AND NOT EXISTS (
          SELECT FROM campaigns_acquisition acquisition
          JOIN campaigns_conversion conversion ON conversion.member_id = acquisition.member_id
          WHERE acquisition.visitor_id = touch.visitor_id AND conversion.kind = %(kind)s
            AND conversion.occurred_at >= (SELECT min(starts_at) FROM period)
            AND conversion.occurred_at < (SELECT max(ends_at) FROM period))
),
ways AS (
    SELECT visitor_id, array_agg(key ORDER BY occurred_at, place) AS keys
    FROM met GROUP BY visitor_id
)
SELECT keys, count(*) FROM ways GROUP BY keys ORDER BY keys
"""
