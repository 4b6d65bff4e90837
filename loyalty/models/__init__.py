"""Rows of loyalty; they point at the shop, never at campaigns."""

from loyalty.models.liability import LiabilitySnapshot
from loyalty.models.membership import LoyaltyProgramme, Membership, Tier, TierChange, Visit
from loyalty.models.points import (
    PendingPoints,
    PointsAccount,
    PointsDraw,
    PointsEntry,
    PointsHold,
    PointsLot,
)
from loyalty.models.rewards import Reward, RewardRedemption

__all__ = [
    "LiabilitySnapshot",
    "LoyaltyProgramme",
    "Membership",
    "PendingPoints",
    "PointsAccount",
    "PointsDraw",
    "PointsEntry",
    "PointsHold",
    "PointsLot",
    "Reward",
    "RewardRedemption",
    "Tier",
    "TierChange",
    "Visit",
]
