"""Roll-ups of what stores sold by business day and credited channel."""

from collections.abc import Collection, Sequence
from datetime import date

from django.db import connection

from shop.storefront.rollups.people import BUSINESS_DATE
from shop.storefront.rollups.rows import add_to, columns, given, month_of, taken

StoreDay = tuple[int, date]


def days_of(order_ids: Sequence[int]) -> set[StoreDay]:
    """Return the days of stores on which these orders were paid or refunds for them given."""
    with connection.cursor() as cursor:
        cursor.execute(_DAYS_OF_SQL, {"orders": list(order_ids)})
        return {(store, day) for store, day in cursor.fetchall()}


def renew(days: Collection[StoreDay]) -> None:
    """Add up anew what was sold on these days."""
    values = columns(days, ["stores", "days"])
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_SQL, values)
        cursor.execute(_INSERT_SQL, values)


def renew_months() -> None:
    """Add up anew all months from their days."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storefront_salesmonth")
        cursor.execute(_MONTHS_SQL)


REFUNDED_ON = BUSINESS_DATE.format(moment="refund.refunded_at", store="store")

_DAYS_OF_SQL = f"""
SELECT store_id, business_date FROM shop_order
WHERE id = ANY(%(orders)s) AND paid_at IS NOT NULL
UNION
SELECT orders.store_id, {REFUNDED_ON}
FROM shop_refund refund
JOIN shop_order orders ON orders.id = refund.order_id
JOIN shop_store store ON store.id = orders.store_id
WHERE refund.order_id = ANY(%(orders)s)
"""

_KEYS = "unnest(%(stores)s::bigint[], %(days)s::date[]) AS day (store_id, business_date)"
SALES_COLUMNS = [
    *["orders", "first_orders", "paid_cents", "discount_cents", "cost_cents"],
    *["refunds", "refunded_cents", "returned_cost_cents"],
]


def _to_months(source: str, *, is_taken: bool) -> str:
    return add_to(
        "storefront_salesmonth",
        keys={
            "business_date": month_of("row.business_date"),
            "store_id": "row.store_id",
            "channel_id": "row.channel_id",
            "link_id": "row.link_id",
        },
        sums=(taken if is_taken else given)(SALES_COLUMNS),
        source=source,
    )


_FORGET_SQL = f"""
WITH gone AS (
    DELETE FROM storefront_salesday row USING {_KEYS}
    WHERE row.store_id = day.store_id AND row.business_date = day.business_date
    RETURNING row.*
)
{_to_months("gone row", is_taken=True)}
"""
_SUMS = ", ".join(f"sum(part.{name})::bigint AS {name}" for name in SALES_COLUMNS)

# The outer bounds on refunds leave room for any time zone and let an index work.
SALES_SQL = f"""
day AS (SELECT * FROM {_KEYS}),
bounds AS (SELECT min(business_date) AS since, max(business_date) AS until FROM day),
part (store_id, business_date, channel_id, link_id, {", ".join(SALES_COLUMNS)}) AS (
    SELECT orders.store_id, orders.business_date, conversion.channel_id, conversion.link_id,
           1, CASE WHEN standing.member_id IS NULL THEN 0 ELSE 1 END, orders.paid_cents,
           orders.discount_cents, goods.cost_cents, 0, 0, 0
    FROM day
    JOIN shop_order orders ON orders.store_id = day.store_id
     AND orders.business_date = day.business_date AND orders.paid_at IS NOT NULL
     AND NOT orders.is_complimentary
    LEFT JOIN campaigns_conversion conversion
           ON conversion.order_id = orders.id AND conversion.kind = 'order'
    LEFT JOIN storefront_memberrollup standing
           ON standing.member_id = orders.member_id AND standing.first_order_id = orders.id
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(line.unit_cost_cents * line.quantity), 0) AS cost_cents
        FROM shop_orderline line WHERE line.order_id = orders.id
    ) goods
    UNION ALL
    SELECT day.store_id, day.business_date, conversion.channel_id, conversion.link_id,
           0, 0, 0, 0, 0, 1, refund.amount_cents, goods.cost_cents
    FROM bounds
    JOIN shop_refund refund ON refund.refunded_at >= bounds.since::timestamp AT TIME ZONE 'UTC'
                                                     - interval '2 days'
     AND refund.refunded_at < bounds.until::timestamp AT TIME ZONE 'UTC' + interval '3 days'
    JOIN shop_order orders ON orders.id = refund.order_id AND NOT orders.is_complimentary
    JOIN shop_store store ON store.id = orders.store_id
    JOIN day ON day.store_id = orders.store_id AND day.business_date = {REFUNDED_ON}
    LEFT JOIN campaigns_conversion conversion
           ON conversion.order_id = orders.id AND conversion.kind = 'order'
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(line.unit_cost_cents * part.quantity), 0) AS cost_cents
        FROM shop_refundline part JOIN shop_orderline line ON line.id = part.line_id
        WHERE part.refund_id = refund.id
    ) goods
),
sold AS (
    SELECT part.business_date, part.store_id, COALESCE(part.channel_id, 0) AS channel_id,
           COALESCE(part.link_id, 0) AS link_id, {_SUMS}
    FROM part GROUP BY 1, 2, 3, 4
)
"""
"""What was sold on the days in `%(stores)s` and `%(days)s`, from the facts."""

_INSERT_SQL = f"""
WITH {SALES_SQL},
made AS (
    INSERT INTO storefront_salesday
           (business_date, store_id, channel_id, link_id, {", ".join(SALES_COLUMNS)})
    SELECT business_date, store_id, channel_id, link_id, {", ".join(SALES_COLUMNS)} FROM sold
    RETURNING *
)
{_to_months("made row", is_taken=False)}
"""

_MONTHS_SQL = _to_months("storefront_salesday row", is_taken=False)
