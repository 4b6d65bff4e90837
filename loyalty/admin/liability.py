"""What points will cost, day by day: for who sees the whole chain."""

from django.contrib import admin

from loyalty.models import LiabilitySnapshot
from shop.admin.pages import ForHeadOffice, ReadOnlyPage


@admin.register(LiabilitySnapshot)
class LiabilityPage(ForHeadOffice, ReadOnlyPage):
    """One row per day; how it is measured stands in docs/liability.md."""

    list_display = [
        "date",
        "outstanding",
        "cost_cents",
        "breakage",
        "pending",
        "debt",
        "confidence",
        "difference",
    ]
    ordering = ["-date"]
    date_hierarchy = "date"
    fields = [
        ("date", "taken_at"),
        ("outstanding", "cost_cents"),
        ("pending", "pending_cost_cents"),
        ("breakage", "debt"),
        ("confidence", "difference"),
    ]
