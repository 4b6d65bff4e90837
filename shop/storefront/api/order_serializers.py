"""What goes in and out where orders are placed, paid, made and given back."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from loyalty import prepaid
from shop.kernel.money import Cents
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from shop.models import Order, OrderLine, Payment, Refund
from shop.orders import STEPS, Tender
from shop.refunds import RefundRequest
from shop.storefront.api.basket_serializers import (
    CODE_LENGTH,
    MAX_LINES,
    MAX_QUANTITY,
    BasketRequest,
    VouchersField,
)


class OrderRequest(BasketRequest):
    """A basket to be ordered at the quoted total."""

    expected_total_cents = AmountField(min_value=0)


class TenderRequest(StrictSerializer):
    """Money that was taken."""

    method = serializers.ChoiceField(choices=Payment.Method.choices)
    amount_cents = AmountField(min_value=0)
    provider_ref = StrictCharField(
        max_length=64, required=False, help_text="The provider's number of the payment."
    )
    code = StrictCharField(
        max_length=CODE_LENGTH,
        required=False,
        help_text="Of a `gift_card`: its code. Of `stored_value`: the code on the member's phone.",
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Only nothing is paid with nothing; what vouchers pay is not the till's to say."""
        if data["method"] == Payment.Method.VOUCHER:
            raise serializers.ValidationError(
                {"method": [_("Name the vouchers of the order instead.")]}, code="method"
            )
        if data["method"] == Payment.Method.GIFT_CARD and "code" not in data:
            raise serializers.ValidationError(
                {"code": [_("Name the gift card's code.")]}, code="code"
            )
        if data["method"] not in prepaid.METHODS and "code" in data:
            raise serializers.ValidationError(
                {"code": [_("Only gift cards and stored value have a code.")]}, code="code"
            )
        if data["method"] in prepaid.METHODS and "provider_ref" in data:
            raise serializers.ValidationError(
                {"provider_ref": [_("Stored value has no provider.")]}, code="provider_ref"
            )
        if data["method"] == Payment.Method.NONE and data["amount_cents"]:
            raise serializers.ValidationError(
                {"method": [_("Say how the money was taken.")]}, code="method"
            )
        return data

    def to_tender(self, data: dict[str, Any]) -> Tender:
        """Return the validated data as the flows take it."""
        return Tender(
            method=data["method"],
            amount_cents=Cents(data["amount_cents"]),
            provider_ref=data.get("provider_ref"),
            code=data.get("code", ""),
        )


class SettleRequest(OrderRequest):
    """A basket that the till has the money for. Without tenders all that vouchers leave is cash."""

    pos_order_no = StrictCharField(
        max_length=64, help_text="The till's own number; unique in its store, repeats nothing."
    )
    tenders = serializers.ListField(child=TenderRequest(), required=False, max_length=5)
    vouchers = VouchersField()


class PaymentRequest(StrictSerializer):
    """The tenders of an order; together exactly its payable amount."""

    tenders = serializers.ListField(child=TenderRequest(), min_length=1, max_length=5)


class RefundLineRequest(StrictSerializer):
    """Pieces of a line to take back."""

    line = StrictIntegerField(min_value=1, max_value=MAX_LINES, help_text="Position of the line.")
    quantity = StrictIntegerField(min_value=1, max_value=MAX_QUANTITY)


class RefundOrderRequest(StrictSerializer):
    """What to give back: `lines`, or `amount_cents`, or neither for all that is left."""

    lines = serializers.ListField(
        child=RefundLineRequest(), required=False, min_length=1, max_length=MAX_LINES
    )
    amount_cents = AmountField(required=False)
    reason = StrictCharField(max_length=200, required=False, allow_blank=True)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Lines and amount exclude each other; a line is named once."""
        if "lines" in data and "amount_cents" in data:
            raise serializers.ValidationError(
                _("Refund lines or an amount, not both."), code="ambiguous"
            )
        positions = [line["line"] for line in data.get("lines", [])]
        if len(set(positions)) != len(positions):
            raise serializers.ValidationError(
                {"lines": [_("A line is named twice.")]}, code="duplicate"
            )
        return data

    def to_request(self) -> RefundRequest:
        """Return the validated data as the flow takes it."""
        data = self.validated_data
        amount = data.get("amount_cents")
        return RefundRequest(
            quantities={line["line"]: line["quantity"] for line in data.get("lines", [])},
            amount_cents=None if amount is None else Cents(amount),
            reason=data.get("reason", ""),
        )


class StepRequest(StrictSerializer):
    """The next step of the kitchen."""

    status = serializers.ChoiceField(choices=sorted(STEPS))


class PricingTrace(serializers.Serializer[Any]):
    """What the evaluator said when the order was priced."""

    order = serializers.CharField()
    trace = serializers.DictField()


class OrderLineOut(serializers.ModelSerializer[OrderLine]):
    """A line of an order."""

    class Meta:
        model = OrderLine
        fields = (
            "position",
            "sku",
            "name_zh",
            "name_en",
            "options",
            "quantity",
            "unit_price_cents",
            "subtotal_cents",
            "discount_cents",
            "net_cents",
            "is_gift",
            "refunded_quantity",
            "refunded_cents",
        )


class OrderSummary(serializers.ModelSerializer[Order]):
    """An order without its lines."""

    store = serializers.CharField(source="store.code")
    member = serializers.UUIDField(source="member.public_id", allow_null=True, default=None)
    pickup_code = serializers.CharField()

    class Meta:
        model = Order
        fields = (
            "number",
            "store",
            "member",
            "pos_order_no",
            "order_type",
            "status",
            "subtotal_cents",
            "discount_cents",
            "payable_cents",
            "paid_cents",
            "refunded_cents",
            "points_spent",
            "is_complimentary",
            "business_date",
            "pickup_code",
            "placed_at",
            "expires_at",
            "paid_at",
            "ready_at",
            "completed_at",
            "cancelled_at",
        )


class OrderDetail(OrderSummary):
    """An order with its lines."""

    lines = OrderLineOut(many=True)

    class Meta:
        model = Order
        fields = (*OrderSummary.Meta.fields, "lines")


class OrderPlaced(OrderSummary):
    """An order that waits for payment until `expires_at`."""


class Receipt(serializers.Serializer[Any]):
    """A paid order, and what it did for the member; the last three are null for a guest."""

    order = OrderSummary()
    points_earned = serializers.IntegerField()
    points_spent = serializers.IntegerField()
    balance = serializers.IntegerField(allow_null=True, help_text="Points available now.")
    tier = serializers.CharField(allow_null=True)
    has_new_tier = serializers.BooleanField()


class RefundOut(serializers.ModelSerializer[Refund]):
    """A refund, and how its order stands after it."""

    order = OrderSummary()

    class Meta:
        model = Refund
        fields = (
            "number",
            "amount_cents",
            "voucher_cents",
            "stored_cents",
            "kept_back_cents",
            "reason",
            "refunded_at",
            "order",
        )


class PaymentNotice(StrictSerializer):
    """What a payment provider reports."""

    order = StrictCharField(max_length=24, help_text="Number of the order.")
    amount_cents = AmountField()
    provider_ref = StrictCharField(max_length=64, help_text="The provider's own number.")


class PaymentNoticeTaken(serializers.Serializer[Any]):
    """How the order stands after the notice."""

    order = serializers.CharField()
    status = serializers.ChoiceField(choices=Order.Status.choices)
