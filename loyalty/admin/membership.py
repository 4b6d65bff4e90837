"""Tiers and the programme, head office's to write; who is in which tier, and visits."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from loyalty.models import LoyaltyProgramme, Membership, Tier, TierChange, Visit
from shop.admin.pages import Page, ReadOnlyPage
from shop.admin.scoping import VisibleFilter

MEMBER_SEARCH = ["member__phone_last4", "member__name"]


@admin.register(LoyaltyProgramme)
class LoyaltyProgrammePage(Page):
    """How points are earned, spent and lost; there is one, and it cannot be deleted."""

    list_display = ["__str__", "points_per_yuan", "points_per_redeemed_yuan", "clawback"]
    fieldsets = [
        (_("Earning"), {"fields": [("points_per_yuan", "qualifying_per_yuan")]}),
        (
            _("Spending"),
            {
                "fields": [
                    ("points_per_redeemed_yuan", "min_points_per_order"),
                    "max_points_share_percent",
                ]
            },
        ),
        (
            _("Keeping"),
            {
                "fields": [
                    ("points_wait_for", "points_wait_days"),
                    ("points_expire", "points_live_count", "points_last_day"),
                    "expiry_warning_days",
                    ("qualifying_window_days", "clawback"),
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        is_missing = not LoyaltyProgramme.objects.exists()
        return is_missing and super().has_add_permission(request, *args)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: LoyaltyProgramme,
        form: ModelForm[LoyaltyProgramme],
        change: Any,
    ) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)


@admin.register(Tier)
class TierPage(Page):
    """The steps of the programme."""

    list_display = [
        "level",
        "title",
        "role",
        "min_qualifying_points",
        "min_referrals",
        "points_rate_percent",
    ]
    list_display_links = ["level", "title"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["level"]
    fieldsets = [
        (None, {"fields": [("code", "level"), ("name_zh", "name_en"), "role"]}),
        (_("Reached"), {"fields": [("min_qualifying_points", "min_referrals")]}),
        (_("Gives"), {"fields": ["points_rate_percent", "benefits"]}),
    ]


@admin.register(Membership)
class MembershipPage(ReadOnlyPage):
    """Who is in which tier."""

    store_lookup = "member__store_id"
    list_display = ["member", "tier", "tier_since"]
    list_filter = [("tier", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member", "tier"]
    search_fields = MEMBER_SEARCH
    search_help_text = _("Last four digits or name")
    date_hierarchy = "tier_since"
    fields = ["member", "tier", "tier_since"]


@admin.register(TierChange)
class TierChangePage(ReadOnlyPage):
    """Moves from one tier to another."""

    store_lookup = "member__store_id"
    list_display = ["occurred_at", "member", "from_tier", "to_tier", "source"]
    list_display_links = ["occurred_at"]
    list_filter = [("to_tier", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member", "from_tier", "to_tier"]
    search_fields = [*MEMBER_SEARCH, "source"]
    search_help_text = _("Last four digits, name or order number")
    date_hierarchy = "occurred_at"
    fields = ["member", ("from_tier", "to_tier"), "source", "occurred_at"]


@admin.register(Visit)
class VisitPage(ReadOnlyPage):
    """Paid orders as facts about coming back."""

    store_lookup = "store_id"
    list_display = ["visited_at", "member", "store", "order", "reversed_at"]
    list_display_links = ["visited_at"]
    list_filter = [("store", VisibleFilter)]
    list_select_related = ["member", "store", "order"]
    search_fields = [*MEMBER_SEARCH, "order__number"]
    search_help_text = _("Last four digits, name or order number")
    date_hierarchy = "visited_at"
    fields = [("member", "store"), "order", ("business_date", "visited_at"), "reversed_at"]
