"""What goes in and out of the API of tiers, rewards and points."""

from typing import Any

from rest_framework import serializers

from loyalty.models import PointsEntry, PointsLot, Reward, RewardRedemption, Tier


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


class RewardOut(serializers.ModelSerializer[Reward]):
    """Something to be had for points: a drink up to a value."""

    is_available = serializers.SerializerMethodField()

    class Meta:
        model = Reward
        fields = (
            "code",
            "name_zh",
            "name_en",
            "cost_points",
            "max_value_cents",
            "valid_days",
            "stock",
            "is_available",
        )

    def get_is_available(self, reward: Reward) -> bool:
        """Return whether there is one left."""
        return reward.stock is None or reward.stock > 0


class RedemptionOut(serializers.ModelSerializer[RewardRedemption]):
    """A reward that a member took; `code` is what an order names as its reward."""

    reward = serializers.CharField(source="reward.code")
    name_zh = serializers.CharField(source="reward.name_zh")
    name_en = serializers.CharField(source="reward.name_en")
    order = serializers.CharField(source="order.number", default=None, allow_null=True)

    class Meta:
        model = RewardRedemption
        fields = (
            "code",
            "reward",
            "name_zh",
            "name_en",
            "status",
            "points",
            "order",
            "issued_at",
            "expires_at",
            "resolved_at",
        )


class LotOut(serializers.ModelSerializer[PointsLot]):
    """What is left of a credit, and until when."""

    class Meta:
        model = PointsLot
        fields = ("points", "remaining", "expires_at")


class PointsEntryOut(serializers.ModelSerializer[PointsEntry]):
    """One line of the ledger; a credit names its lot."""

    lot = LotOut(default=None, allow_null=True)

    class Meta:
        model = PointsEntry
        fields = ("id", "kind", "points", "balance_after", "source", "occurred_at", "lot")


class ExpiringOut(serializers.Serializer[Any]):
    """A balance by expiry, the soonest first; null never expires."""

    balance = serializers.IntegerField()
    lots = LotOut(many=True)
