"""Checks of stored value: the ledger, and what it paid for."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I20",
        name="stored-value-is-the-sum-of-its-entries",
        sql="""
            SELECT account.id AS account, account.kind, account.balance_cents,
                   COALESCE(sum(entry.cents), 0) AS entries
            FROM loyalty_moneyaccount account
            LEFT JOIN loyalty_moneyentry entry ON entry.account_id = account.id
            GROUP BY account.id
            HAVING account.balance_cents <> COALESCE(sum(entry.cents), 0)
        """,
    ),
    Check(
        id="I20",
        name="each-balance-of-money-follows-from-the-one-before",
        sql="""
            SELECT * FROM (
                SELECT id AS entry, account_id AS account, cents, balance_after_cents,
                       lag(balance_after_cents, 1, 0::bigint) OVER (
                           PARTITION BY account_id ORDER BY id) AS balance_before
                FROM loyalty_moneyentry
            ) chain
            WHERE balance_after_cents <> balance_before + cents
        """,
    ),
    Check(
        id="I20",
        name="what-stored-value-paid-was-taken-from-it",
        sql="""
            SELECT orders.number, paid.cents AS paid, taken.cents AS taken,
                   returned.cents AS returned, taken.returned AS given_back
            FROM (SELECT order_id, sum(amount_cents) AS cents FROM shop_payment
                  WHERE method IN ('stored_value', 'gift_card') GROUP BY order_id) paid
            FULL JOIN (SELECT order_id, COALESCE(-sum(cents) FILTER (WHERE kind = 'spend'), 0)
                              AS cents,
                              COALESCE(sum(cents) FILTER (WHERE kind = 'give_back'), 0) AS returned
                       FROM loyalty_moneyentry WHERE order_id IS NOT NULL GROUP BY order_id) taken
                   ON taken.order_id = paid.order_id
            LEFT JOIN (SELECT order_id, sum(stored_cents) AS cents FROM shop_refund
                       GROUP BY order_id) returned
                   ON returned.order_id = COALESCE(paid.order_id, taken.order_id)
            JOIN shop_order orders ON orders.id = COALESCE(paid.order_id, taken.order_id)
            WHERE COALESCE(paid.cents, 0) <> COALESCE(taken.cents, 0)
               OR COALESCE(returned.cents, 0) <> COALESCE(taken.returned, 0)
        """,
    ),
    Check(
        id="I20",
        name="nobody-gets-back-more-than-they-paid",
        sql="""
            SELECT order_id AS "order", account_id AS account, sum(cents) AS cents
            FROM loyalty_moneyentry WHERE order_id IS NOT NULL
            GROUP BY order_id, account_id HAVING sum(cents) > 0
        """,
    ),
    Check(
        id="I20",
        name="a-sale-of-stored-value-was-paid-and-booked",
        sql="""
            SELECT sale.number, sale.paid_cents, paid.cents AS tenders, booked.cents AS booked
            FROM loyalty_storedvaluesale sale
            LEFT JOIN (SELECT sale_id, sum(amount_cents) AS cents
                       FROM loyalty_storedvaluepayment GROUP BY sale_id) paid
                   ON paid.sale_id = sale.id
            LEFT JOIN (SELECT source, sum(cents) AS cents FROM loyalty_moneyentry
                       WHERE kind IN ('top_up', 'gift', 'issue') GROUP BY source) booked
                   ON booked.source = 'sale:' || sale.number
            WHERE paid.cents IS DISTINCT FROM sale.paid_cents
               OR booked.cents IS DISTINCT FROM sale.paid_cents + sale.gift_cents
        """,
    ),
    Check(
        id="I20",
        name="a-gift-that-expired-is-gone",
        sql="""
            SELECT account.id AS account, account.balance_cents, account.expires_at
            FROM loyalty_moneyaccount account
            WHERE account.balance_cents > 0
              AND account.expires_at < %(now)s::timestamptz - interval '1 day'
        """,
    ),
]
