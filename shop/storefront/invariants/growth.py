"""Checks of coupons, rewards, tiers, referrals and where members came from."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I6",
        name="coupon-counters-are-the-coupons",
        sql="""
            SELECT definition.code, definition.issued_count, divided.issued AS in_buckets,
                   issued.coupons, definition.redeemed_count, standing.redemptions,
                   definition.spent_cents, standing.cents
            FROM campaigns_coupondefinition definition
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(bucket.issued_count), 0) AS issued
                FROM campaigns_capbucket bucket WHERE bucket.definition_id = definition.id
            ) divided
            CROSS JOIN LATERAL (
                SELECT count(*) AS coupons FROM campaigns_coupon coupon
                WHERE coupon.definition_id = definition.id AND coupon.passed_on_from_id IS NULL
            ) issued
            CROSS JOIN LATERAL (
                SELECT count(*) AS redemptions, COALESCE(sum(redemption.discount_cents), 0) AS cents
                FROM campaigns_couponredemption redemption
                JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
                WHERE coupon.definition_id = definition.id AND redemption.released_at IS NULL
            ) standing
            WHERE definition.issued_count + divided.issued <> issued.coupons
               OR definition.redeemed_count <> standing.redemptions
               OR definition.spent_cents <> standing.cents
               OR issued.coupons > definition.total_limit
               OR definition.spent_cents > definition.budget_cents
        """,
    ),
    Check(
        id="I6",
        name="nobody-has-more-of-a-coupon-than-allowed",
        sql="""
            SELECT definition.code, coupon.member_id AS member, count(*) AS coupons,
                   definition.per_member_limit
            FROM campaigns_coupon coupon
            JOIN campaigns_coupondefinition definition ON definition.id = coupon.definition_id
            WHERE coupon.member_id IS NOT NULL
              AND NOT EXISTS (SELECT FROM shop_member merged
                              WHERE merged.merged_into_id = coupon.member_id)
            GROUP BY definition.id, coupon.member_id
            HAVING max(coupon.slot) > definition.per_member_limit
                OR count(*) > definition.per_member_limit
        """,
    ),
    Check(
        id="I6",
        name="a-coupon-given-on-is-in-one-wallet",
        sql="""
            SELECT given.code, given.status, received.code AS received, received.status AS became,
                   transfer.status AS transfer
            FROM campaigns_coupon given
            FULL JOIN campaigns_coupon received ON received.passed_on_from_id = given.id
            LEFT JOIN campaigns_coupontransfer transfer ON transfer.received_id = received.id
            LEFT JOIN shop_member receiver ON receiver.id = transfer.receiver_id
            WHERE (given.status = 'transferred' OR received.passed_on_from_id IS NOT NULL)
              AND (given.status IS DISTINCT FROM 'transferred' OR received.id IS NULL
                   OR transfer.status IS DISTINCT FROM 'accepted'
                   OR transfer.coupon_id <> given.id OR transfer.giver_id <> given.member_id
                   OR received.member_id NOT IN (receiver.id, COALESCE(receiver.merged_into_id,
                                                                      receiver.id))
                   OR received.expires_at > GREATEST(given.expires_at, (
                          SELECT max(released_at) + interval '7 days'
                          FROM campaigns_couponredemption WHERE coupon_id = received.id))
                   OR received.definition_id <> given.definition_id)
        """,
    ),
    Check(
        id="I6",
        name="no-revoked-coupon-is-free",
        sql="""
            SELECT code, status, revoked_at FROM campaigns_coupon
            WHERE (status = 'revoked') <> (revoked_at IS NOT NULL AND status NOT IN
                                           ('held', 'redeemed'))
        """,
    ),
    Check(
        id="I6",
        name="a-coupon-is-where-its-order-says",
        sql="""
            SELECT coupon.code, coupon.status, orders.number, orders.status AS order_status,
                   count(redemption.id) AS redemptions
            FROM campaigns_coupon coupon
            LEFT JOIN shop_member owner ON owner.id = coupon.member_id
            LEFT JOIN shop_order orders ON orders.id = coupon.held_by_id
            LEFT JOIN campaigns_couponredemption redemption
                   ON redemption.coupon_id = coupon.id AND redemption.released_at IS NULL
            GROUP BY coupon.id, orders.id, owner.id
            HAVING count(redemption.id) <> CASE coupon.status WHEN 'redeemed' THEN 1 ELSE 0 END
                OR (coupon.status = 'redeemed' AND orders.paid_at IS NULL)
                OR (coupon.status = 'redeemed' AND bool_or(redemption.order_id <> orders.id))
                OR (coupon.status = 'held' AND orders.status <> 'pending')
                OR orders.member_id NOT IN (owner.id, COALESCE(owner.merged_into_id, owner.id))
        """,
    ),
    Check(
        id="I6",
        name="a-redemption-is-the-discount-on-its-order",
        sql="""
            SELECT coupon.code, orders.number, redemption.discount_cents,
                   COALESCE(given.cents, 0) AS given
            FROM campaigns_couponredemption redemption
            JOIN campaigns_coupon coupon ON coupon.id = redemption.coupon_id
            JOIN shop_order orders ON orders.id = redemption.order_id
            LEFT JOIN LATERAL (
                SELECT sum(part.amount_cents) AS cents
                FROM shop_orderline line JOIN shop_orderdiscount part ON part.line_id = line.id
                WHERE line.order_id = orders.id AND part.kind = 'coupon' AND part.code = coupon.code
            ) given ON true
            WHERE redemption.discount_cents <> COALESCE(given.cents, 0)
        """,
    ),
    Check(
        id="I6",
        name="a-reward-is-where-its-points-are",
        sql="""
            SELECT redemption.code, redemption.status, hold.state, hold.points,
                   orders.paid_at, orders.status AS order_status
            FROM loyalty_rewardredemption redemption
            JOIN loyalty_pointshold hold ON hold.id = redemption.hold_id
            LEFT JOIN shop_order orders ON orders.id = redemption.order_id
            WHERE hold.points <> redemption.points
               OR hold.state <> CASE redemption.status
                      WHEN 'issued' THEN 'pending'
                      WHEN 'used' THEN 'posted'
                      WHEN 'expired' THEN 'voided'
                      WHEN 'returned' THEN CASE
                          WHEN redemption.order_id IS NULL AND redemption.handed_out_by = ''
                          THEN 'voided' ELSE 'posted' END
                  END
               OR (redemption.status = 'used' AND redemption.handed_out_by = '' AND (
                      orders.paid_at IS NULL OR orders.status = 'refunded'))
               OR (redemption.status IN ('returned', 'expired') AND redemption.slot IS NOT NULL)
               OR (redemption.status = 'issued' AND orders.status <> 'pending')
               OR orders.member_id <> redemption.member_id
        """,
    ),
    Check(
        id="I13",
        name="a-friend-is-brought-once",
        sql="""
            SELECT referee_id AS referee, count(*) AS referrals FROM campaigns_referral
            GROUP BY referee_id HAVING count(*) > 1
        """,
    ),
    Check(
        id="I13",
        name="nobody-brings-whom-they-came-by",
        sql="""
            WITH RECURSIVE chain (start, member) AS (
                SELECT referrer_id, referee_id FROM campaigns_referral
                WHERE NOT EXISTS (SELECT FROM shop_member merged
                                  WHERE merged.merged_into_id IN (referrer_id, referee_id)
                                     OR merged.id IN (referrer_id, referee_id)
                                        AND merged.merged_into_id IS NOT NULL)
                UNION ALL
                SELECT chain.start, referral.referee_id
                FROM chain JOIN campaigns_referral referral ON referral.referrer_id = chain.member
            ) CYCLE member SET is_cycle USING path
            SELECT DISTINCT start AS member FROM chain WHERE is_cycle OR start = member
        """,
    ),
    Check(
        id="I13",
        name="a-friend-who-bought-is-behind-each-reward",
        sql="""
            SELECT referral.id AS referral, referral.status, entry.account_id AS account,
                   count(*) FILTER (WHERE entry.kind = 'referral') AS rewards,
                   sum(entry.points) AS points
            FROM loyalty_pointsentry entry
            JOIN loyalty_pointsaccount account ON account.id = entry.account_id
            JOIN shop_member owner ON owner.id = account.member_id
            LEFT JOIN campaigns_referral referral ON entry.source = 'referral:' || referral.id
            WHERE entry.kind IN ('referral', 'reverse_referral')
              AND NOT EXISTS (
                  SELECT FROM shop_member merged
                  WHERE merged.merged_into_id = COALESCE(owner.merged_into_id, owner.id))
              AND owner.status <> 'closed'
            GROUP BY referral.id, entry.account_id, entry.source, account.member_id
            HAVING referral.id IS NULL
                OR count(*) FILTER (WHERE entry.kind = 'referral') > 1
                OR account.member_id NOT IN (referral.referrer_id, referral.referee_id)
                OR referral.status = 'registered'
                OR (referral.status = 'void' AND sum(entry.points) < 0)
                OR (referral.status = 'void' AND sum(entry.points) > 0
                    AND NOT EXISTS (SELECT FROM loyalty_loyaltyprogramme programme
                                    WHERE programme.clawback <> 'allow_debt'))
                OR (referral.status = 'qualified' AND sum(entry.points) <= 0)
        """,
    ),
    Check(
        id="I13",
        name="a-promise-stands-while-its-referral-does",
        sql="""
            SELECT promise.id AS promise, promise.state, referral.status, entry.points
            FROM loyalty_pendingpoints promise
            LEFT JOIN campaigns_referral referral ON promise.source = 'referral:' || referral.id
            LEFT JOIN loyalty_pointsentry entry
                   ON entry.account_id = promise.account_id AND entry.kind = promise.kind
                  AND entry.source = promise.source
            WHERE (promise.state = 'posted') <> (entry.id IS NOT NULL)
               OR entry.points <> promise.points - promise.taken_back
               OR (promise.kind = 'referral' AND promise.state = 'pending'
                   AND referral.status IS DISTINCT FROM 'qualified')
               OR (promise.kind = 'referral' AND promise.state = 'voided'
                   AND referral.status IS DISTINCT FROM 'void'
                   AND NOT EXISTS (SELECT FROM loyalty_pointsaccount closed
                                   WHERE closed.id = promise.account_id AND closed.is_closed))
        """,
    ),
    Check(
        id="I13",
        name="a-qualified-referral-has-its-order",
        sql="""
            SELECT referral.id AS referral, referral.status, orders.number, orders.status AS order
            FROM campaigns_referral referral
            LEFT JOIN shop_order orders ON orders.id = referral.order_id
            LEFT JOIN shop_member referee ON referee.id = referral.referee_id
            WHERE (referral.status = 'qualified' AND (
                      orders.paid_at IS NULL OR orders.status = 'refunded'
                      OR orders.member_id NOT IN (referee.id, COALESCE(referee.merged_into_id,
                                                                       referee.id))))
               OR (referral.status = 'registered' AND referral.order_id IS NOT NULL)
        """,
    ),
    Check(
        id="I18",
        name="a-member-has-all-that-members-have",
        sql="""
            SELECT member.id AS member, accounts.wallets, membership.tier_id AS tier,
                   acquisition.channel_id AS channel, conversion.channel_id AS registration
            FROM shop_member member
            CROSS JOIN LATERAL (
                SELECT count(*) AS wallets FROM loyalty_pointsaccount account
                WHERE account.member_id = member.id
                  AND account.wallet IN ('points', 'qualifying')  -- others are opened when used
            ) accounts
            LEFT JOIN loyalty_membership membership ON membership.member_id = member.id
            LEFT JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
            LEFT JOIN campaigns_conversion conversion
                   ON conversion.kind = 'registration'
                  AND conversion.source = 'member:' || member.id
            WHERE accounts.wallets <> 2 OR membership.member_id IS NULL
               OR acquisition.member_id IS NULL
               OR conversion.channel_id IS DISTINCT FROM acquisition.channel_id
        """,
    ),
    Check(
        id="I6",
        name="a-promotion's-use-stands-on-a-standing-order",
        sql="""
            SELECT promotion.code, orders.number, orders.status, used.released_at
            FROM campaigns_promotionuse used
            JOIN campaigns_promotion promotion ON promotion.id = used.promotion_id
            JOIN shop_order orders ON orders.id = used.order_id
            WHERE (used.released_at IS NULL) = (orders.status IN ('cancelled', 'refunded'))
        """,
    ),
    Check(
        id="I6",
        name="a-promotion's-use-is-the-discount-on-its-order",
        sql="""
            SELECT promotion.code, used.order_id, used.discount_cents, given.cents
            FROM campaigns_promotionuse used
            JOIN campaigns_promotion promotion ON promotion.id = used.promotion_id
            LEFT JOIN LATERAL (
                SELECT sum(part.amount_cents) AS cents
                FROM shop_orderline line JOIN shop_orderdiscount part ON part.line_id = line.id
                WHERE line.order_id = used.order_id AND part.kind = 'promotion'
                  AND part.code = promotion.code
            ) given ON true
            WHERE used.discount_cents <> COALESCE(given.cents, 0)
        """,
    ),
    Check(
        id="I6",
        name="limits-of-promotions-are-counted-and-kept",
        sql="""
            SELECT promotion.code, counter.dimension, counter.key, counter.used,
                   standing.uses, counter.spent_cents, standing.cents
            FROM campaigns_promotion promotion
            JOIN campaigns_usagecounter counter ON counter.offer = 'promotion:' || promotion.id
            CROSS JOIN LATERAL (
                SELECT count(*) AS uses, COALESCE(sum(used.discount_cents), 0) AS cents
                FROM campaigns_promotionuse used JOIN shop_order orders ON orders.id = used.order_id
                WHERE used.promotion_id = promotion.id AND used.released_at IS NULL
                  AND CASE counter.dimension
                          WHEN 'member' THEN orders.member_id::text = counter.key
                          WHEN 'store' THEN orders.store_id::text = counter.key
                          ELSE true
                      END
            ) standing
            WHERE counter.dimension IN ('total', 'member', 'store')
              AND (counter.used <> standing.uses OR counter.spent_cents <> standing.cents)
               OR counter.used > CASE counter.dimension
                      WHEN 'total' THEN promotion.uses_total
                      WHEN 'member' THEN promotion.uses_per_member * (
                          1 + (SELECT count(*) FROM shop_member merged
                               WHERE merged.merged_into_id::text = counter.key))
                      WHEN 'store' THEN promotion.uses_per_store
                      WHEN 'day' THEN promotion.uses_per_day
                      WHEN 'week' THEN promotion.uses_per_week
                      WHEN 'month' THEN promotion.uses_per_month
                  END
               OR counter.spent_cents > promotion.budget_cents AND counter.dimension = 'total'
        """,
    ),
    Check(
        id="I6",
        name="limits-of-coupons-are-counted-and-kept",
        sql="""
            SELECT definition.code, counter.dimension, counter.key, counter.used, standing.uses
            FROM campaigns_coupondefinition definition
            JOIN campaigns_usagecounter counter ON counter.offer = 'coupon:' || definition.id
            CROSS JOIN LATERAL (
                SELECT count(*) AS uses
                FROM campaigns_coupon coupon JOIN shop_order orders ON orders.id = coupon.held_by_id
                WHERE coupon.definition_id = definition.id
                  AND coupon.status IN ('held', 'redeemed')
                  AND orders.store_id::text = counter.key
            ) standing
            WHERE counter.dimension = 'store' AND counter.used <> standing.uses
               OR counter.used > CASE counter.dimension
                      WHEN 'store' THEN definition.uses_per_store
                      WHEN 'day' THEN definition.uses_per_day
                      WHEN 'week' THEN definition.uses_per_week
                      WHEN 'month' THEN definition.uses_per_month
                  END
        """,
    ),
    Check(
        id="I18",
        name="an-event-is-one-touch",
        sql="""
            SELECT event_id, count(*) AS touches FROM campaigns_touch
            GROUP BY event_id HAVING count(*) > 1
        """,
    ),
]
