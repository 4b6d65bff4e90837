"""The programme, head office's to write; who is in which tier and why, and visits."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from loyalty.models import LoyaltyProgramme, Membership, TierChange, TierCount, TierPin, Visit
from shop.admin.pages import ReadOnlyPage, SinglePage
from shop.admin.scoping import VisibleFilter

MEMBER_SEARCH = ["member__phone_last4", "member__name"]


@admin.register(LoyaltyProgramme)
class LoyaltyProgrammePage(SinglePage):
    """How points are earned and spent; there is one, and it cannot be deleted.

    How tiers are reached and kept is changed with the ladder.
    """

    list_display = ["__str__", "points_per_yuan", "points_per_redeemed_yuan", "clawback"]
    fieldsets = [
        (_("Earning"), {"fields": [("points_per_yuan", "qualifying_per_yuan"), "claim_days"]}),
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
            _("Adjusting by hand"),
            {"fields": [("adjustment_limit_points", "adjustment_day_limit_points")]},
        ),
        (
            _("Keeping"),
            {
                "fields": [
                    ("points_wait_for", "points_wait_days"),
                    ("points_expire", "points_live_count"),
                    "points_last_day",
                    ("expiry_warning_days", "clawback"),
                ]
            },
        ),
        (
            _("Stored value"),
            {
                "fields": [
                    ("has_stored_value", "wallet_cap_cents"),
                    ("has_gift_cards", "gift_card_cap_cents"),
                    "gift_card_valid_months",
                ]
            },
        ),
    ]


@admin.register(Membership)
class MembershipPage(ReadOnlyPage):
    """Who is in which tier."""

    store_lookup = "member__store_id"
    list_display = ["member", "tier", "tier_since", "kept_until"]
    list_filter = [("tier", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member", "tier"]
    search_fields = MEMBER_SEARCH
    search_help_text = _("Last four digits or name")
    date_hierarchy = "tier_since"
    fields = ["member", "tier", ("tier_since", "kept_until")]


@admin.register(TierChange)
class TierChangePage(ReadOnlyPage):
    """Moves from one tier to another."""

    store_lookup = "member__store_id"
    list_display = ["occurred_at", "member", "from_tier", "to_tier", "reason", "source"]
    list_display_links = ["occurred_at"]
    list_filter = [
        ("reason", ChoicesDropdownFilter),
        ("to_tier", VisibleFilter),
        ("member__store", VisibleFilter),
    ]
    list_select_related = ["member", "from_tier", "to_tier"]
    search_fields = [*MEMBER_SEARCH, "source"]
    search_help_text = _("Last four digits, name or order number")
    date_hierarchy = "occurred_at"
    fields = ["member", ("from_tier", "to_tier"), ("reason", "source"), "occurred_at"]


@admin.register(TierPin)
class TierPinPage(ReadOnlyPage):
    """Tiers that staff gave until a date; given and ended on the page of the member."""

    store_lookup = "member__store_id"
    list_display = ["pinned_at", "member", "tier", "until", "reason", "actor", "ended_at"]
    list_display_links = ["pinned_at"]
    list_filter = [("tier", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member", "tier"]
    search_fields = [*MEMBER_SEARCH, "reason"]
    search_help_text = _("Last four digits, name or reason")
    date_hierarchy = "pinned_at"
    fields = [
        "member",
        ("tier", "until"),
        ("previous_tier", "previous_kept_until"),
        "reason",
        ("actor", "pinned_at", "ended_at"),
    ]


@admin.register(TierCount)
class TierCountPage(ReadOnlyPage):
    """How many members were in which tier at the end of each day."""

    store_lookup = "store_id"
    list_display = ["date", "store", "tier", "members"]
    list_display_links = ["date"]
    list_filter = [("tier", VisibleFilter), ("store", VisibleFilter)]
    list_select_related = ["store", "tier"]
    search_fields = ["store__code"]
    search_help_text = _("Code of the store")
    date_hierarchy = "date"
    fields = [("date", "store"), ("tier", "members")]


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
