"""What goes in and out where a basket is priced."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns import hints
from shop.storefront.api.basket_serializers import BasketRequest, VouchersField

MOST_NEAR_MISSES = 3


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
    stamps_to_earn = serializers.IntegerField(help_text="Stamps of the stamp card.")
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
        """Return why each entered code or voucher that takes nothing off does not.

        A code stands as it was entered, a voucher under its id.
        """
        local_time = quote.pricing.situation.cart.local_time
        return [
            {
                "code": (
                    refusal.key if refusal.key in quote.coupons else quote.origin(refusal.key)[1]
                ),
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
