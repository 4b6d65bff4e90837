"""The pages of the facts: stores, menu, tills, staff, messages, outbox, jobs."""

from shop.admin import catalog, jobs, messages, outbox, staff, stores, tills

__all__ = ["catalog", "jobs", "messages", "outbox", "staff", "stores", "tills"]
