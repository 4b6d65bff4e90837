"""The pages of operation: the points ledger, tiers and visits, rewards."""

from loyalty.admin import liability, membership, points, rewards

__all__ = ["liability", "membership", "points", "rewards"]
