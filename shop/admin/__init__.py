"""The pages of the facts: stores, menu, tills, staff, messages, outbox."""

from shop.admin import catalog, messages, outbox, staff, stores, tills

__all__ = ["catalog", "messages", "outbox", "staff", "stores", "tills"]
