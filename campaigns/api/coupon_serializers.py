"""What goes in and out of the API of coupons."""

from typing import Any, Literal

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns import offer_texts
from campaigns.api.offers import SummaryOut
from campaigns.models import Coupon, CouponDefinition, CouponTransfer
from shop.kernel.serializers import StrictCharField, StrictSerializer, StrictUUIDField


class CouponTerms(serializers.ModelSerializer[CouponDefinition]):
    """What a coupon gives; `rule` is the form that docs/pricing.md describes."""

    summary = serializers.SerializerMethodField(help_text="The rule in plain words.")

    class Meta:
        model = CouponDefinition
        fields = ("code", "name_zh", "name_en", "rule", "summary")

    @extend_schema_field(SummaryOut)
    def get_summary(self, definition: CouponDefinition) -> dict[str, str]:
        """Return what guests may know of the offer, in both languages."""
        context: Any = self.root.context  # a dict, made by the view
        if "names" not in context:
            context["names"] = offer_texts.load_names()
        text = offer_texts.of(definition, names=context["names"], for_guests=True)
        return {"zh": text.zh, "en": text.en}


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
            "valid_from",
            "valid_until",
            "is_transferable",
            "per_member_limit",
            "left",
            "taken",
        )

    def get_left(self, definition: Any) -> int | None:
        """Return how many can still be issued."""
        if definition.total_limit is None:
            return None
        left: int = definition.total_limit - definition.all_issued
        return left

    def get_taken(self, definition: Any) -> int | None:
        """Return how many of them the member has had."""
        return getattr(definition, "taken", None)


class CouponOut(serializers.ModelSerializer[Coupon]):
    """One coupon of a wallet; `code` is what an order names."""

    definition = CouponTerms()
    status = serializers.SerializerMethodField()

    class Meta:
        model = Coupon
        fields = ("code", "status", "definition", "issued_at", "starts_at", "expires_at")

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


class GivingRequest(StrictSerializer):
    """Who gets the coupon."""

    member = StrictUUIDField(help_text="The member's id.")


class RevocationRequest(StrictSerializer):
    """Why a coupon is taken back."""

    reason = StrictCharField(max_length=200)


class AcceptanceRequest(StrictSerializer):
    """What was in the link."""

    token = StrictCharField(max_length=64)


class TransferOut(serializers.ModelSerializer[CouponTransfer]):
    """A coupon given, or received: by the direction that the caller sees it from."""

    direction = serializers.SerializerMethodField()
    definition = CouponTerms(source="coupon.definition")
    status = serializers.SerializerMethodField()
    coupon = serializers.SerializerMethodField(help_text="The code in the caller's own wallet.")

    class Meta:
        model = CouponTransfer
        fields = (
            "direction",
            "status",
            "coupon",
            "definition",
            "offered_at",
            "expires_at",
            "closed_at",
        )

    def get_direction(self, transfer: CouponTransfer) -> Literal["given", "received"]:
        """Tell from which side the caller sees it."""
        return "given" if transfer.giver_id == self.context["member_id"] else "received"

    def get_status(self, transfer: CouponTransfer) -> CouponTransfer.Status:
        """Return the status as of now; the job that closes old links may be late."""
        is_late = transfer.expires_at <= self.context["now"]
        if transfer.status == CouponTransfer.Status.OPEN and is_late:
            return CouponTransfer.Status.EXPIRED
        return CouponTransfer.Status(transfer.status)

    def get_coupon(self, transfer: CouponTransfer) -> str:
        """Return the code of the giver's coupon to the giver, of the receiver's to them."""
        is_mine = transfer.giver_id == self.context["member_id"]
        coupon = transfer.coupon if is_mine else transfer.received
        return coupon.code if coupon else ""


class OfferedOut(TransferOut):
    """A new transfer with the token of its link, which is not shown again."""

    token = serializers.CharField()

    class Meta:
        model = CouponTransfer
        fields = ("token", *TransferOut.Meta.fields)
