"""What goes in and out of the API of resource swaps."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from campaigns.api.serializers import SlugField
from campaigns.models import (
    ResourceSwap,
    SwapDelivery,
)
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictDateField,
    StrictIntegerField,
    StrictSerializer,
)

MOST_UNITS = 2_000_000_000


class SwapRequest(StrictSerializer):
    """What was agreed: theirs is counted in `unit`, ours is worth `agreed_cents`."""

    partner = SlugField(max_length=40)
    label = StrictCharField(max_length=80)  # type: ignore[assignment]  # hides Field's own label
    channel = SlugField(max_length=32)
    campaign = SlugField(max_length=40, required=False)
    we_give = StrictCharField(max_length=200)
    they_give = StrictCharField(max_length=200)
    unit = StrictCharField(max_length=20)
    agreed_quantity = StrictIntegerField(min_value=1, max_value=MOST_UNITS)
    agreed_cents = AmountField(min_value=0)
    agreed_on = StrictDateField()


class SwapOut(serializers.ModelSerializer[ResourceSwap]):
    """A swap, and what of it has come: its value so far is a cost in kind."""

    partner = serializers.CharField(source="partner.code")
    channel = serializers.CharField(source="channel.code")
    campaign = serializers.CharField(source="campaign.code", default=None, allow_null=True)
    delivered_cents = serializers.IntegerField(help_text="Its part of the agreed value.")

    class Meta:
        model = ResourceSwap
        fields = (
            "id",
            "partner",
            "label",
            "channel",
            "campaign",
            "we_give",
            "they_give",
            "unit",
            "agreed_quantity",
            "agreed_cents",
            "agreed_on",
            "delivered_quantity",
            "delivered_cents",
        )


class DeliveryRequest(StrictSerializer):
    """What came, or, negative, what was counted by mistake."""

    quantity = StrictIntegerField(min_value=-MOST_UNITS, max_value=MOST_UNITS)
    delivered_on = StrictDateField()
    reference = StrictCharField(max_length=64, help_text="The delivery note; counts once.")

    def validate_quantity(self, quantity: int) -> int:
        """Nothing is no delivery."""
        if quantity == 0:
            raise serializers.ValidationError(_("Nothing is no delivery."), code="nothing")
        return quantity


class DeliveryOut(serializers.ModelSerializer[SwapDelivery]):
    """A delivery, and its value."""

    class Meta:
        model = SwapDelivery
        fields = ("quantity", "value_cents", "delivered_on", "reference", "recorded_at")
