"""What goes in and out of the API of partners."""

from typing import Any

from rest_framework import serializers

from campaigns.api.serializers import SlugField
from campaigns.models import (
    KolDeal,
    Partner,
)
from campaigns.models.partners import WHOLE
from shop.kernel.serializers import (
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)


class ShareField(StrictIntegerField):
    """A share in basis points: 10 000 is all of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=WHOLE, help_text="In basis points.", **kwargs)


class PartnerRequest(StrictSerializer):
    """A new partner."""

    code = SlugField(max_length=40)
    kind = serializers.ChoiceField(choices=Partner.Kind.choices)
    name_zh = StrictCharField(max_length=80)
    name_en = StrictCharField(max_length=80)
    contact = StrictCharField(max_length=200, required=False)


class PartnerOut(serializers.ModelSerializer[Partner]):
    """A partner; never the keys of their systems."""

    class Meta:
        model = Partner
        fields = ("code", "kind", "name_zh", "name_en", "contact", "is_active")


class KolOut(PartnerOut):
    """An opinion leader, with what came of their deals; statements count once approved."""

    deals = serializers.IntegerField(source="number_of_deals")
    sales_cents = serializers.IntegerField(help_text="Net, corrections included.")
    earned_cents = serializers.IntegerField(help_text="Fees and commissions.")

    class Meta:
        model = Partner
        fields = (*PartnerOut.Meta.fields, "deals", "sales_cents", "earned_cents")


class PartnerKeyOut(serializers.Serializer[Any]):
    """A key in clear: shown now, kept nowhere."""

    key = serializers.CharField()


class PoolOut(serializers.Serializer[Any]):
    """Coupons that are a partner's to hand out."""

    coupon = serializers.CharField(source="definition.code")
    name_zh = serializers.CharField(source="definition.name_zh")
    name_en = serializers.CharField(source="definition.name_en")


class OwnCobrandOut(serializers.Serializer[Any]):
    """A campaign as its partner sees it."""

    campaign = serializers.CharField(source="campaign.code")
    name_zh = serializers.CharField(source="campaign.name_zh")
    name_en = serializers.CharField(source="campaign.name_en")
    starts_at = serializers.DateTimeField(source="campaign.starts_at")
    ends_at = serializers.DateTimeField(source="campaign.ends_at", allow_null=True)
    pools = PoolOut(many=True)


class OwnDealOut(serializers.ModelSerializer[KolDeal]):
    """A deal as its partner sees it."""

    class Meta:
        model = KolDeal
        fields = ("id", "label", "status", "starts_on", "last_on")


class PartnerMeOut(PartnerOut):
    """What a partner's own key may know of itself."""

    deals = OwnDealOut(many=True)
    cobrands = OwnCobrandOut(many=True)

    class Meta:
        model = Partner
        fields = (*PartnerOut.Meta.fields, "deals", "cobrands")
