"""What goes in and out of the API of coupons."""

from typing import Any

from rest_framework import serializers

from campaigns.models import Coupon, CouponDefinition


class CouponTerms(serializers.ModelSerializer[CouponDefinition]):
    """What a coupon gives; `rule` is the form that docs/pricing.md describes."""

    class Meta:
        model = CouponDefinition
        fields = ("code", "name_zh", "name_en", "rule")


class CouponDefinitionOut(CouponTerms):
    """A coupon that may be claimed now."""

    left = serializers.SerializerMethodField(help_text="Null: there is no end to them.")
    taken = serializers.SerializerMethodField(
        help_text="How many the member has had; null where no member is asked about."
    )

    class Meta:
        model = CouponDefinition
        fields = (
            *CouponTerms.Meta.fields,
            "claim_starts_at",
            "claim_ends_at",
            "valid_days",
            "valid_until",
            "per_member_limit",
            "left",
            "taken",
        )

    def get_left(self, definition: CouponDefinition) -> int | None:
        """Return how many can still be issued."""
        if definition.total_limit is None:
            return None
        return definition.total_limit - definition.issued_count

    def get_taken(self, definition: Any) -> int | None:
        """Return how many of them the member has had."""
        return getattr(definition, "taken", None)


class CouponOut(serializers.ModelSerializer[Coupon]):
    """One coupon of a wallet; `code` is what an order names."""

    definition = CouponTerms()
    status = serializers.SerializerMethodField()

    class Meta:
        model = Coupon
        fields = ("code", "status", "definition", "issued_at", "expires_at")

    def get_status(self, coupon: Coupon) -> Coupon.Status:
        """Return the status as of now; the job that marks what has expired may be late."""
        is_over = coupon.expires_at <= self.context["now"]
        if coupon.status == Coupon.Status.AVAILABLE and is_over:
            return Coupon.Status.EXPIRED
        return Coupon.Status(coupon.status)


class WalletQuery(serializers.Serializer[Any]):
    """Which coupons of a wallet are shown."""

    status = serializers.ChoiceField(
        choices=Coupon.Status.choices, default="", help_text="Without it: what can be used."
    )
