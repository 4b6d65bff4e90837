"""Earning rules, head office's to write; what they gave, and the events behind it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from loyalty.admin.earning_form import EarningRuleForm, describe
from loyalty.models import EarningEvent, EarningGain, EarningRule, ReceiptClaim
from shop.admin.pages import Page, ReadOnlyPage
from shop.admin.scoping import VisibleFilter

SEARCH = ["member__phone_last4", "member__name"]


@admin.register(EarningRule)
class EarningRulePage(Page):
    """What gives points beside the base rate."""

    form = EarningRuleForm
    list_display = ["code", "title", "in_words", "is_active", "given"]
    list_display_links = ["code", "title"]
    list_filter = ["is_active", ("kind", ChoicesDropdownFilter)]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["-is_active", "code"]
    readonly_fields = ["in_words", "given"]
    conditional_fields = {
        "event": "kind == 'event'",
        "points": "kind != 'boost'",
        "percent": "kind == 'boost'",
        "is_stackable": "kind != 'stamp'",
        "priority": "kind != 'stamp'",
        "products": "kind != 'event'",
        "categories": "kind != 'event'",
        "min_order_cents": "kind != 'event'",
        "max_points_per_order": "kind != 'event'",
    }

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        so_far = [(_("In words"), {"fields": ["in_words", "given"]})] if obj is not None else []
        return [
            *so_far,
            (None, {"fields": [("code", "is_active"), ("name_zh", "name_en")]}),
            (
                _("Gives"),
                {
                    "fields": [
                        ("kind", "event"),
                        ("points", "percent"),
                        ("is_stackable", "priority"),
                    ]
                },
            ),
            (
                _("For what and for whom"),
                {"fields": [("categories", "products"), ("tiers", "stores"), "min_order_cents"]},
            ),
            (
                _("When"),
                {
                    "fields": [("starts_at", "ends_at"), "weekdays", ("from_time", "until_time")],
                    "description": _("Weekdays and times of day are the store's."),
                },
            ),
            (
                _("At most"),
                {
                    "fields": [
                        ("max_points_per_order", "max_points_per_day", "max_points_per_member")
                    ],
                    "description": _("What the rule itself gives, before boosts. Empty: no limit."),
                },
            ),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        standing = Q(gains__returned_at=None)
        return (
            super()
            .get_queryset(request)
            .annotate(given_points=Sum("gains__points", filter=standing))
        )

    @admin.display(description=_("in words"))
    def in_words(self, rule: EarningRule) -> str:
        """Show what it does."""
        return describe(rule)

    @admin.display(description=_("points given"))
    def given(self, rule: Any) -> str:
        """Show what it has cost so far."""
        return f"{rule.given_points or 0:,}"


@admin.register(EarningGain)
class EarningGainPage(ReadOnlyPage):
    """What each rule gave for which order or event."""

    store_lookup = "member__store_id"
    list_display = ["given_at", "rule", "member", "points", "source", "returned_at"]
    list_display_links = ["given_at"]
    list_filter = [("rule", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["rule", "member"]
    search_fields = [*SEARCH, "source"]
    search_help_text = _("Last four digits, name or order number")
    date_hierarchy = "given_at"
    fields = [
        ("rule", "member"),
        ("points", "source"),
        ("business_date", "given_at"),
        "returned_at",
    ]


@admin.register(EarningEvent)
class EarningEventPage(ReadOnlyPage):
    """Check-ins, reviews, birthdays and the like, with what they earned."""

    store_lookup = "store_id"
    list_display = ["occurred_at", "event", "member", "points", "store", "key", "actor"]
    list_display_links = ["occurred_at"]
    list_filter = [("event", ChoicesDropdownFilter), ("store", VisibleFilter)]
    list_select_related = ["member", "store"]
    search_fields = [*SEARCH, "key"]
    search_help_text = _("Last four digits, name or key")
    date_hierarchy = "occurred_at"
    fields = [("event", "key"), ("member", "store"), ("points", "actor"), "occurred_at"]


@admin.register(ReceiptClaim)
class ReceiptClaimPage(ReadOnlyPage):
    """Orders of guests that members claimed afterwards."""

    store_lookup = "order__store_id"
    list_display = ["claimed_at", "member", "order", "points", "actor"]
    list_display_links = ["claimed_at"]
    list_filter = [("order__store", VisibleFilter)]
    list_select_related = ["member", "order"]
    search_fields = [*SEARCH, "order__number"]
    search_help_text = _("Last four digits, name or order number")
    date_hierarchy = "claimed_at"
    fields = [("member", "order"), ("points", "actor"), "claimed_at"]
