"""What goes in and out of the API of visits of opinion leaders."""

from rest_framework import serializers

from campaigns.models import (
    KolVisit,
)
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictDateField,
    StrictIntegerField,
    StrictSerializer,
)


class VisitRequest(StrictSerializer):
    """A visit to plan."""

    deal = StrictIntegerField(min_value=1, max_value=2**63 - 1)
    store = StrictCharField(max_length=16)
    visit_date = StrictDateField()
    content_url = StrictCharField(max_length=300, required=False)
    limit_cents = AmountField(required=False, help_text="What the drinks may cost on the menu.")


class VisitOut(serializers.ModelSerializer[KolVisit]):
    """A visit; `order` is what was on the house, once it was served."""

    id = serializers.UUIDField(source="public_id")
    partner = serializers.CharField(source="deal.partner.code")
    store = serializers.CharField(source="store.code")
    order = serializers.CharField(source="order.number", default=None, allow_null=True)

    class Meta:
        model = KolVisit
        fields = ("id", "partner", "store", "visit_date", "content_url", "limit_cents", "order")
