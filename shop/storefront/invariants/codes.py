"""Checks of printed codes, of words, and of the buckets in which a rush takes its turns."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I6",
        name="buckets-add-up-to-the-cap",
        sql="""
            SELECT definition.code, definition.total_limit, definition.issued_count,
                   definition.claim_buckets, count(bucket.id) AS buckets,
                   sum(bucket.cap) AS caps, sum(bucket.issued_count) AS issued
            FROM campaigns_coupondefinition definition
            LEFT JOIN campaigns_capbucket bucket ON bucket.definition_id = definition.id
            GROUP BY definition.id
            HAVING count(bucket.id) <> CASE WHEN definition.claim_buckets > 1
                                            THEN definition.claim_buckets ELSE 0 END
                OR (count(bucket.id) > 0 AND sum(bucket.cap)
                        IS DISTINCT FROM definition.total_limit - definition.issued_count)
                OR bool_or(bucket.issued_count > bucket.cap)
        """,
    ),
    Check(
        id="I6",
        name="a-batch-has-the-codes-it-counts",
        sql="""
            SELECT batch.id AS batch, batch.quantity, batch.made_count, made.codes, made.last
            FROM campaigns_codebatch batch
            CROSS JOIN LATERAL (
                SELECT count(*) AS codes, COALESCE(max(number), 0) AS last,
                       COALESCE(min(number), 1) AS first
                FROM campaigns_batchcode printed WHERE printed.batch_id = batch.id
            ) made
            WHERE made.codes <> batch.made_count OR made.last <> batch.made_count
               OR made.first <> 1
        """,
    ),
    Check(
        id="I6",
        name="a-printed-code-is-a-batch's",
        sql="""
            SELECT printed.code, printed.batch_id AS batch FROM campaigns_batchcode printed
            LEFT JOIN campaigns_codebatch batch ON batch.id = printed.batch_id
            WHERE batch.id IS NULL OR batch.kind <> 'each'
        """,
    ),
    Check(
        id="I6",
        name="a-coupon-of-a-batch-is-one-of-its-codes",
        sql="""
            SELECT coupon.code, coupon.batch_id AS batch, batch.kind
            FROM campaigns_coupon coupon
            JOIN campaigns_codebatch batch ON batch.id = coupon.batch_id
            LEFT JOIN campaigns_batchcode printed
                   ON printed.code = coupon.code COLLATE "C"
                  AND printed.batch_id = coupon.batch_id
            WHERE coupon.definition_id <> batch.definition_id
               OR (batch.kind = 'each') <> (printed.number IS NOT NULL)
        """,
    ),
    Check(
        id="I6",
        name="a-word-is-used-as-often-as-counted",
        sql="""
            SELECT batch.word, batch.quantity, batch.used_count, count(coupon.id) AS coupons
            FROM campaigns_codebatch batch
            LEFT JOIN campaigns_coupon coupon ON coupon.batch_id = batch.id
            WHERE batch.kind = 'shared' AND batch.quantity IS NOT NULL
            GROUP BY batch.id
            HAVING batch.used_count <> count(coupon.id) OR batch.used_count > batch.quantity
        """,
    ),
]
