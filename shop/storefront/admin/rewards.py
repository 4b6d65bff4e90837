"""Rewards that members took, and refunding one."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from loyalty.models import RewardRedemption
from shop.admin.buttons import Button, Text, button
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter, principal_of
from shop.storefront import reward_desk

Status = RewardRedemption.Status


class RewardRefundForm(BaseDialogForm):
    """Why, and whether the thing comes back."""

    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)
    restock = forms.BooleanField(
        label=_("Put it back into stock"), required=False, widget=UnfoldBooleanSwitchWidget
    )


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
    actions_detail = ["refund"]
    fields = [
        ("code", "status"),
        ("reward", "member"),
        ("points", "order"),
        ("issued_at", "expires_at"),
        "resolved_at",
        ("store", "handed_out_by"),
        "coupon_code",
        ("refunded_by", "refund_reason"),
    ]

    @button(
        Button(
            label=_("Give the points back"),
            question=_("The points come back as they were. An unused coupon is taken back."),
            permission="loyalty.change_rewardredemption",
            form=RewardRefundForm,
            when=lambda row: row.status == Status.USED,
        ),
        icon="undo",
        variant=ActionVariant.WARNING,
    )
    def refund(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Give the points of a used reward back."""
        reward_desk.refund(
            row.code,
            reason=answers["reason"],
            actor=principal_of(request).key,
            is_restocked=answers["restock"],
            now=timezone.now(),
        )
        return _("%(points)s points are back.") % {"points": row.points}
