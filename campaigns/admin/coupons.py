"""Coupons: the definitions that managers write, and the codes in wallets."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns.admin.coupon_form import DefinitionForm, PlainDefinitionForm
from campaigns.admin.offers import OfferPage
from campaigns.models import Coupon, CouponDefinition, CouponRedemption
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter

FIXED_BECAUSE_ISSUED = _(
    "Coupons have been issued under this offer, so it is fixed: what people hold must not change"
    " in their hands. Pause this definition and write a new one instead."
)


@admin.register(CouponDefinition)
class CouponDefinitionPage(OfferPage):
    """What a coupon gives and to whom; the chain's to write."""

    typed_form = DefinitionForm
    plain_form = PlainDefinitionForm
    why_fixed = FIXED_BECAUSE_ISSUED
    list_display = [
        "code",
        "title",
        "offer",
        "state",
        "issued_count",
        "redeemed_count",
        "spent_cents",
    ]
    list_filter = [("status", ChoicesDropdownFilter), "is_claimable", "is_welcome_gift"]
    readonly_fields = ["status", "rule", "issued_count", "redeemed_count", "spent_cents"]

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = [
            (None, {"fields": [("code", "campaign"), ("name_zh", "name_en")]}),
            *self.rule_fieldsets(request, obj),
            (
                _("Issue and validity"),
                {
                    "fields": [
                        ("is_claimable", "is_welcome_gift"),
                        ("claim_starts_at", "claim_ends_at"),
                        ("valid_days", "valid_until"),
                        ("total_limit", "per_member_limit"),
                        ("budget_cents", "after_refund"),
                    ]
                },
            ),
        ]
        if obj is not None:
            counters = [("status", "issued_count"), ("redeemed_count", "spent_cents")]
            fieldsets.append((_("So far"), {"fields": counters}))
        return fieldsets


@admin.register(Coupon)
class CouponPage(ReadOnlyPage):
    """Coupons in wallets."""

    store_lookup = "member__store_id"
    list_display = ["code", "definition", "member", "status", "issued_at", "expires_at"]
    list_filter = [("status", ChoicesDropdownFilter), ("definition", VisibleFilter)]
    list_select_related = ["definition", "member"]
    search_fields = ["code", "member__phone_last4", "member__name"]
    search_help_text = _("Code, last four digits or name")
    date_hierarchy = "issued_at"
    fields = [
        ("code", "status"),
        ("definition", "member"),
        ("issued_at", "expires_at"),
        ("source", "slot"),
        "held_by",
    ]


@admin.register(CouponRedemption)
class RedemptionPage(ReadOnlyPage):
    """Uses of coupons, and what they were worth."""

    store_lookup = "order__store_id"
    list_display = ["redeemed_at", "coupon", "order", "discount_cents", "released_at"]
    list_display_links = ["redeemed_at"]
    list_filter = [("order__store", VisibleFilter)]
    list_select_related = ["coupon", "order"]
    search_fields = ["coupon__code", "order__number"]
    search_help_text = _("Code or order number")
    date_hierarchy = "redeemed_at"
    fields = ["coupon", "order", "discount_cents", "redeemed_at", "released_at"]
