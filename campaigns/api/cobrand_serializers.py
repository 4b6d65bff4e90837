"""What goes in and out of the API of co-brandings."""

from typing import Any

from rest_framework import serializers

from campaigns.api.partner_serializers import PoolOut, ShareField
from campaigns.api.serializers import SlugField
from campaigns.models import (
    Cobrand,
    CouponRedemption,
)
from shop.kernel.serializers import (
    StrictCharField,
    StrictSerializer,
)


class CobrandRequest(StrictSerializer):
    """A campaign that becomes a partner's too; the shares are the partner's."""

    campaign = SlugField(max_length=40)
    partner = SlugField(max_length=40)
    revenue_share = ShareField(default=0)
    cost_share = ShareField(default=0)
    coupons = serializers.ListField(
        child=StrictCharField(max_length=40),
        default=list,
        max_length=50,
        help_text="Codes of the coupon definitions that are theirs.",
    )


class CobrandOut(serializers.ModelSerializer[Cobrand]):
    """A co-branding, with the coupons that are the partner's to hand out."""

    campaign = serializers.CharField(source="campaign.code")
    partner = serializers.CharField(source="partner.code")
    pools = PoolOut(many=True)

    class Meta:
        model = Cobrand
        fields = ("campaign", "partner", "revenue_share", "cost_share", "pools")


class SplitOut(serializers.Serializer[Any]):
    """An amount, and whose it is."""

    total_cents = serializers.IntegerField()
    partner_cents = serializers.IntegerField(help_text="Rounded half up.")
    own_cents = serializers.IntegerField()


class CobrandReportOut(serializers.Serializer[Any]):
    """What a co-branding brought and cost until now; see docs/partners.md."""

    campaign = serializers.CharField()
    partner = serializers.CharField()
    issued = serializers.IntegerField(help_text="Coupons of the partner's that are in wallets.")
    redemptions = serializers.IntegerField()
    orders = serializers.IntegerField()
    goods_cents = serializers.IntegerField(help_text="Cost of the goods sold; not shared.")
    discount_cents = serializers.IntegerField()
    media_cents = serializers.IntegerField(help_text="What the campaign's links cost.")
    revenue = SplitOut(help_text="Net sales.")
    costs = SplitOut(help_text="Discounts and media.")


class PoolUseOut(serializers.ModelSerializer[CouponRedemption]):
    """A use of a partner's coupon; nothing of who used it."""

    coupon = serializers.CharField(source="coupon.definition.code")
    store = serializers.CharField(source="order.store.code")
    order_net_cents = serializers.IntegerField(source="order.net_cents")

    class Meta:
        model = CouponRedemption
        fields = ("coupon", "store", "redeemed_at", "discount_cents", "order_net_cents")
