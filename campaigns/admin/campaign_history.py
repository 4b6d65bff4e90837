"""What became of campaigns: who moved them, and who waits for them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.models import CampaignChange, Reservation
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter


@admin.register(CampaignChange)
class CampaignChangePage(ReadOnlyPage):
    """Who moved which campaign or phase, when and why."""

    store_lookup = "campaign__stores"
    shows_unassigned = True
    list_display = [
        "occurred_at",
        "campaign",
        "phase",
        "from_status",
        "to_status",
        "cause",
        "actor",
    ]
    list_display_links = ["occurred_at"]
    list_filter = [("cause", ChoicesDropdownFilter)]
    list_select_related = ["campaign", "phase__campaign"]
    search_fields = ["campaign__code", "reason", "actor"]
    search_help_text = _("Campaign, reason or person")
    date_hierarchy = "occurred_at"
    fields = [
        ("campaign", "phase"),
        ("from_status", "to_status"),
        ("cause", "actor"),
        "reason",
        "occurred_at",
        "details",
    ]


@admin.register(Reservation)
class ReservationPage(ReadOnlyPage):
    """Who waits for a campaign to start, and what they got."""

    store_lookup = "member__store_id"
    list_display = ["reserved_at", "campaign", "member", "told_at", "coupon"]
    list_display_links = ["reserved_at"]
    list_filter = [("campaign", VisibleFilter), ("told_at", admin.EmptyFieldListFilter)]
    list_select_related = ["campaign", "member", "coupon__definition"]
    search_fields = ["campaign__code", "member__phone_last4", "member__name"]
    search_help_text = _("Campaign, last four digits or name")
    date_hierarchy = "reserved_at"
    fields = [("campaign", "phase"), "member", ("reserved_at", "told_at"), "coupon"]
