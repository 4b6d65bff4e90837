"""Ad platforms were told only what they may be told, and costs count once."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I21",
        name="nothing-was-told-without-consent",
        sql="""
            SELECT upload.id AS upload, upload.member_id AS member
            FROM campaigns_adupload upload
            WHERE upload.state = 'sent' AND NOT EXISTS (
                SELECT FROM shop_consent consent
                WHERE consent.member_id = upload.member_id
                  AND consent.purpose = 'ad_measurement' AND consent.is_given
                  AND consent.recorded_at <= upload.sent_at
            )
        """,
    ),
    Check(
        id="I21",
        name="a-refund-is-told-only-after-its-order",
        sql="""
            SELECT told.id AS upload, told.source
            FROM campaigns_adupload told
            JOIN shop_refund refund ON told.source = 'refund:' || refund.number
            JOIN shop_order orders ON orders.id = refund.order_id
            WHERE told.event = 'refund' AND told.state = 'sent' AND NOT EXISTS (
                SELECT FROM campaigns_adupload paid
                WHERE paid.event IN ('first_order', 'order') AND paid.state = 'sent'
                  AND paid.click_id = told.click_id AND paid.source = 'order:' || orders.number
            )
        """,
    ),
    Check(
        id="I21",
        name="a-day-costs-in-all-or-by-keyword",
        sql="""
            SELECT link_id AS link, date::text AS date FROM campaigns_dailycost
            GROUP BY link_id, date
            HAVING bool_or(keyword = '') AND bool_or(keyword <> '')
        """,
    ),
]
