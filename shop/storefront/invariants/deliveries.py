"""Checks of messages to the outside and of remembered answers."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I9",
        name="each-event-has-its-message",
        sql="""
            WITH event (topic, key) AS (
                SELECT 'order.paid', 'order:' || number FROM shop_order WHERE paid_at IS NOT NULL
                UNION ALL
                SELECT 'order.refunded', 'refund:' || number FROM shop_refund
                UNION ALL
                SELECT 'member.joined', 'member:' || public_id FROM shop_member
            )
            SELECT event.topic, event.key FROM event
            LEFT JOIN kernel_outboxmessage message
                   ON message.topic = event.topic AND message.key = event.key
            WHERE message.id IS NULL
        """,
    ),
    Check(
        id="I9",
        name="no-message-is-given-up",
        sql="""
            SELECT id AS message, topic, key, attempts, last_error FROM kernel_outboxmessage
            WHERE state = 'dead'
        """,
    ),
    Check(
        id="I10",
        name="a-message-is-received-once",
        sql="""
            SELECT consumer, message_id AS message, count(*) AS receipts FROM kernel_inboxreceipt
            GROUP BY consumer, message_id HAVING count(*) > 1
        """,
    ),
    Check(
        id="I16",
        name="each-remembered-request-has-its-answer",
        sql="""
            SELECT principal, key, route, status FROM kernel_idempotencyrecord
            WHERE status NOT BETWEEN 200 AND 499 OR length(body) = 0 OR content_type = ''
               OR expires_at <= created_at
        """,
    ),
]
