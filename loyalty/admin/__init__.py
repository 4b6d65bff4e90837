"""The pages of operation: the points ledger, tiers and visits, rewards."""

from loyalty.admin import membership, points, rewards

__all__ = ["membership", "points", "rewards"]
