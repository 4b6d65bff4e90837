"""Checks of campaigns: their phases, what those switch on, and who waits for them."""

from shop.storefront.invariants.check import Check

CHECKS = [
    Check(
        id="I20",
        name="an-offer-of-phases-works-only-while-one-runs",
        sql="""
            SELECT offer.kind, offer.code, offer.phases
            FROM (
                SELECT 'coupon' AS kind, definition.code, definition.status,
                       array_agg(phase.status) AS phases
                FROM campaigns_campaignphase_coupon_definitions unlocked
                JOIN campaigns_coupondefinition definition
                     ON definition.id = unlocked.coupondefinition_id
                JOIN campaigns_campaignphase phase ON phase.id = unlocked.campaignphase_id
                GROUP BY definition.id
                UNION ALL
                SELECT 'promotion', promotion.code, promotion.status, array_agg(phase.status)
                FROM campaigns_campaignphase_promotions unlocked
                JOIN campaigns_promotion promotion ON promotion.id = unlocked.promotion_id
                JOIN campaigns_campaignphase phase ON phase.id = unlocked.campaignphase_id
                GROUP BY promotion.id
            ) offer
            WHERE offer.status = 'active' AND 'running' <> ALL(offer.phases)
        """,
    ),
    Check(
        id="I20",
        name="a-phase-stands-where-its-history-says",
        sql="""
            SELECT phase.id AS phase, phase.status, latest.to_status
            FROM campaigns_campaignphase phase
            JOIN LATERAL (
                SELECT to_status FROM campaigns_campaignchange change
                WHERE change.phase_id = phase.id ORDER BY change.id DESC LIMIT 1
            ) latest ON true
            WHERE latest.to_status <> phase.status
        """,
    ),
    Check(
        id="I20",
        name="a-list-counts-its-reservations",
        sql="""
            SELECT phase.id AS phase, phase.reserved_count, count(reservation.id) AS reservations
            FROM campaigns_campaignphase phase
            LEFT JOIN campaigns_reservation reservation ON reservation.phase_id = phase.id
            GROUP BY phase.id
            HAVING phase.reserved_count <> count(reservation.id)
        """,
    ),
    Check(
        id="I20",
        name="a-reserved-coupon-is-the-member's",
        sql="""
            SELECT reservation.id AS reservation, coupon.code
            FROM campaigns_reservation reservation
            JOIN campaigns_coupon coupon ON coupon.id = reservation.coupon_id
            WHERE coupon.source <> 'reservation:' || reservation.campaign_id
               OR reservation.told_at IS NULL
        """,
    ),
]
