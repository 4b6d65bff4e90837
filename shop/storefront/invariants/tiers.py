"""Checks of tiers: they follow from what was collected, as far as they are not kept."""

from loyalty import standing
from shop.storefront.invariants.check import Check

_NOW = "%(now)s::timestamptz"
_SLACK = "interval '2 days'"
"""A review that is a day late breaks nothing."""

CHECKS = [
    Check(
        id="I12",
        name="a-tier-is-earned-or-kept",
        sql=f"""
            SELECT member.id AS member, tier.level, earned.level AS earned_level,
                   most.level AS most_level, membership.kept_until
            FROM shop_member member
            JOIN shop_store store ON store.id = member.store_id
            JOIN loyalty_membership membership ON membership.member_id = member.id
            JOIN loyalty_tier tier ON tier.id = membership.tier_id
            LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
            CROSS JOIN LATERAL (
                SELECT {standing.window_start(_NOW)} AS since, '-infinity'::timestamptz AS ever
            ) clock
            CROSS JOIN LATERAL (
                SELECT CASE COALESCE(programme.qualifying_basis, 'points') WHEN 'spend' THEN 100
                       ELSE 1 END AS unit,
                       {standing.amount_since("clock.ever")} AS ever,
                       {standing.amount_since("clock.since")} AS in_window
            ) collected
            CROSS JOIN LATERAL (
                SELECT count(*) AS ever,
                       count(*) FILTER (WHERE referral.status = 'qualified'
                                          AND referral.qualified_at >= clock.since) AS in_window
                FROM campaigns_referral referral
                WHERE referral.referrer_id = member.id AND referral.qualified_at IS NOT NULL
            ) friends
            CROSS JOIN LATERAL (
                SELECT max(level) AS level FROM loyalty_tier
                WHERE min_qualifying_points * unit <= collected.in_window
                  AND min_referrals <= friends.in_window
            ) earned
            CROSS JOIN LATERAL (
                SELECT max(level) AS level FROM loyalty_tier
                WHERE min_qualifying_points * unit <= collected.ever
                  AND min_referrals <= friends.ever
            ) most
            CROSS JOIN LATERAL (
                SELECT change.occurred_at, change.reason FROM loyalty_tierchange change
                WHERE change.member_id = member.id ORDER BY change.id DESC LIMIT 1
            ) latest
            WHERE NOT EXISTS (SELECT FROM loyalty_tierpin pin
                              WHERE pin.member_id = member.id AND pin.ended_at IS NULL)
              AND NOT EXISTS (SELECT FROM kernel_job job WHERE job.kind = 'tiers.review'
                              AND job.state IN ('waiting', 'running'))
              AND member.status <> 'closed'
              AND (tier.level < earned.level
                   OR (tier.level > GREATEST(most.level, earned.level)
                       AND latest.reason IN ('joined', 'earned', 'refunded', 'kept')
                       AND latest.occurred_at > COALESCE(programme.ladder_changed_at, '-infinity')
                       AND COALESCE(programme.tier_downgrade, 'one_level') <> 'never'))
        """,
    ),
    Check(
        id="I12",
        name="a-tier-is-kept-no-longer-than-its-period",
        sql=f"""
            SELECT membership.member_id AS member, tier.level, membership.kept_until
            FROM loyalty_membership membership
            JOIN loyalty_tier tier ON tier.id = membership.tier_id
            LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
            WHERE (tier.level > (SELECT min(level) FROM loyalty_tier)) <>
                  (membership.kept_until IS NOT NULL)
               OR membership.kept_until + {_SLACK} + make_interval(
                      days => COALESCE(programme.tier_grace_days, 30)) < %(now)s
        """,
    ),
    Check(
        id="I12",
        name="a-tier-is-that-of-the-last-change",
        sql="""
            SELECT membership.member_id AS member, membership.tier_id AS tier, latest.to_tier_id
            FROM loyalty_membership membership
            LEFT JOIN (
                SELECT DISTINCT ON (member_id) member_id, to_tier_id
                FROM loyalty_tierchange ORDER BY member_id, id DESC
            ) latest ON latest.member_id = membership.member_id
            WHERE latest.to_tier_id IS DISTINCT FROM membership.tier_id
        """,
    ),
    Check(
        id="I12",
        name="a-pinned-tier-is-the-members",
        sql=f"""
            SELECT pin.member_id AS member, pin.tier_id, membership.tier_id AS has
            FROM loyalty_tierpin pin
            JOIN loyalty_membership membership ON membership.member_id = pin.member_id
            WHERE pin.ended_at IS NULL
              AND (pin.tier_id <> membership.tier_id OR pin.until + {_SLACK} < %(now)s)
        """,
    ),
    Check(
        id="I12",
        name="paid-periods-follow-each-other",
        sql="""
            SELECT one.member_id AS member, one.id AS one, other.id AS other
            FROM loyalty_planpurchase one
            JOIN loyalty_planpurchase other
              ON other.member_id = one.member_id AND other.plan_id = one.plan_id
             AND other.id > one.id
            WHERE one.refunded_at IS NULL AND other.refunded_at IS NULL
              AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
        """,
    ),
    Check(
        id="I12",
        name="a-paid-plan-order-has-its-period",
        sql="""
            SELECT ordered.number, payment.amount_cents, bought.id AS purchase
            FROM loyalty_planpayment payment
            JOIN loyalty_planorder ordered ON ordered.id = payment.order_id
            JOIN loyalty_planpurchase bought ON bought.id = payment.purchase_id
            WHERE payment.amount_cents <> ordered.price_cents
               OR bought.price_cents <> ordered.price_cents
               OR bought.plan_id <> ordered.plan_id
               OR bought.source <> 'plan-order:' || ordered.number
        """,
    ),
    Check(
        id="I12",
        name="coupons-of-a-benefit-have-their-grant",
        sql="""
            SELECT coupon.code, coupon.source
            FROM campaigns_coupon coupon
            LEFT JOIN loyalty_benefitgrant given
                   ON given.member_id = coupon.member_id
                  AND given.benefit_id = split_part(coupon.source, ':', 2)::bigint
                  AND given.period LIKE split_part(coupon.source, ':', 3) || '%%'
            WHERE coupon.source LIKE 'benefit:%%' AND coupon.passed_on_from_id IS NULL
              AND given.id IS NULL
        """,
    ),
]
