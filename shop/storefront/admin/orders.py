"""Orders, what was paid for them and what was given back. Money moves only by flows."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.admin.buttons import Button, Text, button
from shop.admin.money import yuan
from shop.admin.pages import ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter, principal_of
from shop.models import Order, OrderEvent, OrderLine, Payment, Refund
from shop.refunds import RefundRequest
from shop.storefront import checkout, refunds

Status = Order.Status
STATUS_COLOURS = {
    Status.PENDING: "warning",
    Status.PAID: "success",
    Status.MAKING: "info",
    Status.READY: "info",
    Status.COMPLETED: "success",
    Status.CANCELLED: "default",
    Status.REFUNDED: "danger",
}


class LineRows(ReadOnlyRows):
    """What was bought, as it was on the menu."""

    model = OrderLine
    fields = ["name", "chosen", "quantity", "unit_price_cents", "discount_cents", "net_cents"]
    readonly_fields = fields
    newest_by = "position"
    most = 200

    @admin.display(description=_("product"))
    def name(self, line: OrderLine) -> str:
        """Show the product under the name it had."""
        return f"{line.name_zh} {line.name_en}"

    @admin.display(description=_("options"))
    def chosen(self, line: OrderLine) -> str:
        """Show how it was ordered."""
        options = [*line.options.get("options", {}).values(), *line.options.get("toppings", [])]
        return ", ".join(option["name_zh"] for option in options) or "–"


class PaymentRows(ReadOnlyRows):
    """Money that arrived for the order."""

    model = Payment
    fields = ["received_at", "method", "amount_cents", "provider_ref", "is_orphan"]
    readonly_fields = fields


class RefundRows(ReadOnlyRows):
    """Money that went back."""

    model = Refund
    fields = ["refunded_at", "number", "amount_cents", "reason", "actor"]
    readonly_fields = fields


class EventRows(ReadOnlyRows):
    """The order's life."""

    model = OrderEvent
    fields = ["occurred_at", "status", "actor"]
    readonly_fields = fields
    newest_by = "pk"
    most = 50


class RefundForm(BaseDialogForm):
    """Why the money goes back."""

    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)


def is_refundable(order: Order) -> bool:
    """Tell whether there is anything left to give back."""
    return order.paid_at is not None and order.status != Status.REFUNDED


@admin.register(Order)
class OrderPage(ReadOnlyPage):
    """An order with everything that belongs to it."""

    store_lookup = "store_id"
    list_display = ["number", "store", "state", "member", "payable_cents", "placed_at", "pickup"]
    list_filter = [
        ("status", ChoicesDropdownFilter),
        ("store", VisibleFilter),
        ("order_type", ChoicesDropdownFilter),
    ]
    list_select_related = ["store", "member"]
    search_fields = ["number", "pos_order_no", "member__phone_last4", "member__name"]
    search_help_text = _("Order number, till's number, last four digits or name")
    date_hierarchy = "business_date"
    inlines = [LineRows, PaymentRows, RefundRows, EventRows]
    actions_detail = ["cancel", "refund_whole"]
    readonly_fields = ["pickup"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("number", "status"),
                    ("store", "till"),
                    ("member", "pickup"),
                    ("order_type", "pos_order_no"),
                    "business_date",
                ]
            },
        ),
        (
            _("Money"),
            {
                "fields": [
                    ("subtotal_cents", "discount_cents"),
                    ("payable_cents", "points_spent"),
                    ("paid_cents", "refunded_cents"),
                    ("coupon_codes", "reward_code"),
                ]
            },
        ),
        (_("Times"), {"fields": [("placed_at", "paid_at"), ("completed_at", "cancelled_at")]}),
        (_("Why it cost that"), {"fields": ["pricing_trace"], "classes": ["collapse"]}),
    ]

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, order: Order) -> tuple[str, str]:
        """Show the status in its colour."""
        return order.status, order.get_status_display()

    @admin.display(description=_("pickup number"))
    def pickup(self, order: Order) -> str:
        """Show what is called out at the counter."""
        return order.pickup_code or "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store", "member")

    @button(
        Button(
            label=_("Cancel the order"),
            question=_("Coupons and points held for it are free again."),
            permission="shop.change_order",
            when=lambda order: order.status == Status.PENDING,
        ),
        icon="cancel",
        variant=ActionVariant.WARNING,
    )
    def cancel(self, request: HttpRequest, order: Any, answers: dict[str, Any]) -> Text:
        """Cancel an unpaid order."""
        actor = principal_of(request).key
        checkout.cancel_order(number=order.number, actor=actor, now=timezone.now())
        return _("Order %(number)s is cancelled.") % {"number": order.number}

    @button(
        Button(
            label=_("Refund what is left"),
            question=_("All the money goes back; points, coupons and rewards follow it."),
            permission="shop.change_order",
            form=RefundForm,
            when=is_refundable,
        ),
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def refund_whole(self, request: HttpRequest, order: Any, answers: dict[str, Any]) -> Text:
        """Give all the money back."""
        refund = refunds.refund_order(
            number=order.number,
            request=RefundRequest(reason=answers["reason"]),
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("%(amount)s given back.") % {"amount": yuan(refund.amount_cents)}


@admin.register(Payment)
class PaymentPage(ReadOnlyPage):
    """Tenders of all orders."""

    store_lookup = "order__store_id"
    list_display = ["received_at", "order", "method", "amount_cents", "provider_ref", "is_orphan"]
    list_display_links = ["received_at"]
    list_filter = [
        ("method", ChoicesDropdownFilter),
        ("order__store", VisibleFilter),
        "is_orphan",
    ]
    list_select_related = ["order"]
    search_fields = ["order__number", "provider_ref"]
    search_help_text = _("Order number or provider's number")
    date_hierarchy = "received_at"
    fields = ["order", ("method", "amount_cents"), ("provider_ref", "is_orphan"), "received_at"]


@admin.register(Refund)
class RefundPage(ReadOnlyPage):
    """Refunds of all orders."""

    store_lookup = "order__store_id"
    list_display = ["refunded_at", "number", "order", "amount_cents", "reason", "actor"]
    list_display_links = ["refunded_at", "number"]
    list_filter = [("order__store", VisibleFilter)]
    list_select_related = ["order"]
    search_fields = ["number", "order__number"]
    search_help_text = _("Refund or order number")
    date_hierarchy = "refunded_at"
    fields = [("number", "order"), "amount_cents", ("reason", "actor"), "refunded_at"]
