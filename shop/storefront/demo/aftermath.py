"""What is the same for all orders of the demo, however they were made, and done in sets."""

from datetime import datetime

from django.db import connection

from campaigns import coupons

KITCHEN_IS_BEHIND = "20 minutes"


def settle_down(*, now: datetime) -> None:
    """Let kitchens finish, deliver messages, number pickups, count coupons and tiers, expire."""
    values = {"now": now.isoformat(), "behind": KITCHEN_IS_BEHIND}
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
    coupons.expire(now=now)


def learn_statistics() -> None:
    """Tell the planner what the tables hold now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# Seconds by id stand for chance: every order takes its own time, the same in every demo.
_KITCHEN = """
UPDATE shop_order
SET making_at = paid_at + make_interval(secs => 20 + id * 7919 %% 100),
    ready_at = paid_at + make_interval(secs => 150 + id * 104729 %% 300),
    completed_at = paid_at + make_interval(secs => 480 + id * 1299709 %% 400),
    status = CASE status WHEN 'paid' THEN 'completed' ELSE status END
WHERE paid_at < %(now)s::timestamptz - %(behind)s::interval
"""
_EVENTS = """
INSERT INTO shop_orderevent (order_id, status, actor, occurred_at)
SELECT orders.id, step.status, 'till:' || till.id, step.at
FROM shop_order orders
CROSS JOIN LATERAL (VALUES ('making', making_at), ('ready', ready_at), ('completed', completed_at))
    AS step (status, at)
JOIN LATERAL (
    SELECT min(id) AS id FROM shop_till WHERE store_id = orders.store_id
) till ON true
WHERE step.at IS NOT NULL
"""
_DELIVERED = """
UPDATE kernel_outboxmessage SET state = 'sent', attempts = 1, sent_at = created_at + interval '2 s'
WHERE state = 'new' AND created_at < %(now)s::timestamptz
"""
_UNNUMBERED = "UPDATE shop_order SET pickup_number = NULL WHERE pickup_number IS NOT NULL"
_NUMBERED = """
UPDATE shop_order SET pickup_number = numbered.number
FROM (
    SELECT id, row_number() OVER (
               PARTITION BY store_id, business_date ORDER BY paid_at, id) AS number
    FROM shop_order WHERE paid_at IS NOT NULL
) numbered
WHERE numbered.id = shop_order.id
"""
_COUNTERS = """
INSERT INTO shop_pickupcounter (store_id, business_date, last_number)
SELECT store_id, business_date, count(*) FROM shop_order WHERE paid_at IS NOT NULL
GROUP BY store_id, business_date
ON CONFLICT (store_id, business_date) DO UPDATE SET last_number = excluded.last_number
"""
_COUPONS = """
UPDATE campaigns_coupondefinition definition
SET issued_count = counted.issued, redeemed_count = counted.redeemed,
    spent_cents = counted.spent_cents
FROM (
    SELECT coupon.definition_id, count(DISTINCT coupon.id) AS issued,
           count(redemption.id) AS redeemed,
           COALESCE(sum(redemption.discount_cents), 0) AS spent_cents
    FROM campaigns_coupon coupon
    LEFT JOIN campaigns_couponredemption redemption
           ON redemption.coupon_id = coupon.id AND redemption.released_at IS NULL
    GROUP BY coupon.definition_id
) counted
WHERE counted.definition_id = definition.id
"""
_TIERS = """
INSERT INTO loyalty_tiercount (date, store_id, tier_id, members)
SELECT days.date, member.store_id, latest.to_tier_id, count(*)
FROM generate_series(0, 27) AS ago
CROSS JOIN LATERAL (
    SELECT %(now)s::timestamptz - make_interval(days => ago) AS until
) moment
JOIN shop_member member ON member.joined_at <= moment.until
JOIN shop_store store ON store.id = member.store_id
CROSS JOIN LATERAL (
    SELECT ((moment.until AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
) days (date)
CROSS JOIN LATERAL (
    SELECT to_tier_id FROM loyalty_tierchange change
    WHERE change.member_id = member.id AND change.occurred_at <= moment.until
    ORDER BY change.id DESC LIMIT 1
) latest
GROUP BY 1, 2, 3
"""
_STATEMENTS = [_KITCHEN, _EVENTS, _DELIVERED, _UNNUMBERED, _NUMBERED, _COUNTERS, _COUPONS, _TIERS]
