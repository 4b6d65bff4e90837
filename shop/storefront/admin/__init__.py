"""The pages that need everything: the dashboard, orders, members with what they have."""

from shop.storefront.admin import benefits, dashboard, members, orders, rewards, tiers, vouchers

__all__ = ["benefits", "dashboard", "members", "orders", "rewards", "tiers", "vouchers"]
