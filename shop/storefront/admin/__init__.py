"""The pages that need everything: the dashboard, orders, members with what they have."""

from shop.storefront.admin import dashboard, members, orders, vouchers

__all__ = ["dashboard", "members", "orders", "vouchers"]
