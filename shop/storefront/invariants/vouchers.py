"""Checks of vouchers of other platforms and of what they paid."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I19",
        name="a-voucher's-payment-has-its-voucher",
        sql="""
            SELECT payment.id AS payment, payment.provider_ref, payment.amount_cents,
                   voucher.status, voucher.price_cents
            FROM shop_payment payment
            LEFT JOIN campaigns_voucher voucher
                   ON payment.provider_ref = 'voucher:' || voucher.public_id
                  AND voucher.order_id = payment.order_id
            WHERE payment.method = 'voucher' AND (
                voucher.id IS NULL OR payment.amount_cents > voucher.price_cents
                OR voucher.status NOT IN ('verified', 'cancelling', 'cancelled'))
        """,
    ),
    Check(
        id="I19",
        name="a-voucher-on-an-order-pays-for-it",
        sql="""
            SELECT voucher.public_id AS voucher, voucher.order_id AS "order", voucher.status
            FROM campaigns_voucher voucher
            LEFT JOIN shop_payment payment
                   ON payment.method = 'voucher' AND payment.order_id = voucher.order_id
                  AND payment.provider_ref = 'voucher:' || voucher.public_id
            WHERE voucher.order_id IS NOT NULL AND payment.id IS NULL
        """,
    ),
    Check(
        id="I19",
        name="a-voucher-goes-back-only-with-its-order",
        sql="""
            SELECT voucher.public_id AS voucher, orders.number, orders.status
            FROM campaigns_voucher voucher JOIN shop_order orders ON orders.id = voucher.order_id
            WHERE voucher.status IN ('cancelling', 'cancelled') AND orders.status <> 'refunded'
        """,
    ),
    Check(
        id="I19",
        name="an-open-voucher-is-asked-about",
        sql="""
            SELECT voucher.public_id AS voucher, voucher.status, voucher.attempts
            FROM campaigns_voucher voucher
            WHERE voucher.status IN ('verifying', 'unknown', 'cancelling')
              AND voucher.next_check_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM shop_alert alert
                  WHERE alert.code = 'voucher-unresolved'
                    AND alert.subject = 'voucher:' || voucher.public_id)
        """,
    ),
]
