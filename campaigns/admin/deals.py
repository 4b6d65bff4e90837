"""Deals with opinion leaders, what they owe month by month, and their visits."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from campaigns import deals, partner_costs, statements
from campaigns.models import (
    DealCoupon,
    DealLink,
    DealStatement,
    KolDeal,
    KolVisit,
    StatementLine,
)
from shop.admin.buttons import Button, Text, button
from shop.admin.money import yuan
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyPage, ReadOnlyRows, Rows
from shop.admin.scoping import VisibleFilter, principal_of
from shop.kernel.money import Cents

Status, State = KolDeal.Status, DealStatement.State


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

    list_display = ["label", "partner", "status", "channel", "fee_cents", "rate", "starts_on"]
    list_filter = [("status", ChoicesDropdownFilter), ("partner", VisibleFilter)]
    list_select_related = ["partner", "channel"]
    search_fields = ["label", "partner__code", "partner__name_zh", "partner__name_en"]
    search_help_text = _("Label or partner")
    ordering = ["-starts_on", "-pk"]
    date_hierarchy = "starts_on"
    autocomplete_fields = ["partner", "channel", "campaign"]
    inlines = [LinkRows, CouponRows, StatementRows]
    readonly_fields = ["status", "costs"]
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

    @admin.display(description=_("commission"), ordering="commission")
    def rate(self, deal: Any) -> str:
        """Show the commission as people write it."""
        return statements.share_text(deal.commission)

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


class LineRows(ReadOnlyRows):
    """The newest orders of a statement."""

    model = StatementLine
    fields = ["kind", "order", "net_cents"]
    readonly_fields = fields
    most = 50
    tab = False


class PaymentForm(BaseDialogForm):
    """Where the payment is found."""

    reference = forms.CharField(
        label=_("payment reference"), max_length=64, widget=UnfoldAdminTextInputWidget
    )


@admin.register(DealStatement)
class StatementPage(ForHeadOffice, ReadOnlyPage):
    """What a deal owes for a month; approved by somebody who has not drafted it."""

    list_display = ["deal", "month", "state", "orders", "sales_cents", "total_cents"]
    list_filter = [("state", ChoicesDropdownFilter), ("deal__partner", VisibleFilter)]
    list_select_related = ["deal"]
    search_fields = ["deal__label", "deal__partner__code"]
    search_help_text = _("Deal or partner")
    date_hierarchy = "month"
    ordering = ["-month", "-pk"]
    inlines = [LineRows]
    actions_detail = ["approve", "note_payment"]
    fieldsets = [
        (None, {"fields": [("deal", "month"), ("state", "orders"), "sum"]}),
        (
            None,
            {
                "fields": [
                    ("drafted_by", "drafted_at"),
                    ("approved_by", "approved_at"),
                    ("paid_by", "paid_at", "payment_reference"),
                ]
            },
        ),
    ]
    readonly_fields = ["sum"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("deal")

    @admin.display(description=_("what it comes to"))
    def sum(self, statement: Any) -> SafeString:
        """Show how the total comes about, as one would write it."""
        return format_html(
            "({} {} {}) × {} + {} {} = <strong>{}</strong>",
            yuan(statement.sales_cents),
            "−" if statement.corrections_cents <= 0 else "+",
            yuan(abs(statement.corrections_cents)),
            statements.share_text(statement.deal.commission),
            _("fee"),
            yuan(statement.fee_cents),
            yuan(statement.total_cents),
        )

    @button(
        Button(
            label=_("Approve"),
            question=_("It is frozen as it stands; later refunds come into the next one."),
            permission="campaigns.approve_dealstatement",
            when=lambda statement: statement.state == State.DRAFT,
        ),
        icon="verified",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, statement: Any, answers: dict[str, Any]) -> Text:
        """Approve the statement as it is shown."""
        statements.approve(
            statement.deal_id,
            month=statement.month,
            expected_total_cents=Cents(statement.total_cents),
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("The statement is approved.")

    @button(
        Button(
            label=_("Note the payment"),
            question=_("The partner has the money."),
            permission="campaigns.approve_dealstatement",
            form=PaymentForm,
            when=lambda statement: statement.state == State.APPROVED,
        ),
        icon="paid",
        variant=ActionVariant.PRIMARY,
    )
    def note_payment(self, request: HttpRequest, statement: Any, answers: dict[str, Any]) -> Text:
        """Note that the statement was paid."""
        statements.note_payment(
            statement.deal_id,
            month=statement.month,
            reference=answers["reference"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("The payment is noted.")


@admin.register(KolVisit)
class VisitPage(Page):
    """A visit of an opinion leader to a store, and what was on the house."""

    store_lookup = "store_id"
    list_display = ["visit_date", "store", "deal", "limit_cents", "order"]
    list_filter = [("store", VisibleFilter)]
    list_select_related = ["store", "deal", "order"]
    search_fields = ["deal__label", "deal__partner__code"]
    search_help_text = _("Deal or partner")
    date_hierarchy = "visit_date"
    ordering = ["-visit_date", "-pk"]
    autocomplete_fields = ["deal", "store"]
    readonly_fields = ["order"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("deal", "store"),
                    ("visit_date", "limit_cents"),
                    "content_url",
                    "order",
                ]
            },
        )
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("deal", "store", "order")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return getattr(obj, "order_id", None) is None and super().has_delete_permission(
            request, obj
        )
