"""What is said of a basket: its lines, and with what it is to cost less."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from shop.catalog import Choice
from shop.kernel.serializers import (
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
)
from shop.models import OrderType, Payment
from shop.storefront.baskets import BasketLine

MAX_LINES = 50
MAX_VOUCHERS = 10
MAX_QUANTITY = 99
MAX_POINTS = 10**9
CODE_LENGTH = 40


class BasketLineRequest(StrictSerializer):
    """One product as chosen: an option per group, toppings with quantities."""

    product = StrictCharField(max_length=32, help_text="Product code from the menu.")
    quantity = StrictIntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)
    options = serializers.DictField(
        child=StrictCharField(max_length=32), default=dict, help_text="Option code per group."
    )
    toppings = serializers.DictField(
        child=StrictIntegerField(min_value=1, max_value=9),
        default=dict,
        help_text="Quantity per topping code.",
    )

    def to_line(self, data: dict[str, Any]) -> BasketLine:
        """Return the validated data as the flows take it."""
        return BasketLine(
            product=data["product"],
            quantity=data["quantity"],
            choice=Choice(options=data["options"], toppings=data["toppings"]),
        )


class BasketRequest(StrictSerializer):
    """What a guest wants to buy. A till's store is its key's; others name the store."""

    store = StrictCharField(max_length=16, required=False, help_text="Members and staff.")
    member = StrictUUIDField(required=False, help_text="Tills and staff: the member's id.")
    order_type = serializers.ChoiceField(choices=OrderType.choices, default=OrderType.PICKUP)
    lines = serializers.ListField(
        child=BasketLineRequest(), min_length=1, max_length=MAX_LINES, allow_empty=False
    )
    coupons = serializers.ListField(
        child=StrictCharField(max_length=CODE_LENGTH), default=list, max_length=10
    )
    points = StrictIntegerField(
        min_value=0, max_value=MAX_POINTS, default=0, help_text="Points to pay with, at most."
    )
    reward = StrictCharField(
        max_length=CODE_LENGTH, required=False, help_text="Code of a redeemed reward."
    )
    payment_method = serializers.ChoiceField(
        choices=Payment.Method.choices,
        required=False,
        help_text="How it will be paid, for offers that ask.",
    )

    def validate_coupons(self, codes: list[str]) -> list[str]:
        """A coupon is entered once."""
        if len(set(codes)) != len(codes):
            raise serializers.ValidationError(_("A coupon is entered twice."), code="duplicate")
        return codes


class VouchersField(serializers.ListField):
    """Group-buy vouchers of a basket, by the ids under which they were looked at."""

    def __init__(self, *, is_required: bool = False) -> None:
        super().__init__(
            child=StrictUUIDField(),
            required=is_required,
            min_length=1 if is_required else 0,
            max_length=MAX_VOUCHERS,
            help_text="Tills only: ids from /vouchers/prepare; to settle they must be verified.",
        )

    def to_internal_value(self, data: Any) -> list[Any]:
        ids = super().to_internal_value(data)
        if len(set(ids)) != len(ids):
            raise serializers.ValidationError(_("A voucher is entered twice."), code="duplicate")
        return ids
