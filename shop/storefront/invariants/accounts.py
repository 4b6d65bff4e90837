"""Checks of memberships that ended, and of points that staff adjusted."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I19",
        name="who-left-holds-nothing",
        sql="""
            SELECT member.id AS member, member.merged_into_id AS merged_into, account.wallet,
                   account.balance, account.is_closed,
                   EXISTS (SELECT FROM loyalty_pendingpoints promise
                           WHERE promise.account_id = account.id
                             AND promise.state = 'pending') AS has_promises,
                   EXISTS (SELECT FROM campaigns_coupon coupon
                           WHERE coupon.member_id = member.id
                             AND coupon.status IN ('available', 'held')) AS has_coupons,
                   EXISTS (SELECT FROM loyalty_rewardredemption redemption
                           WHERE redemption.member_id = member.id
                             AND redemption.status = 'issued') AS has_rewards
            FROM shop_member member
            JOIN loyalty_pointsaccount account ON account.member_id = member.id
            WHERE member.status = 'closed' AND (
                NOT account.is_closed OR account.balance <> 0 OR account.held <> 0
                OR EXISTS (SELECT FROM loyalty_pendingpoints promise
                           WHERE promise.account_id = account.id AND promise.state = 'pending')
                OR EXISTS (SELECT FROM campaigns_coupon coupon
                           WHERE coupon.member_id = member.id
                             AND coupon.status IN ('available', 'held'))
                OR EXISTS (SELECT FROM loyalty_rewardredemption redemption
                           WHERE redemption.member_id = member.id
                             AND redemption.status = 'issued'))
               OR (account.is_closed AND member.status <> 'closed')
        """,
    ),
    Check(
        id="I19",
        name="a-merge-takes-what-it-gives",
        sql="""
            SELECT split_part(entry.source, '/', 1) AS merge, account.wallet,
                   sum(entry.points) AS points
            FROM loyalty_pointsentry entry
            JOIN loyalty_pointsaccount account ON account.id = entry.account_id
            WHERE entry.kind IN ('merge_in', 'merge_out')
            GROUP BY split_part(entry.source, '/', 1), account.wallet
            HAVING sum(entry.points) <> 0
        """,
    ),
    Check(
        id="I19",
        name="nobody-is-merged-into-who-left",
        sql="""
            SELECT member.id AS member, target.id AS target
            FROM shop_member member
            JOIN shop_member target ON target.id = member.merged_into_id
            WHERE target.merged_into_id IS NOT NULL
               OR (target.erased_at IS NOT NULL AND member.erased_at IS NULL)
        """,
    ),
    Check(
        id="I19",
        name="an-adjustment-is-posted-once-agreed",
        sql="""
            SELECT adjustment.id AS adjustment, adjustment.state, count(entry.id) AS entries
            FROM loyalty_pointsadjustment adjustment
            LEFT JOIN loyalty_pointsentry entry
                   ON entry.source = adjustment.source
                  AND entry.account_id = adjustment.account_id
                  AND CASE adjustment.kind
                      WHEN 'extend' THEN entry.kind = 'extend_in'
                                     AND entry.points <= adjustment.points
                      ELSE entry.kind = 'adjust' AND entry.points = adjustment.points END
            WHERE adjustment.kind <> 'reinstate'
            GROUP BY adjustment.id
            HAVING count(entry.id)
                <> CASE WHEN adjustment.state IN ('posted', 'approved') THEN 1 ELSE 0 END
        """,
    ),
]
