"""Deals with opinion leaders: their terms, and how they go on."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDateWidget

from campaigns import deals, partner_costs, statements
from campaigns.models import (
    DealCoupon,
    DealLink,
    DealStatement,
    KolDeal,
)
from shop.admin.buttons import Button, Text, button
from shop.admin.money import yuan
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyRows, Rows
from shop.admin.scoping import VisibleFilter, principal_of

Status = KolDeal.Status


class OfDrafts:
    """Rows of a deal, which change with it: while it is a draft."""

    def may_write(self, request: HttpRequest, row: Any = None) -> bool:
        return not isinstance(row, KolDeal) or row.status == Status.DRAFT


class LinkRows(OfDrafts, Rows):
    """The links by which a deal brings people."""

    model = DealLink
    autocomplete_fields = ["link"]
    hide_title = True
    tab = False


class CouponRows(OfDrafts, Rows):
    """The coupons by which a deal brings people."""

    model = DealCoupon
    autocomplete_fields = ["definition"]
    hide_title = True
    tab = False


class StatementRows(ReadOnlyRows):
    """What a deal owes, month by month."""

    model = DealStatement
    fields = [
        "month",
        "state",
        "orders",
        "sales_cents",
        "corrections_cents",
        "fee_cents",
        "commission_cents",
        "total_cents",
    ]
    readonly_fields = fields
    show_change_link = True
    newest_by = "-month"
    tab = False


class MonthForm(BaseDialogForm):
    """Which month."""

    month = forms.DateField(
        label=_("month"), widget=UnfoldAdminDateWidget, help_text=_("Any day of it.")
    )


@admin.register(KolDeal)
class DealPage(ForHeadOffice, Page):
    """A deal: its terms, what it owes, what it cost. Terms change while it is a draft only."""

    list_display = ["label", "partner", "status", "channel", "fee_cents", "commission", "starts_on"]
    list_filter = [("status", ChoicesDropdownFilter), ("partner", VisibleFilter)]
    list_select_related = ["partner", "channel"]
    search_fields = ["label", "partner__code", "partner__name_zh", "partner__name_en"]
    search_help_text = _("Label or partner")
    ordering = ["-starts_on", "-pk"]
    date_hierarchy = "starts_on"
    autocomplete_fields = ["partner", "channel", "campaign"]
    inlines = [LinkRows, CouponRows, StatementRows]
    readonly_fields = ["status", "costs"]
    shares = {"commission": _("Of net sales.")}
    fieldsets = [
        (None, {"fields": [("label", "partner"), ("channel", "campaign"), ("status", "costs")]}),
        (
            None,
            {
                "fields": [
                    ("fee_cents", "fee_terms"),
                    ("commission",),
                    ("starts_on", "last_on"),
                ]
            },
        ),
    ]
    actions_detail = ["activate", "draft_statement", "end", "cancel"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_fixed = isinstance(obj, KolDeal) and obj.status != Status.DRAFT
        return not is_fixed and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("has cost: statements, drinks on visits"))
    def costs(self, deal: Any) -> str:
        """Show what the deal has cost so far."""
        if deal.pk is None:
            return "–"
        cost = partner_costs.of_deal(deal.pk)
        return f"{yuan(cost['statement_cents'])} · {yuan(cost['visit_cents'])}"

    @button(
        Button(
            label=_("Activate"),
            question=_("From now on its terms are fixed, and its sales count."),
            permission="campaigns.change_koldeal",
            when=lambda deal: deal.status == Status.DRAFT,
        ),
        icon="handshake",
        variant=ActionVariant.PRIMARY,
    )
    def activate(self, request: HttpRequest, deal: Any, answers: dict[str, Any]) -> Text:
        """Activate the deal."""
        deals.step(deal.pk, to=Status.ACTIVE, now=timezone.now())
        return _("The deal is active.")

    @button(
        Button(
            label=_("Draft a statement"),
            question=_("Of the month that is due; a draft is brought up to date."),
            permission="campaigns.add_dealstatement",
            form=MonthForm,
            when=lambda deal: deal.status in {Status.ACTIVE, Status.ENDED},
        ),
        icon="request_quote",
        variant=ActionVariant.PRIMARY,
    )
    def draft_statement(self, request: HttpRequest, deal: Any, answers: dict[str, Any]) -> Text:
        """Draft the statement of a month."""
        statement = statements.draft(
            deal.pk,
            month=answers["month"].replace(day=1),
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("The statement comes to %(total)s.") % {"total": yuan(statement.total_cents)}

    @button(
        Button(
            label=_("End the deal"),
            question=_("Sales after today do not count any more."),
            permission="campaigns.change_koldeal",
            when=lambda deal: deal.status == Status.ACTIVE,
        ),
        icon="event_busy",
    )
    def end(self, request: HttpRequest, deal: Any, answers: dict[str, Any]) -> Text:
        """End the deal."""
        deals.step(deal.pk, to=Status.ENDED, now=timezone.now())
        return _("The deal is ended.")

    @button(
        Button(
            label=_("Cancel the deal"),
            question=_("A draft that came to nothing."),
            permission="campaigns.change_koldeal",
            when=lambda deal: deal.status == Status.DRAFT,
        ),
        icon="cancel",
        variant=ActionVariant.DANGER,
    )
    def cancel(self, request: HttpRequest, deal: Any, answers: dict[str, Any]) -> Text:
        """Cancel the draft."""
        deals.step(deal.pk, to=Status.CANCELLED, now=timezone.now())
        return _("The deal is cancelled.")
