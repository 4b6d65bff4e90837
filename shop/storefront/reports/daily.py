"""What each store sold on each business day, and who came. Reads, writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shop.models import Store
from shop.storefront.reports import rows


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyRow:
    """One business day of one store.

    `orders` and `paid_cents` are of the orders paid that day; `refunds` and `refunded_cents` of the
    refunds given that day, whenever the order was. `revenue_cents` is paid − refunded. What was on
    the house is in none of them.
    `returning_members` bought that day and had bought at the store on an earlier day.
    """

    store: str
    business_date: date
    orders: int
    paid_cents: int
    refunds: int
    refunded_cents: int
    revenue_cents: int
    new_members: int
    buying_members: int
    returning_members: int


def build(*, stores: Sequence[Store], since: date, until: date) -> list[DailyRow]:
    """Return a row per business day in [since, until) and store, days without sales included."""
    values = {"stores": [store.pk for store in stores], "since": since, "until": until}
    return [DailyRow(**row) for row in rows.select(_DAILY_SQL, values)]


# Moments become business days as in Store.business_date: store time, less what the day starts after
# midnight. The outer bounds on moments leave room for any time zone and let indexes work.
_DAILY_SQL = """
WITH days AS (
    SELECT store.id AS store_id, store.code, day::date AS business_date
    FROM shop_store store
    CROSS JOIN generate_series(%(since)s::date, %(until)s::date - 1, interval '1 day') day
    WHERE store.id = ANY(%(stores)s)
),
sold AS (
    SELECT orders.store_id, orders.business_date, count(*) AS orders,
           sum(orders.paid_cents) AS paid_cents
    FROM shop_order orders
    WHERE orders.store_id = ANY(%(stores)s) AND orders.paid_at IS NOT NULL
      AND NOT orders.is_complimentary
      AND orders.business_date >= %(since)s AND orders.business_date < %(until)s
    GROUP BY orders.store_id, orders.business_date
),
given_back AS (
    SELECT store.id AS store_id,
           ((refund.refunded_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS business_date,
           count(*) AS refunds, sum(refund.amount_cents) AS refunded_cents
    FROM shop_refund refund
    JOIN shop_order orders ON orders.id = refund.order_id
    JOIN shop_store store ON store.id = orders.store_id
    WHERE store.id = ANY(%(stores)s) AND NOT orders.is_complimentary
      AND refund.refunded_at >= %(since)s::date - 2 AND refund.refunded_at < %(until)s::date + 2
    GROUP BY 1, 2
),
joined AS (
    SELECT store.id AS store_id,
           ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS business_date,
           count(*) AS new_members
    FROM shop_member member
    JOIN shop_store store ON store.id = member.store_id
    WHERE store.id = ANY(%(stores)s)
      AND member.joined_at >= %(since)s::date - 2 AND member.joined_at < %(until)s::date + 2
    GROUP BY 1, 2
),
came AS (
    SELECT visit.store_id, visit.business_date,
           count(DISTINCT visit.member_id) AS buying_members,
           count(DISTINCT visit.member_id) FILTER (WHERE EXISTS (
               SELECT FROM loyalty_visit earlier
               WHERE earlier.member_id = visit.member_id AND earlier.store_id = visit.store_id
                 AND earlier.business_date < visit.business_date
                 AND earlier.reversed_at IS NULL)) AS returning_members
    FROM loyalty_visit visit
    WHERE visit.store_id = ANY(%(stores)s) AND visit.reversed_at IS NULL
      AND visit.business_date >= %(since)s AND visit.business_date < %(until)s
    GROUP BY visit.store_id, visit.business_date
)
SELECT days.code AS store, days.business_date,
       COALESCE(sold.orders, 0) AS orders, COALESCE(sold.paid_cents, 0)::bigint AS paid_cents,
       COALESCE(given_back.refunds, 0) AS refunds,
       COALESCE(given_back.refunded_cents, 0)::bigint AS refunded_cents,
       (COALESCE(sold.paid_cents, 0) - COALESCE(given_back.refunded_cents, 0))::bigint
           AS revenue_cents,
       COALESCE(joined.new_members, 0) AS new_members,
       COALESCE(came.buying_members, 0) AS buying_members,
       COALESCE(came.returning_members, 0) AS returning_members
FROM days
LEFT JOIN sold USING (store_id, business_date)
LEFT JOIN given_back USING (store_id, business_date)
LEFT JOIN joined USING (store_id, business_date)
LEFT JOIN came USING (store_id, business_date)
ORDER BY days.business_date, days.code
"""
