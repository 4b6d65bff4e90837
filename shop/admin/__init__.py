"""The pages of the facts: stores, menu, tills, staff, alarms, messages, outbox, jobs."""

from shop.admin import alerts, catalog, consents, jobs, messages, outbox, staff, stores, tills

__all__ = [
    "alerts",
    "catalog",
    "consents",
    "jobs",
    "messages",
    "outbox",
    "staff",
    "stores",
    "tills",
]
