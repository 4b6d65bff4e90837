"""What flows wrote about traffic: touches, where members came from, who has the credit."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.models import Acquisition, Conversion, Touch, TouchTotal
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter

MEMBER_SEARCH = ["member__phone_last4", "member__name"]


@admin.register(Touch)
class TouchPage(ReadOnlyPage):
    """Clicks, scans and visits, as they came in; also those that do not count, and why."""

    store_lookup = "link__store_id"
    list_display = ["occurred_at", "kind", "link", "visitor_id", "quality", "ad_platform"]
    list_display_links = ["occurred_at"]
    list_filter = [
        ("kind", ChoicesDropdownFilter),
        ("quality", ChoicesDropdownFilter),
        ("link__channel", VisibleFilter),
    ]
    list_select_related = ["link"]
    search_fields = ["visitor_id", "link__code"]
    search_help_text = _("Visitor or code of the link")
    date_hierarchy = "occurred_at"
    fields = [
        "occurred_at",
        ("kind", "quality"),
        "link",
        ("visitor_id", "event_id"),
        ("ad_platform", "ad_click_id"),
    ]


@admin.register(TouchTotal)
class TouchTotalPage(ReadOnlyPage):
    """What is left of the touches of months that are past keeping."""

    store_lookup = "link__store_id"
    list_display = ["date", "link", "kind", "touches", "visitors", "flagged"]
    list_display_links = ["date"]
    list_filter = [("kind", ChoicesDropdownFilter), ("link__channel", VisibleFilter)]
    list_select_related = ["link"]
    search_fields = ["link__code", "link__label"]
    search_help_text = _("Code or label of the link")
    date_hierarchy = "date"
    fields = ["date", "link", "kind", ("touches", "visitors", "flagged")]


@admin.register(Acquisition)
class AcquisitionPage(ReadOnlyPage):
    """Where each member came from, frozen when they joined."""

    store_lookup = "member__store_id"
    list_display = ["acquired_at", "member", "channel", "last_link", "referrer"]
    list_display_links = ["acquired_at"]
    list_filter = [("channel", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member", "channel", "last_link", "referrer"]
    search_fields = [*MEMBER_SEARCH, "visitor_id"]
    search_help_text = _("Last four digits, name or visitor")
    date_hierarchy = "acquired_at"
    fields = [
        "member",
        "acquired_at",
        "channel",
        ("first_link", "last_link"),
        "referrer",
        "visitor_id",
    ]


@admin.register(Conversion)
class ConversionPage(ReadOnlyPage):
    """Results and the channels that have the credit for them.

    A result belongs to the store of its order; without one, to where the member joined.
    """

    store_lookup = "owning_store"
    list_display = ["occurred_at", "kind", "channel", "link", "member", "amount_cents"]
    list_display_links = ["occurred_at"]
    list_filter = [("kind", ChoicesDropdownFilter), ("channel", VisibleFilter)]
    list_select_related = ["channel", "link", "member"]
    search_fields = [*MEMBER_SEARCH, "source"]
    search_help_text = _("Last four digits, name or order number")
    date_hierarchy = "occurred_at"
    fields = ["occurred_at", "kind", "source", "member", "order", "channel", "link", "amount_cents"]

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        owning_store = Coalesce("order__store_id", "member__store_id")
        return super().every_row(request).annotate(owning_store=owning_store)
