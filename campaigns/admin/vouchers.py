"""Deals of other platforms, and what each gives here."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.models import VoucherDeal
from shop.admin.pages import Page


@admin.register(VoucherDeal)
class VoucherDealPage(Page):
    """What a deal takes off, and what becomes of its vouchers after a refund."""

    list_display = [
        "title",
        "platform",
        "deal_ref",
        "coupon_definition",
        "after_refund",
        "is_active",
    ]
    list_display_links = ["title"]
    list_filter = [("platform", ChoicesDropdownFilter), "is_active"]
    list_select_related = ["coupon_definition"]
    search_fields = ["deal_ref", "name_zh", "name_en"]
    search_help_text = _("Number or name")
    ordering = ["platform", "deal_ref"]
    autocomplete_fields = ["coupon_definition"]
    fieldsets = [
        (None, {"fields": [("platform", "deal_ref"), ("name_zh", "name_en"), "is_active"]}),
        (
            _("What it gives"),
            {
                "fields": ["coupon_definition", "after_refund"],
                "description": _(
                    "The voucher pays what its deal sells for; the coupon definition says what"
                    " comes off beside it, such as the second cup. Nobody gets a coupon for it."
                ),
            },
        ),
    ]
