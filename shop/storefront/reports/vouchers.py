"""What vouchers of other platforms brought, and who bore their price. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shop.models import Store
from shop.storefront.reports import rows


@dataclass(frozen=True, kw_only=True, slots=True)
class VoucherRow:
    """The vouchers of one deal that one store verified in the period.

    The amounts are of those that stand: `price_cents` = guest + platform + shop. `paid_cents` is
    what they paid of orders, `discount_cents` what their deals took off beside it. `cancelled` were
    given back and count in nothing else.
    """

    store: str
    platform: str
    deal: str
    title: str
    vouchers: int
    cancelled: int
    price_cents: int
    guest_cents: int
    platform_cents: int
    shop_cents: int
    paid_cents: int
    discount_cents: int


def build(*, stores: Sequence[Store], since: date, until: date) -> list[VoucherRow]:
    """Return a row per store and deal with vouchers verified on business days in [since, until)."""
    values = {"stores": [store.pk for store in stores], "since": since, "until": until}
    return [VoucherRow(**row) for row in rows.select(_VOUCHERS_SQL, values)]


# A discount's code is the id of its voucher; the bounds on moments leave room for any time zone.
_VOUCHERS_SQL = """
WITH verified AS (
    SELECT voucher.*, store.code AS store_code, voucher.status <> 'cancelled' AS stands
    FROM campaigns_voucher voucher
    JOIN shop_store store ON store.id = voucher.store_id
    WHERE store.id = ANY(%(stores)s) AND voucher.verified_at IS NOT NULL
      AND voucher.verified_at >= %(since)s::date - 2 AND voucher.verified_at < %(until)s::date + 2
      AND ((voucher.verified_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
          BETWEEN %(since)s::date AND %(until)s::date - 1
),
used AS (
    SELECT verified.id, payment.amount_cents AS paid_cents,
           (SELECT sum(discount.amount_cents)
            FROM shop_orderline line
            JOIN shop_orderdiscount discount ON discount.line_id = line.id
            WHERE line.order_id = verified.order_id AND discount.kind = 'voucher'
              AND discount.code = verified.public_id::text) AS discount_cents
    FROM verified
    JOIN shop_payment payment ON payment.order_id = verified.order_id
     AND payment.method = 'voucher'
     AND payment.provider_ref = 'voucher:' || verified.public_id
    WHERE verified.stands
)
SELECT verified.store_code AS store, verified.platform, verified.deal_ref AS deal,
       max(verified.title) AS title,
       count(*) FILTER (WHERE stands) AS vouchers,
       count(*) FILTER (WHERE NOT stands) AS cancelled,
       COALESCE(sum(verified.price_cents) FILTER (WHERE stands), 0)::bigint AS price_cents,
       COALESCE(sum(verified.guest_cents) FILTER (WHERE stands), 0)::bigint AS guest_cents,
       COALESCE(sum(verified.platform_cents) FILTER (WHERE stands), 0)::bigint AS platform_cents,
       COALESCE(sum(verified.shop_cents) FILTER (WHERE stands), 0)::bigint AS shop_cents,
       COALESCE(sum(used.paid_cents), 0)::bigint AS paid_cents,
       COALESCE(sum(used.discount_cents), 0)::bigint AS discount_cents
FROM verified LEFT JOIN used ON used.id = verified.id
GROUP BY verified.store_code, verified.platform, verified.deal_ref
ORDER BY verified.store_code, verified.platform, verified.deal_ref
"""
