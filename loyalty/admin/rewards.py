"""Rewards, head office's to write, and who took them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from loyalty.models import Reward, RewardRedemption
from shop.admin.pages import Page, ReadOnlyPage
from shop.admin.scoping import VisibleFilter


@admin.register(Reward)
class RewardPage(Page):
    """What points buy."""

    list_display = ["code", "title", "cost_points", "max_value_cents", "stock", "is_active"]
    list_display_links = ["code", "title"]
    list_filter = ["is_active"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["cost_points", "code"]
    fieldsets = [
        (None, {"fields": [("code", "is_active"), ("name_zh", "name_en")]}),
        (None, {"fields": [("cost_points", "max_value_cents"), ("stock", "valid_days")]}),
    ]


@admin.register(RewardRedemption)
class RewardRedemptionPage(ReadOnlyPage):
    """Rewards that members took."""

    store_lookup = "member__store_id"
    list_display = ["issued_at", "code", "reward", "member", "status", "expires_at"]
    list_display_links = ["issued_at", "code"]
    list_filter = [("status", ChoicesDropdownFilter), ("reward", VisibleFilter)]
    list_select_related = ["reward", "member"]
    search_fields = ["code", "member__phone_last4", "member__name"]
    search_help_text = _("Code, last four digits or name")
    date_hierarchy = "issued_at"
    fields = [
        ("code", "status"),
        ("reward", "member"),
        ("points", "order"),
        ("issued_at", "expires_at"),
        "resolved_at",
    ]
