"""Vouchers of other platforms as tills used them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from campaigns import verifications, vouchers
from campaigns.group_buying import VoucherRefused
from campaigns.models import Voucher
from shop.admin.buttons import Button, Text, button
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter
from shop.storefront import voucher_desk
from shop.storefront.voucher_desk import Desk

Status = Voucher.Status
STATUS_COLOURS = {
    Status.PREPARED: "default",
    Status.VERIFYING: "info",
    Status.UNKNOWN: "warning",
    Status.VERIFIED: "success",
    Status.REFUSED: "danger",
    Status.CANCELLING: "warning",
    Status.CANCELLED: "default",
}


@admin.register(Voucher)
class VoucherPage(ReadOnlyPage):
    """Each voucher with its platform's answer, and who bears its price."""

    store_lookup = "store_id"
    list_display = ["prepared_at", "title", "platform", "state", "store", "price_cents", "order"]
    list_display_links = ["prepared_at", "title"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("platform", ChoicesDropdownFilter),
        ("store", VisibleFilter),
    ]
    list_select_related = ["store", "order"]
    search_fields = ["title", "deal_ref", "order__number", "verify_id", "certificate_id"]
    search_help_text = _("Deal, order number or the platform's number")
    date_hierarchy = "prepared_at"
    actions_detail = ["give_back", "ask_again"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("title", "status"),
                    ("platform", "deal_ref"),
                    ("store", "till"),
                    ("deal", "order"),
                    "refusal",
                ]
            },
        ),
        (
            _("Who bears the price"),
            {"fields": ["price_cents", ("guest_cents", "platform_cents", "shop_cents")]},
        ),
        (
            _("Times"),
            {
                "fields": [
                    ("prepared_at", "claimed_at"),
                    ("verified_at", "cancelled_at"),
                    ("attempts", "next_check_at"),
                ]
            },
        ),
        (_("On the platform"), {"fields": [("verify_id", "certificate_id"), "expires_at"]}),
    ]

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, voucher: Voucher) -> tuple[str, str]:
        """Show the status in its colour."""
        return voucher.status, voucher.get_status_display()

    @button(
        Button(
            label=_("Give it back"),
            question=_("The guest can use it again on the platform; possible for an hour."),
            permission="campaigns.change_voucher",
            when=lambda voucher: voucher.status == Status.VERIFIED,
        ),
        icon="undo",
        variant=ActionVariant.WARNING,
    )
    def give_back(self, request: HttpRequest, voucher: Any, answers: dict[str, Any]) -> Text:
        """Cancel the use of a voucher."""
        desk = Desk(store=voucher.store, till_id=voucher.till_id)
        after = voucher_desk.cancel(voucher.public_id, desk=desk, now=timezone.now())
        if after.status == Status.VERIFIED:
            raise VoucherRefused(after.refusal)
        if after.status == Status.CANCELLING:
            return _("The platform has not answered yet; it will be asked again.")
        return _("It can be used again.")

    @button(
        Button(
            label=_("Ask the platform again"),
            question=_("The background task asks within seconds how the voucher stands."),
            permission="campaigns.change_voucher",
            when=lambda voucher: voucher.status in vouchers.OPEN,
        ),
        icon="refresh",
    )
    def ask_again(self, request: HttpRequest, voucher: Any, answers: dict[str, Any]) -> Text:
        """Have the platform asked about a voucher whose outcome is not known."""
        verifications.ask_again(voucher, now=timezone.now())
        return _("The platform is being asked.")
