"""Co-brandings: what a partner hands out of ours, and how it is shared."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from campaigns import cobrands
from campaigns.models import (
    Cobrand,
    PartnerPool,
)
from shop.admin.money import yuan
from shop.admin.pages import ForHeadOffice, Page, Rows
from shop.admin.scoping import VisibleFilter


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
    shares = {"revenue_share": "", "cost_share": ""}
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
