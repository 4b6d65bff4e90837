"""The pages that need everything: the dashboard, orders, members with what they have."""

from shop.storefront.admin import (
    benefits,
    dashboard,
    issues,
    limits,
    members,
    orders,
    replays,
    rewards,
    tiers,
    vouchers,
)

__all__ = [
    "benefits",
    "dashboard",
    "issues",
    "limits",
    "members",
    "orders",
    "replays",
    "rewards",
    "tiers",
    "vouchers",
]
