"""Coupons: the definitions that managers write, and the codes in wallets."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns import caps, queries, redemptions, revocations, wallets
from campaigns.admin.coupon_form import DefinitionForm, PlainDefinitionForm
from campaigns.admin.offers import USE_LIMITS, Measure, OfferPage
from campaigns.models import Coupon, CouponDefinition, CouponRedemption, CouponTransfer
from shop.admin.buttons import Button, Text, button
from shop.admin.money import yuan
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter, principal_of

FIXED_BECAUSE_ISSUED = _(
    "This offer runs, waits for approval, or people hold coupons of it, so it is fixed: what people"
    " hold must not change in their hands. Pause it, or duplicate it and change the copy."
)


class CouponDefinitionPage(OfferPage):
    """What a coupon gives and to whom; the chain's to write.

    The storefront registers it, with the button that gives the coupon to an audience.
    """

    typed_form = DefinitionForm
    plain_form = PlainDefinitionForm
    why_fixed = FIXED_BECAUSE_ISSUED
    list_display = [
        "code",
        "title",
        "offer",
        "state",
        "issued",
        "redeemed_count",
        "spent_cents",
    ]
    list_filter = [("status", ChoicesDropdownFilter), "is_claimable", "is_welcome_gift"]
    readonly_fields = [
        "status",
        "rule",
        "issued",
        "redeemed_count",
        "spent_cents",
        "progress",
        "answer_for",
    ]

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
                        ("valid_days", "is_transferable"),
                        ("valid_from", "valid_until"),
                        ("total_limit", "per_member_limit"),
                        ("claim_buckets", "is_for_guests"),
                        *USE_LIMITS,
                        ("budget_cents", "after_refund"),
                        "partial_return",
                    ]
                },
            ),
        ]
        if obj is not None:
            counters = [("status", "answer_for"), ("redeemed_count", "spent_cents"), "progress"]
            fieldsets.append((_("So far"), {"fields": counters}))
        return fieldsets

    def measures(self, row: Any) -> list[Measure]:
        return [
            (_("issued"), row.all_issued, row.total_limit, str),
            (_("redeemed"), row.redeemed_count, row.all_issued or None, str),
            (_("discount given"), row.spent_cents, row.budget_cents, yuan),
        ]

    @admin.display(description=_("issued"), ordering="all_issued")
    def issued(self, definition: Any) -> int:
        """Show how many were issued, buckets included."""
        count: int = definition.all_issued
        return count

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        return queries.with_all_issued(super().every_row(request))

    def save_model(
        self, request: HttpRequest, obj: CouponDefinition, form: ModelForm[Any], change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        if {"total_limit", "claim_buckets"}.intersection(form.changed_data):
            caps.divide(obj)
        if change and set(wallets.LIMITS.values()).intersection(form.changed_data):
            redemptions.recount(obj)


class ReasonForm(BaseDialogForm):
    """Why."""

    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)


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
    actions_detail = ["revoke"]
    fields = [
        ("code", "status"),
        ("definition", "member"),
        ("issued_at", "source"),
        ("starts_at", "expires_at"),
        ("held_by", "passed_on_from"),
        ("revoked_at", "revoked_by"),
        "revoke_reason",
    ]

    @button(
        Button(
            label=_("Revoke"),
            question=_(
                "It cannot be used any more. An unpaid order that holds it may still be paid with"
                " it."
            ),
            permission="campaigns.change_coupon",
            form=ReasonForm,
            when=lambda row: (
                row.revoked_at is None
                and row.status in {Coupon.Status.AVAILABLE, Coupon.Status.HELD}
            ),
        ),
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def revoke(self, request: HttpRequest, row: Coupon, answers: dict[str, Any]) -> Text:
        """Take a coupon back."""
        actor = principal_of(request).key
        revocations.revoke(row, reason=answers["reason"], actor=actor, now=timezone.now())
        return _("%(code)s is revoked.") % {"code": row.code}


@admin.register(CouponTransfer)
class TransferPage(ReadOnlyPage):
    """Coupons given to friends."""

    store_lookup = "giver__store_id"
    list_display = ["offered_at", "coupon", "giver", "receiver", "status", "closed_at"]
    list_display_links = ["offered_at"]
    list_filter = [("status", ChoicesDropdownFilter)]
    list_select_related = ["coupon", "giver", "receiver"]
    search_fields = ["coupon__code", "giver__phone_last4", "giver__name"]
    search_help_text = _("Code, last four digits or name of the giver")
    date_hierarchy = "offered_at"
    fields = [
        ("giver", "receiver"),
        ("coupon", "received"),
        ("status", "offered_at"),
        ("expires_at", "closed_at"),
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
