"""What goes in and out of the API of tiers, rewards and points."""

from typing import Any

from rest_framework import serializers

from loyalty.models import (
    PointsAccount,
    PointsAdjustment,
    PointsEntry,
    Reward,
    RewardRedemption,
    Tier,
    TierChange,
)
from shop.kernel.serializers import StrictCharField, StrictSerializer


class TierOut(serializers.ModelSerializer[Tier]):
    """A level of membership and what it takes to get there."""

    class Meta:
        model = Tier
        fields = (
            "code",
            "level",
            "role",
            "name_zh",
            "name_en",
            "min_qualifying_points",
            "min_referrals",
            "points_rate_percent",
            "benefits",
        )


class TierChangeOut(serializers.ModelSerializer[TierChange]):
    """A move from one tier to another and why; `kept` is a tier earned again."""

    from_tier = serializers.CharField(source="from_tier.code", default=None, allow_null=True)
    to_tier = serializers.CharField(source="to_tier.code")

    class Meta:
        model = TierChange
        fields = ("from_tier", "to_tier", "reason", "source", "occurred_at")


class RewardOut(serializers.ModelSerializer[Reward]):
    """A drink or topping up to a value, a coupon or goods, to be had for points or stamps."""

    min_tier = serializers.CharField(source="min_tier.code", default=None, allow_null=True)
    is_available = serializers.SerializerMethodField()

    class Meta:
        model = Reward
        fields = (
            "code",
            "name_zh",
            "name_en",
            "kind",
            "wallet",
            "cost_points",
            "max_value_cents",
            "coupon",
            "starts_at",
            "ends_at",
            "min_tier",
            "limit_per_member",
            "valid_days",
            "stock",
            "is_available",
        )

    def get_is_available(self, reward: Reward) -> bool:
        """Return whether there is one left."""
        return reward.stock is None or reward.stock > 0


class RedemptionOut(serializers.ModelSerializer[RewardRedemption]):
    """A reward that a member took; `code` is what an order names as its reward, or what the
    counter hands goods out for. One of kind coupon is used at once, for `coupon_code`."""

    reward = serializers.CharField(source="reward.code")
    kind = serializers.ChoiceField(source="reward.kind", choices=Reward.Kind.choices)
    name_zh = serializers.CharField(source="reward.name_zh")
    name_en = serializers.CharField(source="reward.name_en")
    order = serializers.CharField(source="order.number", default=None, allow_null=True)

    class Meta:
        model = RewardRedemption
        fields = (
            "code",
            "reward",
            "kind",
            "name_zh",
            "name_en",
            "status",
            "wallet",
            "points",
            "order",
            "coupon_code",
            "refund_reason",
            "issued_at",
            "expires_at",
            "resolved_at",
        )


class LedgerQuery(serializers.Serializer[Any]):
    """Which wallet's ledger is shown."""

    wallet = serializers.ChoiceField(
        choices=PointsAccount.Wallet.choices, default=PointsAccount.Wallet.POINTS
    )
    former = serializers.UUIDField(
        required=False, help_text="A membership that was merged into this one: its entries instead."
    )


class LotOut(serializers.Serializer[Any]):
    """What is left of a credit, and until when; null never expires."""

    remaining = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)


class PointsEntryOut(serializers.ModelSerializer[PointsEntry]):
    """One line of the ledger; a credit names its lot."""

    lot = LotOut(default=None, allow_null=True)

    class Meta:
        model = PointsEntry
        fields = ("id", "kind", "points", "balance_after", "source", "occurred_at", "lot")


class ExpiringOut(serializers.Serializer[Any]):
    """A balance by expiry, the soonest first: each moment once."""

    balance = serializers.IntegerField()
    lots = LotOut(many=True)


class ExtensionRequest(StrictSerializer):
    """Which points shall live longer, and through which day."""

    expiring_by = serializers.DateField()
    last_day = serializers.DateField()
    reason = StrictCharField(max_length=200)


class ReinstatementRequest(StrictSerializer):
    """Since when points have expired that shall come back, and through which day they live."""

    expired_since = serializers.DateField()
    last_day = serializers.DateField()
    reason = StrictCharField(max_length=200)


class AdjustmentOut(serializers.ModelSerializer[PointsAdjustment]):
    """A correction by hand, and whether it was agreed to."""

    member = serializers.UUIDField(source="account.member.public_id")
    requested_by = serializers.CharField(source="requested_by.username")
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)

    class Meta:
        model = PointsAdjustment
        fields = (
            "id",
            "member",
            "kind",
            "points",
            "bound_at",
            "until",
            "reason",
            "state",
            "requested_by",
            "requested_at",
            "decided_by",
            "decided_at",
        )
