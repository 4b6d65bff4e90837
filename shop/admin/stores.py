"""Stores and when they are open."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from shop.admin.pages import Page, Rows
from shop.admin.scoping import VisibleFilter
from shop.models import Store, StoreHours


class HoursRows(Rows):
    """The week of a store."""

    model = StoreHours
    ordering = ["weekday"]
    max_num = 7


@admin.register(Store)
class StorePage(Page):
    """A store; its manager may change it, nobody else's."""

    store_lookup = "id"
    list_display = ["code", "title", "city", "ownership", "opened_on", "stations", "is_active"]
    list_display_links = ["code", "title"]
    list_filter = [("ownership", ChoicesDropdownFilter), "is_active"]
    search_fields = ["code", "name_zh", "name_en", "city"]
    search_help_text = _("Code, name or city")
    ordering = ["code"]
    inlines = [HoursRows]
    fieldsets = [
        (None, {"fields": [("code", "is_active"), ("name_zh", "name_en"), "ownership"]}),
        (_("Place"), {"fields": [("city", "address"), ("longitude", "latitude")]}),
        (_("Other platforms"), {"fields": ["external_ids"]}),
        (_("Day"), {"fields": [("opened_on", "timezone"), "day_starts_at"]}),
        (
            _("Counter"),
            {"fields": [("stations", "pickup_prefix"), ("contact_phone", "contact_wechat")]},
        ),
    ]


@admin.register(StoreHours)
class StoreHoursPage(Page):
    """Opening hours, for managers who may change these and not the store itself."""

    store_lookup = "store_id"
    list_display = ["store", "weekday", "opens_at", "closes_at"]
    list_filter = [("store", VisibleFilter), "weekday"]
    list_select_related = ["store"]
    search_fields = ["store__code", "store__name_zh", "store__name_en"]
    search_help_text = _("Store")
    ordering = ["store__code", "weekday"]
    autocomplete_fields = ["store"]
