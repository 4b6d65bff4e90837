"""What goes in and out of the API of deals with opinion leaders."""

from rest_framework import serializers

from campaigns.api.partner_serializers import ShareField
from campaigns.api.serializers import SlugField
from campaigns.models import (
    KolDeal,
)
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictDateField,
    StrictSerializer,
)


class DealRequest(StrictSerializer):
    """A new deal, as a draft. Both days count."""

    partner = SlugField(max_length=40)
    label = StrictCharField(max_length=80)  # type: ignore[assignment]  # hides Field's own label
    channel = SlugField(max_length=32)
    campaign = SlugField(max_length=40, required=False)
    fee_cents = AmountField(min_value=0, default=0)
    fee_terms = serializers.ChoiceField(
        choices=KolDeal.FeeTerms.choices, default=KolDeal.FeeTerms.ONCE
    )
    commission = ShareField(default=0)
    starts_on = StrictDateField()
    last_on = StrictDateField()
    links = serializers.ListField(
        child=StrictCharField(max_length=12), default=list, max_length=50, help_text="Link codes."
    )
    coupons = serializers.ListField(
        child=StrictCharField(max_length=40),
        default=list,
        max_length=50,
        help_text="Codes of coupon definitions.",
    )


class DealOut(serializers.ModelSerializer[KolDeal]):
    """A deal; `commission` is in basis points of net sales."""

    partner = serializers.CharField(source="partner.code")
    channel = serializers.CharField(source="channel.code")
    campaign = serializers.CharField(source="campaign.code", default=None, allow_null=True)
    links = serializers.SerializerMethodField()
    coupons = serializers.SerializerMethodField()

    class Meta:
        model = KolDeal
        fields = (
            "id",
            "partner",
            "label",
            "channel",
            "campaign",
            "fee_cents",
            "fee_terms",
            "commission",
            "starts_on",
            "last_on",
            "status",
            "links",
            "coupons",
        )

    def get_links(self, deal: KolDeal) -> list[str]:
        """Return the codes of the links by which it brings people."""
        return sorted(row.link.code for row in deal.deal_links.all())

    def get_coupons(self, deal: KolDeal) -> list[str]:
        """Return the codes of the definitions by which it brings people."""
        return sorted(row.definition.code for row in deal.deal_coupons.all())


class DealStepRequest(StrictSerializer):
    """What becomes of a deal."""

    status = serializers.ChoiceField(choices=["active", "ended", "cancelled"])
