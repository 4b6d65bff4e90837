"""How many uses of an offer would have been orders anyway: an estimate. Reads, writes nothing.

There is no control group here, only each member's own rhythm before. An order that used an offer
came some days after the one before it. The share of the member's earlier gaps that were no longer
than that is the probability that the member would have been back by then without any offer: the
empirical distribution of their own gaps.

What the estimate cannot see: a habit that had just changed, and orders that an offer merely pulled
forward from next week. Members with fewer than `LEAST_GAPS` earlier gaps are left out of it and
counted apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shop.models import Store
from shop.storefront.reports import rows
from shop.storefront.reports.ratios import rate

LEAST_GAPS = 3
"""Earlier gaps between orders that make a rhythm."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CannibalisationRow:
    """One offer. Counts are of standing uses on members' paid orders.

    `measured` uses are by members with a rhythm; of these `anyway` are expected to have happened
    without the offer, and took `given_away_cents` of its discount with them. `share` is
    anyway / measured, `coverage` is measured / uses; None where there is nothing to divide by.
    """

    kind: str
    code: str
    name_zh: str
    name_en: str
    uses: int
    discount_cents: int
    measured: int
    anyway: float
    given_away_cents: int
    share: float | None
    coverage: float | None


def build(*, stores: Sequence[Store], since: date, until: date) -> list[CannibalisationRow]:
    """Return a row per promotion and coupon used on business days in [since, until), most given
    away first.
    """
    values = {
        "stores": [store.pk for store in stores],
        "since": since,
        "until": until,
        "least_gaps": LEAST_GAPS,
    }
    return [_row(row) for row in rows.select(_ANYWAY_SQL, values)]


def _row(row: dict[str, Any]) -> CannibalisationRow:
    return CannibalisationRow(
        **row,
        share=round(row["anyway"] / row["measured"], 4) if row["measured"] else None,
        coverage=rate(row["measured"], row["uses"]),
    )


_ANYWAY_SQL = """
WITH used AS (
    SELECT 'promotion' AS kind, promotion.code, promotion.name_zh, promotion.name_en,
           used.order_id, used.discount_cents
    FROM campaigns_promotionuse used
    JOIN campaigns_promotion promotion ON promotion.id = used.promotion_id
    WHERE used.released_at IS NULL
    UNION ALL
    SELECT 'coupon', definition.code, definition.name_zh, definition.name_en,
           redemption.order_id, redemption.discount_cents
    FROM campaigns_couponredemption redemption
    JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
    JOIN campaigns_coupondefinition definition ON definition.id = coupon.definition_id
    WHERE redemption.released_at IS NULL
),
uses AS (
    SELECT used.*, orders.member_id, orders.paid_at
    FROM used
    JOIN shop_order orders ON orders.id = used.order_id
    WHERE orders.store_id = ANY(%(stores)s) AND orders.member_id IS NOT NULL
      AND orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
      AND orders.business_date >= %(since)s AND orders.business_date < %(until)s
),
gaps AS (
    SELECT orders.member_id, orders.id AS order_id, orders.paid_at,
           orders.paid_at - lag(orders.paid_at) OVER (
               PARTITION BY orders.member_id ORDER BY orders.paid_at, orders.id) AS gap
    FROM shop_order orders
    WHERE orders.member_id IN (SELECT member_id FROM uses)
      AND orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
),
judged AS (
    SELECT own.order_id,
           count(*) FILTER (WHERE earlier.gap <= own.gap)::float8 / count(*) AS probability
    FROM gaps own
    JOIN gaps earlier
      ON earlier.member_id = own.member_id AND earlier.gap IS NOT NULL
     AND (earlier.paid_at, earlier.order_id) < (own.paid_at, own.order_id)
    WHERE own.order_id IN (SELECT order_id FROM uses)
    GROUP BY own.order_id
    HAVING count(*) >= %(least_gaps)s
)
SELECT uses.kind, uses.code, uses.name_zh, uses.name_en, count(*) AS uses,
       sum(uses.discount_cents)::bigint AS discount_cents,
       count(judged.order_id) AS measured,
       round(COALESCE(sum(judged.probability), 0)::numeric, 2)::float8 AS anyway,
       round(COALESCE(sum(judged.probability * uses.discount_cents), 0)::numeric)::bigint
           AS given_away_cents
FROM uses LEFT JOIN judged ON judged.order_id = uses.order_id
GROUP BY uses.kind, uses.code, uses.name_zh, uses.name_en
ORDER BY given_away_cents DESC, discount_cents DESC, uses.kind DESC, uses.code
"""
