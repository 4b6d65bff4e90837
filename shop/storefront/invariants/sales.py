"""Checks of orders, payments and refunds, and of what each of them must have caused."""

from shop.storefront.invariants.check import Check

# Points due back for an order's refunds: the refunded share of what it gave, rounded down as
# loyalty.reversals.RefundShare does; all of it when the whole order came back without money moving.
_DUE = """
    CASE WHEN orders.{whole} = 0 THEN CASE WHEN orders.status = 'refunded' THEN {points} ELSE 0 END
         ELSE {points} * {refunded} / orders.{whole} END
"""
_EARNED_DUE = _DUE.format(
    whole="earning_cents",
    points="COALESCE(promise.points, earned.points)",
    refunded="COALESCE(lines.earning_refunded, 0)",
)
_SPENT_DUE = _DUE.format(
    whole="paid_cents", points="-spent.points", refunded="orders.refunded_cents"
)

_UNMERGED = """NOT EXISTS (SELECT FROM shop_member merged
                              WHERE merged.merged_into_id = orders.member_id)"""
"""An order of somebody who is one membership; who was merged has entries in several wallets."""

CHECKS = [
    Check(
        id="I7",
        name="payments-are-what-was-paid",
        sql="""
            SELECT orders.number, orders.status, orders.payable_cents, orders.paid_cents,
                   COALESCE(sum(payment.amount_cents), 0) AS payments
            FROM shop_order orders
            LEFT JOIN shop_payment payment
                   ON payment.order_id = orders.id AND NOT payment.is_orphan
            GROUP BY orders.id
            HAVING orders.paid_cents <> COALESCE(sum(payment.amount_cents), 0)
                OR (orders.paid_at IS NOT NULL AND orders.paid_cents <> orders.payable_cents)
                OR (orders.paid_at IS NULL) <> (orders.status IN ('pending', 'cancelled'))
                OR (orders.paid_at IS NULL AND orders.paid_cents <> 0)
        """,
    ),
    Check(
        id="I7",
        name="refunds-are-what-was-given-back",
        sql="""
            SELECT orders.number, orders.paid_cents, orders.refunded_cents,
                   COALESCE(sum(refund.amount_cents), 0) AS refunds
            FROM shop_order orders
            LEFT JOIN shop_refund refund ON refund.order_id = orders.id
            GROUP BY orders.id
            HAVING orders.refunded_cents <> COALESCE(sum(refund.amount_cents), 0)
                OR orders.refunded_cents > orders.paid_cents
        """,
    ),
    Check(
        id="I7",
        name="refund-lines-are-the-refund",
        sql="""
            SELECT refund.number, refund.amount_cents, COALESCE(sum(line.amount_cents), 0) AS lines
            FROM shop_refund refund
            LEFT JOIN shop_refundline line ON line.refund_id = refund.id
            GROUP BY refund.id
            HAVING refund.amount_cents <> COALESCE(sum(line.amount_cents), 0)
        """,
    ),
    Check(
        id="I7",
        name="a-line-knows-its-refunds",
        sql="""
            SELECT line.id AS line, line.refunded_cents, line.refunded_quantity,
                   COALESCE(sum(part.amount_cents), 0) AS cents,
                   COALESCE(sum(part.quantity), 0) AS pieces
            FROM shop_orderline line
            LEFT JOIN shop_refundline part ON part.line_id = line.id
            GROUP BY line.id
            HAVING line.refunded_cents <> COALESCE(sum(part.amount_cents), 0)
                OR line.refunded_quantity <> COALESCE(sum(part.quantity), 0)
        """,
    ),
    Check(
        id="I7",
        name="refunded-means-whole",
        sql="""
            SELECT orders.number, orders.status, orders.paid_cents, orders.refunded_cents,
                   bool_and(line.refunded_quantity = line.quantity) AS has_all_pieces
            FROM shop_order orders JOIN shop_orderline line ON line.order_id = orders.id
            GROUP BY orders.id
            HAVING (orders.status = 'refunded') <> (
                orders.paid_at IS NOT NULL
                AND (bool_and(line.refunded_quantity = line.quantity)
                     OR (orders.paid_cents > 0 AND orders.refunded_cents = orders.paid_cents)))
        """,
    ),
    Check(
        id="I7",
        name="a-member's-order-is-one-visit",
        sql="""
            SELECT orders.number, orders.status, visit.reversed_at, visit.member_id AS visitor
            FROM shop_order orders
            FULL JOIN loyalty_visit visit ON visit.order_id = orders.id
            WHERE (orders.paid_at IS NOT NULL AND orders.member_id IS NOT NULL)
                  <> (visit.order_id IS NOT NULL)
               OR visit.member_id <> orders.member_id
               OR visit.store_id <> orders.store_id
               OR visit.business_date <> orders.business_date
               OR (visit.order_id IS NOT NULL
                   AND (visit.reversed_at IS NOT NULL) <> (orders.status = 'refunded'))
        """,
    ),
    Check(
        id="I7",
        name="a-member's-order-earns-once-in-each-wallet",
        sql=f"""
            SELECT orders.number, orders.earning_cents, account.wallet, count(entry.id) AS entries
            FROM shop_order orders
            JOIN loyalty_pointsaccount account ON account.member_id = orders.member_id
            LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
            LEFT JOIN loyalty_pointsentry entry
                   ON entry.account_id = account.id AND entry.kind = 'earn'
                  AND entry.source = 'order:' || orders.number
            WHERE orders.paid_at IS NOT NULL AND account.wallet IN ('points', 'qualifying')
              AND {_UNMERGED}
            GROUP BY orders.id, account.id, programme.id
            HAVING count(entry.id) > 1 OR (
                count(entry.id) = 0 AND orders.earning_cents >= 100
                AND NOT EXISTS (SELECT FROM loyalty_moneyentry spent
                                WHERE spent.order_id = orders.id AND spent.kind = 'spend')
                AND NOT EXISTS (SELECT FROM loyalty_pendingpoints promise
                                WHERE promise.account_id = account.id AND promise.kind = 'earn'
                                  AND promise.source = 'order:' || orders.number)
                AND CASE account.wallet
                    WHEN 'points' THEN CASE WHEN orders.boost_points < 0 THEN 0
                                       ELSE COALESCE(programme.points_per_yuan, 1) END
                    ELSE COALESCE(programme.qualifying_per_yuan, 1) END > 0)
        """,  # noqa: S608 - our own expression
    ),
    Check(
        id="I7",
        name="a-member's-order-earns-its-stamps-once",
        sql=f"""
            SELECT orders.number, orders.stamps, entry.points AS entered, promise.points AS promised
            FROM shop_order orders
            LEFT JOIN loyalty_pointsaccount account
                   ON account.member_id = orders.member_id AND account.wallet = 'stamps'
            LEFT JOIN loyalty_pointsentry entry
                   ON entry.account_id = account.id AND entry.kind = 'earn'
                  AND entry.source = 'order:' || orders.number
            LEFT JOIN loyalty_pendingpoints promise
                   ON promise.account_id = account.id AND promise.kind = 'earn'
                  AND promise.source = 'order:' || orders.number
            WHERE orders.member_id IS NOT NULL AND {_UNMERGED}
              AND (orders.stamps <> 0 OR entry.id IS NOT NULL)
              AND COALESCE(promise.points, entry.points, 0)
                  <> CASE WHEN orders.paid_at IS NULL THEN 0 ELSE orders.stamps END
        """,  # noqa: S608 - our own expression
    ),
    Check(
        id="I7",
        name="nothing-is-earned-without-an-order",
        sql="""
            SELECT entry.id AS entry, entry.source, orders.status
            FROM loyalty_pointsentry entry
            JOIN loyalty_pointsaccount account ON account.id = entry.account_id
            JOIN shop_member owner ON owner.id = account.member_id
            LEFT JOIN shop_order orders ON entry.source = 'order:' || orders.number
            WHERE entry.kind = 'earn' AND entry.source LIKE 'order:%%'
              AND (orders.paid_at IS NULL OR orders.member_id IS DISTINCT FROM
                   COALESCE(owner.merged_into_id, owner.id))
        """,
    ),
    Check(
        id="I7",
        name="points-spent-are-the-order's",
        sql=f"""
            SELECT orders.number, orders.points_spent, COALESCE(sum(entry.points), 0) AS entries
            FROM shop_order orders
            LEFT JOIN loyalty_pointsaccount account
                   ON account.member_id = orders.member_id AND account.wallet = 'points'
            LEFT JOIN loyalty_pointsentry entry
                   ON entry.account_id = account.id AND entry.kind = 'spend'
                  AND entry.source = 'order:' || orders.number
            WHERE {_UNMERGED}
            GROUP BY orders.id
            HAVING -COALESCE(sum(entry.points), 0)
                <> CASE WHEN orders.paid_at IS NULL THEN 0 ELSE orders.points_spent END
        """,  # noqa: S608 - our own expression
    ),
    Check(
        id="I7",
        name="refunds-take-back-what-was-earned",
        sql=f"""
            SELECT orders.number, account.wallet, earned.points AS earned,
                   {_EARNED_DUE} AS due, COALESCE(reversed.points, 0) AS reversed
            FROM shop_order orders
            JOIN loyalty_pointsaccount account ON account.member_id = orders.member_id
            LEFT JOIN loyalty_pointsentry earned
                 ON earned.account_id = account.id AND earned.kind = 'earn'
                AND earned.source = 'order:' || orders.number
            LEFT JOIN loyalty_pendingpoints promise
                 ON promise.account_id = account.id AND promise.kind = 'earn'
                AND promise.source = 'order:' || orders.number
            LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
            LEFT JOIN LATERAL (
                SELECT sum(line.refunded_cents)::bigint AS earning_refunded FROM shop_orderline line
                WHERE line.order_id = orders.id AND line.earns_points
            ) lines ON true
            LEFT JOIN LATERAL (
                SELECT COALESCE(promise.taken_back, 0) - COALESCE(sum(entry.points), 0) AS points
                FROM shop_refund refund
                JOIN loyalty_pointsentry entry
                     ON entry.account_id = account.id AND entry.kind = 'reverse_earn'
                    AND entry.source = 'refund:' || refund.number
                WHERE refund.order_id = orders.id
            ) reversed ON true
            WHERE NOT account.is_closed AND {_UNMERGED} AND (
                  COALESCE(reversed.points, 0) > {_EARNED_DUE}
               OR (COALESCE(reversed.points, 0) < {_EARNED_DUE}
                   AND (account.wallet = 'qualifying'
                        OR COALESCE(programme.clawback, 'allow_debt') = 'allow_debt')))
        """,  # noqa: S608 - our own expression
    ),
    Check(
        id="I7",
        name="refunds-give-back-what-was-spent",
        sql=f"""
            SELECT orders.number, -spent.points AS spent, {_SPENT_DUE} AS due,
                   COALESCE(returned.points, 0) AS returned
            FROM shop_order orders
            JOIN loyalty_pointsaccount account
                 ON account.member_id = orders.member_id AND account.wallet = 'points'
            JOIN loyalty_pointsentry spent
                 ON spent.account_id = account.id AND spent.kind = 'spend'
                AND spent.source = 'order:' || orders.number
            LEFT JOIN LATERAL (
                SELECT sum(entry.points) AS points
                FROM shop_refund refund
                JOIN loyalty_pointsentry entry
                     ON entry.account_id = account.id AND entry.kind = 'reverse_spend'
                    AND split_part(entry.source, '/', 1) = 'refund:' || refund.number
                    AND split_part(entry.source, '/', 2) <> 'reward'
                WHERE refund.order_id = orders.id
            ) returned ON true
            WHERE NOT account.is_closed AND {_UNMERGED}
              AND COALESCE(returned.points, 0) <> {_SPENT_DUE}
        """,  # noqa: S608 - our own expression
    ),
    Check(
        id="I7",
        name="a-member's-order-is-one-conversion",
        sql="""
            SELECT orders.number, orders.paid_cents, count(conversion.id) AS conversions
            FROM shop_order orders
            LEFT JOIN campaigns_conversion conversion
                   ON conversion.order_id = orders.id AND conversion.kind = 'order'
            WHERE orders.member_id IS NOT NULL
            GROUP BY orders.id
            HAVING count(conversion.id) <> CASE WHEN orders.paid_at IS NULL THEN 0 ELSE 1 END
                OR sum(conversion.amount_cents) <> orders.paid_cents
                OR bool_or(conversion.source <> 'order:' || orders.number)
        """,
    ),
    Check(
        id="I7",
        name="a-refund-is-taken-off-its-channel",
        sql="""
            SELECT refund.number, refund.amount_cents, conversion.amount_cents AS conversion,
                   conversion.channel_id AS channel, credited.channel_id AS credited_channel
            FROM shop_refund refund
            JOIN shop_order orders ON orders.id = refund.order_id
            LEFT JOIN campaigns_conversion conversion
                   ON conversion.kind = 'refund' AND conversion.source = 'refund:' || refund.number
            LEFT JOIN campaigns_conversion credited
                   ON credited.kind = 'order' AND credited.order_id = orders.id
            WHERE (conversion.id IS NOT NULL) <> (orders.member_id IS NOT NULL)
               OR conversion.amount_cents <> -refund.amount_cents
               OR conversion.channel_id <> credited.channel_id
        """,
    ),
    Check(
        id="I8",
        name="lines-add-up-to-the-order",
        sql="""
            SELECT orders.number, orders.subtotal_cents, orders.discount_cents,
                   orders.payable_cents, orders.earning_cents,
                   sum(line.subtotal_cents) AS line_subtotals,
                   sum(line.discount_cents) AS line_discounts, sum(line.net_cents) AS line_nets
            FROM shop_order orders LEFT JOIN shop_orderline line ON line.order_id = orders.id
            GROUP BY orders.id
            HAVING count(line.id) = 0
                OR sum(line.subtotal_cents) <> orders.subtotal_cents
                OR sum(line.discount_cents) <> orders.discount_cents
                OR sum(line.net_cents) <> orders.payable_cents
                OR COALESCE(sum(line.net_cents) FILTER (WHERE line.earns_points), 0)
                    <> orders.earning_cents
        """,
    ),
    Check(
        id="I8",
        name="a-line's-discount-is-that-of-its-offers",
        sql="""
            SELECT line.id AS line, line.discount_cents,
                   COALESCE(sum(part.amount_cents), 0) AS parts
            FROM shop_orderline line
            LEFT JOIN shop_orderdiscount part ON part.line_id = line.id
            GROUP BY line.id
            HAVING line.discount_cents <> COALESCE(sum(part.amount_cents), 0)
        """,
    ),
    Check(
        id="I6",
        name="what-a-coupon-took-off-is-its-use",
        sql="""
            SELECT orders.number, given.code, given.cents AS on_lines, used.discount_cents AS used
            FROM (
                SELECT line.order_id, part.code, sum(part.amount_cents) AS cents
                FROM shop_orderdiscount part JOIN shop_orderline line ON line.id = part.line_id
                WHERE part.kind = 'coupon'
                GROUP BY line.order_id, part.code
            ) given
            JOIN shop_order orders ON orders.id = given.order_id AND orders.paid_at IS NOT NULL
            LEFT JOIN campaigns_coupon coupon ON coupon.code = given.code
            LEFT JOIN campaigns_couponredemption used
                   ON used.order_id = orders.id AND used.coupon_id = coupon.id
            WHERE used.discount_cents IS DISTINCT FROM given.cents
        """,
    ),
    Check(
        id="I17",
        name="pickup-numbers-have-no-gaps",
        sql="""
            SELECT numbered.store_id AS store, numbered.business_date, numbered.orders,
                   numbered.first, numbered.last, counter.last_number AS counter
            FROM (
                SELECT store_id, business_date, count(*) AS orders, min(pickup_number) AS first,
                       max(pickup_number) AS last, count(DISTINCT pickup_number) AS numbers
                FROM shop_order WHERE paid_at IS NOT NULL
                GROUP BY store_id, business_date
            ) numbered
            FULL JOIN shop_pickupcounter counter USING (store_id, business_date)
            WHERE numbered.first IS DISTINCT FROM 1
               OR numbered.last <> numbered.orders OR numbered.numbers <> numbered.orders
               OR counter.last_number IS DISTINCT FROM numbered.orders::int
        """,
    ),
    Check(
        id="I7",
        name="what-is-on-the-house-counts-nowhere",
        sql="""
            SELECT orders.number, conversion.kind AS conversion, visit.order_id AS visit,
                   used.order_id AS coupon
            FROM shop_order orders
            LEFT JOIN campaigns_conversion conversion ON conversion.order_id = orders.id
            LEFT JOIN loyalty_visit visit ON visit.order_id = orders.id
            LEFT JOIN campaigns_couponredemption used ON used.order_id = orders.id
            WHERE orders.is_complimentary
              AND (conversion.id IS NOT NULL OR visit.order_id IS NOT NULL
                   OR used.order_id IS NOT NULL
                   OR orders.paid_cents <> 0 OR orders.member_id IS NOT NULL)
        """,
    ),
]
