"""Campaigns with a partner: whose coupons, and who gets and bears how much. Their only writer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Cobrand, CouponDefinition, Partner, PartnerPool
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents, basis_points_of


class CobrandTaken(DomainError):
    """A campaign has one partner, and a coupon is one partner's."""

    code = "cobrand-taken"
    title = _("The campaign or a coupon belongs to a partner already.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """An amount and whose it is; ours + theirs = total, theirs rounded half up."""

    total_cents: Cents
    partner_cents: Cents
    own_cents: Cents

    @classmethod
    def of(cls, total: int, share: int) -> "Split":
        """Split an amount that is not negative by the partner's share in basis points.

        >>> Split.of(1001, 5000)
        Split(total_cents=1001, partner_cents=501, own_cents=500)
        """
        theirs = basis_points_of(total, share)
        return cls(
            total_cents=Cents(total), partner_cents=Cents(theirs), own_cents=Cents(total - theirs)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CobrandReport:
    """What a co-branding brought and cost until now.

    Orders count that used one of the partner's coupons, or have the credit of one of the campaign's
    links; sales are net of refunds. Costs to share are the discounts of the partner's coupons and
    what the campaign's links cost; goods are told and not shared.
    """

    issued: int
    redemptions: int
    orders: int
    goods_cents: Cents
    discount_cents: Cents
    media_cents: Cents
    revenue: Split
    costs: Split


@transaction.atomic
def create(
    campaign: Campaign,
    *,
    partner: Partner,
    revenue_share: int,
    cost_share: int,
    coupons: Sequence[CouponDefinition] = (),
) -> Cobrand:
    """Make a campaign a partner's too, with the coupons that are theirs to hand out.

    Raises:
        CobrandTaken
    """
    try:
        with transaction.atomic():
            cobrand = Cobrand.objects.create(
                campaign=campaign,
                partner=partner,
                revenue_share=revenue_share,
                cost_share=cost_share,
            )
            PartnerPool.objects.bulk_create(
                PartnerPool(cobrand=cobrand, definition=definition) for definition in coupons
            )
    except IntegrityError as error:
        raise CobrandTaken from error
    return cobrand


def report(cobrand: Cobrand) -> CobrandReport:
    """Return what a co-branding brought and cost, split as agreed."""
    with connection.cursor() as cursor:
        cursor.execute(_REPORT_SQL, {"cobrand": cobrand.pk, "campaign": cobrand.campaign_id})
        names = [column.name for column in cursor.description]
        row: dict[str, Any] = dict(zip(names, cursor.fetchone(), strict=True))
    return CobrandReport(
        issued=row["issued"],
        redemptions=row["redemptions"],
        orders=row["orders"],
        goods_cents=row["goods_cents"],
        discount_cents=row["discount_cents"],
        media_cents=row["media_cents"],
        revenue=Split.of(row["sales_cents"], cobrand.revenue_share),
        costs=Split.of(row["discount_cents"] + row["media_cents"], cobrand.cost_share),
    )


_REPORT_SQL = """
WITH given AS (
    SELECT coupon.id FROM campaigns_partnerpool pool
    JOIN campaigns_coupon coupon ON coupon.definition_id = pool.definition_id
    WHERE pool.cobrand_id = %(cobrand)s AND coupon.passed_on_from_id IS NULL
),
used AS (
    SELECT redemption.order_id, redemption.discount_cents FROM campaigns_partnerpool pool
    JOIN campaigns_coupon coupon ON coupon.definition_id = pool.definition_id
    JOIN campaigns_couponredemption redemption ON redemption.coupon_id = coupon.id
    WHERE pool.cobrand_id = %(cobrand)s AND redemption.released_at IS NULL
),
theirs AS (
    SELECT order_id FROM used
    UNION
    SELECT conversion.order_id FROM campaigns_channellink link
    JOIN campaigns_conversion conversion
         ON conversion.link_id = link.id AND conversion.kind = 'order'
    WHERE link.campaign_id = %(campaign)s
),
bought AS (
    SELECT orders.id, orders.paid_cents - orders.refunded_cents AS net_cents, goods.cost_cents
    FROM theirs JOIN shop_order orders ON orders.id = theirs.order_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(line.unit_cost_cents * (line.quantity - line.refunded_quantity)), 0)
                   AS cost_cents
        FROM shop_orderline line WHERE line.order_id = orders.id
    ) goods
    WHERE orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
      AND NOT orders.is_complimentary
)
SELECT (SELECT count(*) FROM given) AS issued,
       (SELECT count(*) FROM used) AS redemptions,
       (SELECT COALESCE(sum(discount_cents), 0)::bigint FROM used) AS discount_cents,
       (SELECT count(*) FROM bought) AS orders,
       (SELECT COALESCE(sum(net_cents), 0)::bigint FROM bought) AS sales_cents,
       (SELECT COALESCE(sum(cost_cents), 0)::bigint FROM bought) AS goods_cents,
       (SELECT COALESCE(sum(cost.cost_cents), 0)::bigint FROM campaigns_dailycost cost
        JOIN campaigns_channellink link ON link.id = cost.link_id
        WHERE link.campaign_id = %(campaign)s) AS media_cents
"""
