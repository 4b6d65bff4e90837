"""The pages of operation: the points ledger, tiers and visits, rewards."""

from loyalty.admin import (
    earning,
    liability,
    membership,
    money,
    points,
    programme_changes,
    rewards,
)

__all__ = [
    "earning",
    "liability",
    "membership",
    "money",
    "points",
    "programme_changes",
    "rewards",
]
