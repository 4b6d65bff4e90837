"""Two years of a chain's orders, written set-based: what reports are measured on."""

from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from shop.models import Store
from shop.storefront.demo import chain

STORES = 20
DAYS = 730
ORDERS_PER_MEMBER = 8
LAST_DAY = date(2026, 6, 30)
FIRST_DAY = LAST_DAY - timedelta(days=DAYS - 1)


def write(*, orders: int) -> None:
    """Fill an empty database with about so many orders of members, and all that led to them.

    Triggers and foreign keys rest meanwhile. Orders lie in the order of time, as they do in a shop.
    """
    chain.load(opened_on=FIRST_DAY)
    for number in range(Store.objects.count(), STORES):
        _copy_store(number)
    values: dict[str, Any] = {
        "members": orders // ORDERS_PER_MEMBER,
        "first_day": FIRST_DAY,
        "days": DAYS,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT setseed(0.5)")
        for statement in _STATEMENTS:
            cursor.execute(statement, values)


def mark_everything() -> None:
    """Let the roll-ups be made of everything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storefront_rollupmark (visitor_id)"
            " SELECT visitor_id FROM campaigns_touch GROUP BY visitor_id ORDER BY min(id)"
        )
        cursor.execute(
            "INSERT INTO storefront_rollupmark (member_id) SELECT id FROM shop_member ORDER BY id"
        )
        cursor.execute(
            "INSERT INTO storefront_rollupmark (store_id, business_date)"
            " SELECT id, day::date FROM shop_store"
            " CROSS JOIN generate_series(%(since)s::date, %(until)s::date, interval '1 day') day"
            " ORDER BY day, id",
            {"since": FIRST_DAY, "until": LAST_DAY},
        )


def _copy_store(number: int) -> None:
    store = Store.objects.get(code="SH001")
    store.pk, store.code, store.pickup_prefix = None, f"B{number:02d}", "B"
    store._state.adding = True
    store.save()


# Every store has a link per channel; a member's link follows from their number. The first of five
# members buys on a later day than that of joining; gaps grow and are random. As many visitors as
# join by a link do not; one of ten of either met us on an earlier day, too.
_STATEMENTS = [
    """
    INSERT INTO campaigns_campaign (code, name_zh, name_en, status, starts_at)
    SELECT 'bench', '测', 'Bench', 'active', %(first_day)s::timestamptz
    """,
    """
    INSERT INTO campaigns_channellink
           (code, label, channel_id, campaign_id, store_id, target_url, is_active, created_at)
    SELECT 'B' || store.id || 'C' || channel.id, 'bench', channel.id, campaign.id, store.id, '',
           true, %(first_day)s::timestamptz
    FROM shop_store store, campaigns_channel channel, campaigns_campaign campaign
    WHERE campaign.code = 'bench' AND channel.code <> 'organic'
    """,
    """
    INSERT INTO campaigns_dailycost
           (link_id, date, keyword, cost_cents, currency, impressions, clicks, estimated_reach)
    SELECT link.id, day::date, '', 2000 + (link.id * 37 + extract(doy FROM day)::int * 13) %% 4000,
           'CNY', 1000, 30, 800
    FROM campaigns_channellink link
    CROSS JOIN generate_series(%(first_day)s::date, %(first_day)s::date + %(days)s::int - 1,
                               interval '1 day') day
    """,
    """
    INSERT INTO shop_member
           (public_id, status, name, phone_sealed, phone_hash, phone_last4, store_id, joined_at)
    SELECT gen_random_uuid(), 'active', '', ''::bytea, decode(lpad(to_hex(n), 64, '0'), 'hex'),
           '0000', store.id, %(first_day)s::timestamptz + interval '4 hours'
               + (n * (%(days)s::float8 / %(members)s)) * interval '1 day'
    FROM generate_series(0, %(members)s::int - 1) n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS number, count(*) OVER () AS stores
          FROM shop_store) store ON store.number = n %% store.stores
    ORDER BY n
    """,
    """
    INSERT INTO campaigns_acquisition
           (member_id, channel_id, first_link_id, last_link_id, visitor_id, acquired_at)
    SELECT member.id, channel.id, link.id, link.id,
           CASE WHEN link.id IS NULL THEN '' ELSE 'v' || member.id END, member.joined_at
    FROM shop_member member
    JOIN (SELECT id, code, row_number() OVER (ORDER BY id) - 1 AS number,
                 count(*) OVER () AS channels FROM campaigns_channel) channel
      ON channel.number = (member.id * 7 / 20) %% channel.channels
    LEFT JOIN campaigns_channellink link
           ON link.store_id = member.store_id AND link.channel_id = channel.id
          AND channel.code <> 'organic'
    """,
    """
    INSERT INTO loyalty_membership (member_id, tier_id, tier_since)
    SELECT member.id, tier.id, member.joined_at
    FROM shop_member member
    JOIN loyalty_tier tier ON tier.level = CASE WHEN member.id %% 10 = 0 THEN 2 ELSE 1 END
    """,
    """
    CREATE TEMP TABLE sale ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY paid_at, member_id) AS n, *
    FROM (
        SELECT member.id AS member_id, member.store_id, channel_id, last_link_id, member.joined_at,
               member.joined_at + interval '1 hour'
                   + CASE WHEN member.id %% 5 = 0 THEN random() * 20 ELSE 0 END * interval '1 day'
                   + power(k, 1.4) * (1 + random() * 12) * interval '1 day' AS paid_at,
               1000 + (member.id * 31 + k * 777) %% 2500 AS cents
        FROM shop_member member
        JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
        CROSS JOIN generate_series(0, 7) k
    ) sale
    WHERE paid_at < %(first_day)s::timestamptz + %(days)s::int * interval '1 day'
    """,
    """
    INSERT INTO shop_order
           (number, store_id, member_id, order_type, status, subtotal_cents, discount_cents,
            payable_cents, paid_cents, refunded_cents, earning_cents, points_spent, coupon_codes,
            reward_code, boost_points, coupon_gifts, pricing_trace, business_date, placed_at,
            paid_at)
    SELECT 'N' || n, store_id, member_id, 'pickup',
           CASE WHEN n %% 100 = 0 THEN 'refunded' ELSE 'completed' END, cents, 0, cents, cents,
           CASE WHEN n %% 100 = 0 THEN cents ELSE 0 END, 0, 0, '{}', '', 0, '{}', '{}',
           ((paid_at AT TIME ZONE 'Asia/Shanghai') - interval '5 hours')::date, paid_at, paid_at
    FROM sale ORDER BY n
    """,
    """
    INSERT INTO shop_orderline
           (order_id, position, product_id, sku, name_zh, name_en, options, quantity,
            unit_price_cents, unit_cost_cents, subtotal_cents, discount_cents, net_cents,
            earns_points, is_gift, refunded_quantity, refunded_cents)
    SELECT orders.id, 1, product.id, '', '', '', '{}', 1, orders.paid_cents,
           orders.paid_cents * 2 / 5, orders.paid_cents, 0, orders.paid_cents, true, false,
           CASE WHEN orders.status = 'refunded' THEN 1 ELSE 0 END, orders.refunded_cents
    FROM shop_order orders CROSS JOIN (SELECT min(id) AS id FROM shop_product) product
    ORDER BY orders.id
    """,
    """
    INSERT INTO shop_refund (order_id, number, amount_cents, voucher_cents, reason, actor,
                             refunded_at)
    SELECT id, 'R' || number, refunded_cents, 0, '', 'bench', paid_at + interval '10 minutes'
    FROM shop_order WHERE status = 'refunded'
    """,
    """
    INSERT INTO shop_refundline (refund_id, line_id, quantity, amount_cents)
    SELECT refund.id, line.id, 1, refund.amount_cents
    FROM shop_refund refund JOIN shop_orderline line ON line.order_id = refund.order_id
    """,
    """
    INSERT INTO campaigns_conversion
           (kind, source, member_id, order_id, channel_id, link_id, amount_cents, occurred_at)
    SELECT 'order', 'order:N' || sale.n, sale.member_id, orders.id,
           CASE WHEN sale.paid_at < sale.joined_at + interval '30 days'
                THEN sale.channel_id ELSE organic.id END,
           CASE WHEN sale.paid_at < sale.joined_at + interval '30 days' THEN sale.last_link_id END,
           sale.cents, sale.paid_at
    FROM sale JOIN shop_order orders ON orders.number = 'N' || sale.n
    CROSS JOIN (SELECT id FROM campaigns_channel WHERE code = 'organic') organic
    ORDER BY orders.id
    """,
    """
    INSERT INTO campaigns_referral
           (referrer_id, referee_id, status, registered_at, qualified_at, order_id)
    SELECT friend.id - 15, friend.id, 'qualified', friend.joined_at, friend.joined_at, NULL
    FROM shop_member friend
    WHERE friend.id %% 25 = 0
      AND EXISTS (SELECT FROM shop_member WHERE shop_member.id = friend.id - 15)
    """,
    """
    INSERT INTO campaigns_touch (event_id, kind, link_id, visitor_id, occurred_at)
    SELECT gen_random_uuid(), kind, acquisition.last_link_id, acquisition.visitor_id || suffix,
           acquisition.acquired_at - wait
    FROM campaigns_acquisition acquisition
    CROSS JOIN (VALUES ('impression', '', interval '2 hours', 1),
                       ('click', '', interval '1 hour', 1),
                       ('impression', 'x', interval '2 hours', 1),
                       ('impression', '', interval '9 days', 10),
                       ('click', 'x', interval '20 days', 10)) AS met (kind, suffix, wait, one_of)
    WHERE acquisition.last_link_id IS NOT NULL AND acquisition.member_id %% one_of = 0
    ORDER BY acquisition.acquired_at - wait
    """,
]
