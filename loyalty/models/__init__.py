"""Rows of loyalty; they point at the shop, never at campaigns."""

from loyalty.models.adjustments import PointsAdjustment
from loyalty.models.benefits import (
    Benefit,
    BenefitGrant,
    BenefitVersion,
    MembershipPlan,
    PlanOrder,
    PlanPayment,
    PlanPurchase,
)
from loyalty.models.earning import EarningEvent, EarningGain, EarningRule, ReceiptClaim
from loyalty.models.liability import LiabilitySnapshot
from loyalty.models.membership import (
    LoyaltyProgramme,
    Membership,
    Tier,
    TierChange,
    TierCount,
    TierPin,
    Visit,
)
from loyalty.models.money import (
    GiftCard,
    MoneyAccount,
    MoneyEntry,
    PayCode,
    StoredValuePayment,
    StoredValuePlan,
    StoredValueSale,
)
from loyalty.models.points import (
    PendingPoints,
    PointsAccount,
    PointsDraw,
    PointsEntry,
    PointsHold,
    PointsLot,
)
from loyalty.models.programme_changes import ProgrammeChange
from loyalty.models.rewards import Reward, RewardRedemption

__all__ = [
    "Benefit",
    "BenefitGrant",
    "BenefitVersion",
    "EarningEvent",
    "EarningGain",
    "EarningRule",
    "GiftCard",
    "LiabilitySnapshot",
    "LoyaltyProgramme",
    "Membership",
    "MembershipPlan",
    "MoneyAccount",
    "MoneyEntry",
    "PayCode",
    "PendingPoints",
    "PlanOrder",
    "PlanPayment",
    "PlanPurchase",
    "PointsAccount",
    "PointsAdjustment",
    "PointsDraw",
    "PointsEntry",
    "PointsHold",
    "PointsLot",
    "ProgrammeChange",
    "ReceiptClaim",
    "Reward",
    "RewardRedemption",
    "StoredValuePayment",
    "StoredValuePlan",
    "StoredValueSale",
    "Tier",
    "TierChange",
    "TierCount",
    "TierPin",
    "Visit",
]
