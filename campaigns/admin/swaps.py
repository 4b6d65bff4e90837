"""Resource swaps, and what they delivered."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns import swaps
from campaigns.models import (
    ResourceSwap,
    SwapDelivery,
)
from shop.admin.buttons import Button, Text, button
from shop.admin.money import yuan
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter, principal_of


class DeliveryRows(ReadOnlyRows):
    """The newest deliveries of a swap."""

    model = SwapDelivery
    fields = ["delivered_on", "quantity", "value_cents", "reference", "actor"]
    readonly_fields = fields
    tab = False


class DeliveryForm(BaseDialogForm):
    """What came."""

    quantity = forms.IntegerField(
        label=_("quantity"),
        widget=UnfoldAdminIntegerFieldWidget,
        min_value=-2_000_000_000,
        max_value=2_000_000_000,
        help_text=_("Negative takes back what was counted by mistake."),
    )
    delivered_on = forms.DateField(label=_("delivered on"), widget=UnfoldAdminDateWidget)
    reference = forms.CharField(
        label=_("delivery note"), max_length=64, widget=UnfoldAdminTextInputWidget
    )


@admin.register(ResourceSwap)
class SwapPage(ForHeadOffice, Page):
    """A deal without money, and what of it has come."""

    list_display = [
        "label",
        "partner",
        "channel",
        "agreed_cents",
        "agreed_quantity",
        "delivered_quantity",
        "delivered_value",
    ]
    list_filter = [("partner", VisibleFilter), ("channel", VisibleFilter)]
    list_select_related = ["partner", "channel"]
    search_fields = ["label", "partner__code", "they_give", "we_give"]
    search_help_text = _("Label, partner, or what is given")
    ordering = ["-pk"]
    autocomplete_fields = ["partner", "channel", "campaign"]
    inlines = [DeliveryRows]
    actions_detail = ["deliver"]
    readonly_fields = ["delivered_quantity", "delivered_value"]
    fieldsets = [
        (None, {"fields": [("label", "partner"), ("channel", "campaign")]}),
        (
            None,
            {
                "fields": [
                    ("we_give", "they_give"),
                    ("agreed_quantity", "unit"),
                    ("agreed_cents", "agreed_on"),
                    ("delivered_quantity", "delivered_value"),
                ]
            },
        ),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Fix what deliveries are valued by, once there is one."""
        fixed = ["agreed_quantity", "agreed_cents"] if obj and obj.deliveries.exists() else []
        shown = [self.columns.get(name, name) for name in fixed]
        return [*super().get_readonly_fields(request, obj), *shown]

    @admin.display(description=_("delivered value"))
    def delivered_value(self, swap: Any) -> str:
        """Show what the deliveries are worth: a cost in kind."""
        return yuan(swap.delivered_cents)

    @button(
        Button(
            label=_("Record a delivery"),
            question=_("Its part of the agreed value counts as a cost in kind on that day."),
            permission="campaigns.add_swapdelivery",
            form=DeliveryForm,
        ),
        icon="local_shipping",
        variant=ActionVariant.PRIMARY,
    )
    def deliver(self, request: HttpRequest, swap: Any, answers: dict[str, Any]) -> Text:
        """Count what came."""
        delivery = swaps.deliver(
            swap.pk, **answers, actor=principal_of(request).key, now=timezone.now()
        )
        return _("Recorded: %(quantity)s, worth %(value)s.") % {
            "quantity": delivery.quantity,
            "value": yuan(delivery.value_cents),
        }


@admin.register(SwapDelivery)
class DeliveryPage(ForHeadOffice, ReadOnlyPage):
    """Every delivery of every swap."""

    list_display = ["delivered_on", "swap", "quantity", "value_cents", "reference", "actor"]
    list_select_related = ["swap"]
    search_fields = ["reference", "swap__label"]
    search_help_text = _("Delivery note or swap")
    date_hierarchy = "delivered_on"
    fields = [
        "delivered_on",
        "swap",
        "quantity",
        "value_cents",
        "reference",
        "actor",
        "recorded_at",
    ]
