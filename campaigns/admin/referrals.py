"""Friends who bring friends: the one programme, and what came of it."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.models import Referral, ReferralCode, ReferralProgramme
from shop.admin.pages import ReadOnlyPage, SinglePage


@admin.register(ReferralProgramme)
class ReferralProgrammePage(SinglePage):
    """What both sides get; there is one, and it cannot be deleted."""

    list_display = ["__str__", "is_active", "min_order_cents", "reward_after_days"]
    fieldsets = [
        (None, {"fields": ["is_active", ("referrer_points", "referee_points")]}),
        (None, {"fields": [("min_order_cents", "reward_after_days")]}),
    ]


@admin.register(ReferralCode)
class ReferralCodePage(ReadOnlyPage):
    """Members' own codes."""

    store_lookup = "member__store_id"
    list_display = ["code", "member", "created_at"]
    list_select_related = ["member"]
    search_fields = ["code", "member__phone_last4", "member__name"]
    search_help_text = _("Code, last four digits or name")
    ordering = ["-created_at"]
    date_hierarchy = "created_at"
    fields = ["member", "code", "created_at"]


@admin.register(Referral)
class ReferralPage(ReadOnlyPage):
    """Who brought whom, and whether the friend has bought."""

    store_lookup = "referee__store_id"
    list_display = ["registered_at", "referrer", "referee", "status", "qualified_at"]
    list_display_links = ["registered_at"]
    list_filter = [("status", ChoicesDropdownFilter)]
    list_select_related = ["referrer", "referee"]
    search_fields = ["referrer__phone_last4", "referrer__name", "referee__phone_last4"]
    search_help_text = _("Last four digits or name")
    date_hierarchy = "registered_at"
    fields = [("referrer", "referee"), "status", ("registered_at", "qualified_at"), "order"]
