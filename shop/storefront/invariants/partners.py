"""Checks of what partners are owed and of what they delivered."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I23",
        name="a-statement-is-the-sum-of-its-lines",
        sql="""
            SELECT statement.id AS statement, statement.orders, statement.sales_cents,
                   statement.corrections_cents, statement.commission_cents,
                   lines.orders AS lines, lines.sales_cents AS sold,
                   lines.corrections_cents AS corrected
            FROM campaigns_dealstatement statement
            JOIN campaigns_koldeal deal ON deal.id = statement.deal_id
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE line.kind = 'order') AS orders,
                       COALESCE(sum(line.net_cents) FILTER (WHERE line.kind = 'order'), 0)
                           AS sales_cents,
                       COALESCE(sum(line.net_cents) FILTER (WHERE line.kind = 'correction'), 0)
                           AS corrections_cents
                FROM campaigns_statementline line WHERE line.statement_id = statement.id
            ) lines
            WHERE (statement.orders, statement.sales_cents, statement.corrections_cents)
                  <> (lines.orders, lines.sales_cents, lines.corrections_cents)
               OR statement.commission_cents <>
                  round((lines.sales_cents + lines.corrections_cents) * deal.commission / 10000.0)
        """,
    ),
    Check(
        id="I23",
        name="what-is-stated-of-an-order-is-within-what-was-paid",
        sql="""
            SELECT orders.number, orders.paid_cents, orders.refunded_cents,
                   sum(line.net_cents) AS stated
            FROM campaigns_statementline line JOIN shop_order orders ON orders.id = line.order_id
            GROUP BY orders.id
            HAVING sum(line.net_cents) NOT BETWEEN orders.paid_cents - orders.refunded_cents
                                               AND orders.paid_cents
        """,
    ),
    Check(
        id="I23",
        name="a-visit-has-an-order-on-the-house",
        sql="""
            SELECT visit.public_id AS visit, orders.number, orders.store_id
            FROM campaigns_kolvisit visit JOIN shop_order orders ON orders.id = visit.order_id
            WHERE NOT orders.is_complimentary OR orders.store_id <> visit.store_id
        """,
    ),
    Check(
        id="I24",
        name="a-swap-delivers-what-its-deliveries-say",
        sql="""
            SELECT swap.id AS swap, swap.agreed_quantity, swap.delivered_quantity,
                   COALESCE(sum(delivery.quantity), 0) AS quantity,
                   COALESCE(sum(delivery.value_cents), 0) AS value_cents
            FROM campaigns_resourceswap swap
            LEFT JOIN campaigns_swapdelivery delivery ON delivery.swap_id = swap.id
            GROUP BY swap.id
            HAVING swap.delivered_quantity <> COALESCE(sum(delivery.quantity), 0)
                OR swap.delivered_quantity NOT BETWEEN 0 AND swap.agreed_quantity
                OR COALESCE(sum(delivery.value_cents), 0) <>
                   swap.agreed_cents * swap.delivered_quantity / swap.agreed_quantity
        """,
    ),
]
