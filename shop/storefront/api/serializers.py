"""What goes in and out of the storefront's API."""

from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns import hints
from loyalty import prepaid
from shop.catalog import Choice
from shop.kernel.money import Cents
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
    shown,
)
from shop.models import Order, OrderLine, OrderType, Payment, Refund
from shop.orders import STEPS, Tender
from shop.refunds import RefundRequest
from shop.storefront.api.standing_serializers import StandingOut, standing_of
from shop.storefront.baskets import BasketLine
from shop.storefront.facts import MemberFacts

EARLIEST_BIRTHDAY = date(1900, 1, 1)
MAX_LINES = 50
MAX_VOUCHERS = 10
MAX_QUANTITY = 99
MAX_POINTS = 10**9
CODE_LENGTH = 40
MOST_NEAR_MISSES = 3


# --- baskets -------------------------------------------------------------------------------------


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


class QuoteRequest(BasketRequest):
    """A basket to be priced."""

    vouchers = VouchersField()


class WalletQuoteRequest(BasketRequest):
    """A basket on which the coupons of a wallet are tried."""

    coupons = None  # type: ignore[assignment]
    points = None  # type: ignore[assignment]
    reward = None  # type: ignore[assignment]

    def validate_coupons(self, codes: list[str]) -> list[str]:
        """There are none."""
        return codes


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


# --- answers -------------------------------------------------------------------------------------


class Refusal(serializers.Serializer[Any]):
    """Why a code takes nothing off: what is needed, what there is, what is missing."""

    code = serializers.CharField(source="key")
    reason = serializers.CharField()
    needed = serializers.JSONField(required=False)
    actual = serializers.JSONField(required=False)
    short = serializers.IntegerField(
        allow_null=True, help_text="What is missing, in the unit of the reason."
    )
    hint = serializers.CharField(help_text="The same as a sentence.")


class NearMiss(serializers.Serializer[Any]):
    """An offer that a little more in the cart would bring."""

    code = serializers.CharField(source="key")
    name = serializers.CharField(source="offer")
    reason = serializers.CharField()
    short = serializers.IntegerField(help_text="Fen, pieces or products, by the reason.")
    hint = serializers.CharField(help_text="What to add, as a sentence.")


class Gift(serializers.Serializer[Any]):
    """A product that comes for nothing."""

    product = serializers.CharField(source="product.code")
    name_zh = serializers.CharField(source="product.name_zh")
    name_en = serializers.CharField(source="product.name_en")
    quantity = serializers.IntegerField()


class QuoteLine(serializers.Serializer[Any]):
    """A line with its price."""

    position = serializers.IntegerField()
    product = serializers.CharField()
    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price_cents = serializers.IntegerField()
    subtotal_cents = serializers.IntegerField()
    discount_cents = serializers.IntegerField()
    net_cents = serializers.IntegerField()


class AppliedDiscount(serializers.Serializer[Any]):
    """What one coupon, reward, promotion or member price takes off."""

    kind = serializers.ChoiceField(
        choices=["coupon", "reward", "promotion", "voucher", "member_price"]
    )
    code = serializers.CharField()
    name = serializers.CharField()
    discount_cents = serializers.IntegerField()


class PointsByRule(serializers.Serializer[Any]):
    """What one earning rule adds; a boost's part is rounded up, the sum down."""

    rule = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    points = serializers.IntegerField()


class Quote(serializers.Serializer[Any]):
    """A priced basket; nothing is reserved."""

    lines = serializers.SerializerMethodField()
    subtotal_cents = serializers.IntegerField()
    discount_cents = serializers.IntegerField()
    total_cents = serializers.IntegerField(help_text="What the guest pays.")
    voucher_cents = serializers.IntegerField(help_text="What vouchers pay of it.")
    due_cents = serializers.IntegerField(help_text="What is left to pay at the till.")
    applied = serializers.SerializerMethodField()
    refusals = serializers.SerializerMethodField()
    near_misses = serializers.SerializerMethodField()
    gifts = Gift(many=True)
    coupon_gifts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Coupons to come once it is paid, by definition.",
    )
    points_spent = serializers.IntegerField(source="points")
    points_discount_cents = serializers.IntegerField(source="points_cents")
    points_requested = serializers.IntegerField(
        source="basket.points", help_text="What was asked to be paid with points."
    )
    points_to_earn = serializers.IntegerField(help_text="Boosts included.")
    boost_points = serializers.IntegerField(
        help_text="Those of them that offers and earning rules add."
    )
    points_by_rule = serializers.SerializerMethodField()

    @extend_schema_field(PointsByRule(many=True))
    def get_points_by_rule(self, quote: Any) -> list[dict[str, Any]]:
        """Return what each earning rule adds."""
        if not quote.earning_rules:
            return []
        names = {rule.key: rule for rule in quote.earning_rules}
        return [
            {
                "rule": key,
                "name_zh": names[key].name_zh,
                "name_en": names[key].name_en,
                "points": points,
            }
            for key, points in quote.earned.parts
            if key
        ]

    @extend_schema_field(AppliedDiscount(many=True))
    def get_applied(self, quote: Any) -> list[dict[str, Any]]:
        """Return what each offer takes off, under the kind and code that the order keeps."""
        names = {offer.key: offer.name for offer in quote.pricing.offers}
        found = []
        for applied in quote.pricing.applied:
            kind, code = quote.origin(applied.key)
            found.append(
                {
                    "kind": str(kind),
                    "code": applied.key if applied.key in quote.coupons else code,
                    "name": names[applied.key],
                    "discount_cents": applied.discount_cents,
                }
            )
        return found

    @extend_schema_field(Refusal(many=True))
    def get_refusals(self, quote: Any) -> list[dict[str, Any]]:
        """Return why each entered code that takes nothing off does not."""
        local_time = quote.pricing.situation.cart.local_time
        return [
            {
                "code": refusal.key,
                **refusal.as_json(),
                "hint": hints.explain(refusal, local_time=local_time),
            }
            for refusal in quote.refusals
        ]

    @extend_schema_field(NearMiss(many=True))
    def get_near_misses(self, quote: Any) -> list[dict[str, Any]]:
        """Return the offers that are nearest, a few of them."""
        nearest = hints.near_misses(quote.pricing, most=MOST_NEAR_MISSES)
        return [
            {
                "code": quote.origin(near.key)[1],
                "name": near.offer,
                "reason": str(near.reason),
                "short": near.short,
                "hint": near.hint,
            }
            for near in nearest
        ]

    @extend_schema_field(QuoteLine(many=True))
    def get_lines(self, quote: Any) -> list[dict[str, Any]]:
        """Return each line as it would be written."""
        return [
            {
                "position": position,
                "product": line.product.code,
                "sku": draft.sku,
                "quantity": draft.quantity,
                "unit_price_cents": draft.unit_price_cents,
                "subtotal_cents": draft.subtotal_cents,
                "discount_cents": draft.discount_cents,
                "net_cents": draft.net_cents,
            }
            for position, (line, draft) in enumerate(
                zip(quote.lines, quote.line_drafts(), strict=True), start=1
            )
        ]


class QuoteExplanation(serializers.Serializer[Any]):
    """Every offer that was looked at, and what became of it."""

    total_cents = serializers.IntegerField()
    offers = serializers.ListField(child=serializers.DictField())


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


class WalletSaving(serializers.Serializer[Any]):
    """One coupon on a basket."""

    code = serializers.CharField(source="coupon.code")
    name = serializers.CharField(source="coupon.definition.name")
    expires_at = serializers.DateTimeField(source="coupon.expires_at")
    saves_cents = serializers.IntegerField()
    refusal = serializers.SerializerMethodField(help_text="Null: it gives something.")

    @extend_schema_field(Refusal(allow_null=True))
    def get_refusal(self, saving: Any) -> dict[str, Any] | None:
        """Return why it gives nothing."""
        if saving.refusal is None:
            return None
        hint = hints.explain(saving.refusal, local_time=self.context["local_time"])
        return {"code": saving.refusal.key, **saving.refusal.as_json(), "hint": hint}


class WalletBest(serializers.Serializer[Any]):
    """The coupons that save most together."""

    coupons = serializers.ListField(child=serializers.CharField(), source="best_codes")
    saves_cents = serializers.IntegerField(source="best_saves_cents")
    total_cents = serializers.IntegerField(source="best_total_cents")


class WalletQuote(serializers.Serializer[Any]):
    """What the coupons of a wallet would save on a basket."""

    total_cents = serializers.IntegerField(help_text="Without any of them.")
    coupons = serializers.SerializerMethodField()
    best = WalletBest(source="*")

    @extend_schema_field(WalletSaving(many=True))
    def get_coupons(self, found: Any) -> list[dict[str, Any]]:
        """Return each coupon, the best first."""
        context = {"local_time": found.local_time}
        return [WalletSaving(saving, context=context).data for saving in found.coupons]


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


# --- members -------------------------------------------------------------------------------------


class JoinFields(StrictSerializer):
    """What somebody joins with, beside the phone."""

    name = StrictCharField(max_length=40, required=False, allow_blank=True)
    birthday = serializers.DateField(required=False)
    visitor = StrictCharField(
        max_length=40, required=False, help_text="Visitor id that the link's redirect gave."
    )
    link = StrictCharField(max_length=12, required=False, help_text="Code of the channel link.")
    referral_code = StrictCharField(max_length=16, required=False)


class MemberRequest(JoinFields):
    """A new member at the till."""

    phone = StrictCharField(max_length=24)


class LookupRequest(StrictSerializer):
    """A member by phone, or by the code on their phone's screen."""

    phone = StrictCharField(max_length=24, required=False)
    member_code = StrictCharField(max_length=16, required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two."""
        if len(data) != 1:
            raise serializers.ValidationError(
                _("Send either phone or member_code."), code="ambiguous"
            )
        return data


class MemberOut(serializers.Serializer[Any]):
    """A member as the till or they themselves see them; the phone is never given out."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    phone_last4 = serializers.CharField()
    store = serializers.CharField(help_text="Where they joined.")
    joined_at = serializers.DateTimeField()
    tier = serializers.CharField()
    points_available = serializers.IntegerField(source="available")
    points_balance = serializers.IntegerField(source="balance")
    points_held = serializers.IntegerField(source="held")
    order_count = serializers.IntegerField()
    coupons_available = serializers.IntegerField()
    standing = serializers.SerializerMethodField()

    @extend_schema_field(StandingOut(allow_null=True))
    def get_standing(self, member: MemberFacts) -> dict[str, Any] | None:
        """Return how far the next tier is, and what is at risk."""
        standing = standing_of(member)
        return None if standing is None else shown(StandingOut, standing)


class BirthdayRequest(StrictSerializer):
    """The day somebody was born."""

    birthday = serializers.DateField()

    def validate_birthday(self, day: date) -> date:
        """Refuse days before anybody who lives."""
        if day < EARLIEST_BIRTHDAY:
            raise serializers.ValidationError(_("This is too far away."), code="far-off")
        return day


class LoginCodeRequest(StrictSerializer):
    """The phone that wants to sign in."""

    phone = StrictCharField(max_length=24)


class LoginCodeSent(serializers.Serializer[Any]):
    """The code is on its way; only the sandbox shows it."""

    sandbox_code = serializers.CharField(allow_null=True)


class TokenRequest(JoinFields):
    """A phone and its code; whoever is not a member yet joins."""

    phone = StrictCharField(max_length=24)
    code = StrictCharField(max_length=6, min_length=6)
    store = StrictCharField(
        max_length=16, required=False, help_text="Where to join; else where the link belongs."
    )


class Token(serializers.Serializer[Any]):
    """A member token for `Authorization: Bearer`."""

    token = serializers.CharField()
    member = MemberOut()
    is_new = serializers.BooleanField(help_text="True when this call made them a member.")


class MemberCodeOut(serializers.Serializer[Any]):
    """What to show at the till; lives 30 seconds, works once."""

    code = serializers.CharField()
    expires_at = serializers.DateTimeField()


class ReferralCodeOut(serializers.Serializer[Any]):
    """The code to hand to friends, and how far it got."""

    code = serializers.CharField()
    friends_joined = serializers.IntegerField()
    friends_bought = serializers.IntegerField()
    points_per_friend = serializers.IntegerField()


class AdjustmentRequest(StrictSerializer):
    """Points to add (positive) or take (negative), and why."""

    points = StrictIntegerField(min_value=-MAX_POINTS, max_value=MAX_POINTS)
    reason = StrictCharField(max_length=200, min_length=3)
