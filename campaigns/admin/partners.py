"""Whom we work with, the keys of their systems, what is theirs too, and what we swap."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns import cobrands, partners, swaps
from campaigns.models import (
    Cobrand,
    Partner,
    PartnerKey,
    PartnerPool,
    ResourceSwap,
    SwapDelivery,
)
from shop.admin.buttons import Button, Text, address, button
from shop.admin.money import yuan
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyPage, ReadOnlyRows, Rows
from shop.admin.scoping import VisibleFilter, principal_of
from shop.admin.tills import show_once


class PartnerKeyRows(ReadOnlyRows):
    """The keys of a partner, without their secrets."""

    model = PartnerKey
    fields = ["public_id", "created_at", "expires_at", "revoked_at"]
    readonly_fields = fields
    tab = False


class RevokeKeyForm(BaseDialogForm):
    """Which of a partner's working keys to revoke."""

    key = forms.ModelChoiceField(
        label=_("partner key"), queryset=PartnerKey.objects.none(), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        working = PartnerKey.objects.filter(partner_id=self.object_id, revoked_at=None)
        self.fields["key"].queryset = working.order_by("-created_at")  # type: ignore[attr-defined]


@admin.register(Partner)
class PartnerPage(ForHeadOffice, Page):
    """A partner, and the keys that their systems hold."""

    list_display = ["code", "title", "kind", "contact", "is_active"]
    list_display_links = ["code", "title"]
    list_filter = [("kind", ChoicesDropdownFilter), "is_active"]
    search_fields = ["code", "name_zh", "name_en", "contact"]
    search_help_text = _("Code, name or contact")
    ordering = ["code"]
    inlines = [PartnerKeyRows]
    actions_detail = ["issue_key", "revoke_key"]
    fieldsets = [
        (None, {"fields": [("code", "kind"), ("name_zh", "name_en"), ("contact", "is_active")]})
    ]

    @button(
        Button(
            label=_("Issue a key"),
            question=_("It reads what is the partner's own. It is shown once."),
            permission="campaigns.add_partnerkey",
        ),
        icon="key",
        variant=ActionVariant.PRIMARY,
    )
    def issue_key(
        self, request: HttpRequest, partner: Any, answers: dict[str, Any]
    ) -> HttpResponse:
        """Give the partner a key."""
        key = partners.issue_key(partner, now=timezone.now())
        return show_once(request, key, done_url=address(self, partner))

    @button(
        Button(
            label=_("Revoke a key"),
            question=_("Whoever holds it is refused from now on."),
            permission="campaigns.change_partnerkey",
            form=RevokeKeyForm,
            when=lambda partner: partner.keys.filter(revoked_at=None).exists(),
        ),
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke_key(self, request: HttpRequest, partner: Any, answers: dict[str, Any]) -> Text:
        """Make one key stop working."""
        partners.revoke_key(answers["key"], now=timezone.now())
        return _("The key %(key)s no longer works.") % {"key": answers["key"].public_id}


class PoolRows(Rows):
    """The coupons that are a partner's to hand out."""

    model = PartnerPool
    autocomplete_fields = ["definition"]
    tab = False


@admin.register(Cobrand)
class CobrandPage(ForHeadOffice, Page):
    """A campaign that is a partner's too, with what it brought and cost."""

    list_display = ["campaign", "partner", "revenue_share", "cost_share"]
    list_filter = [("partner", VisibleFilter)]
    list_select_related = ["campaign", "partner"]
    search_fields = ["campaign__code", "campaign__name_zh", "campaign__name_en", "partner__code"]
    search_help_text = _("Campaign or partner")
    ordering = ["-pk"]
    autocomplete_fields = ["campaign", "partner"]
    inlines = [PoolRows]
    readonly_fields = ["redeemed", "orders_by_it", "sales", "shared_costs", "goods"]
    fieldsets = [
        (None, {"fields": [("campaign", "partner"), ("revenue_share", "cost_share")]}),
        (
            _("What it brought and cost"),
            {"fields": [("redeemed", "orders_by_it"), ("sales", "shared_costs"), "goods"]},
        ),
    ]

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        if obj is None:
            return list(self.fieldsets[:1])
        obj.told = cobrands.report(obj)
        return list(self.fieldsets)

    @admin.display(description=_("coupons used / in wallets"))
    def redeemed(self, cobrand: Any) -> str:
        """Show how many of the partner's coupons were used."""
        return f"{cobrand.told.redemptions} / {cobrand.told.issued}"

    @admin.display(description=_("orders"))
    def orders_by_it(self, cobrand: Any) -> str:
        """Show how many orders it brought."""
        return str(cobrand.told.orders)

    @admin.display(description=_("net sales: in all, the partner's, ours"))
    def sales(self, cobrand: Any) -> str:
        """Show how sales are split."""
        return _split(cobrand.told.revenue)

    @admin.display(description=_("costs: in all, the partner's, ours"))
    def shared_costs(self, cobrand: Any) -> str:
        """Show how costs are split."""
        return _split(cobrand.told.costs)

    @admin.display(description=_("cost of goods, not shared"))
    def goods(self, cobrand: Any) -> str:
        """Show what the goods cost."""
        return yuan(cobrand.told.goods_cents)


def _split(split: Any) -> str:
    parts = (split.total_cents, split.partner_cents, split.own_cents)
    return " · ".join(yuan(cents) for cents in parts)


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
