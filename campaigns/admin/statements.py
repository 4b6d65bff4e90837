"""What deals owe month by month, with their orders."""

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
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns import statements
from campaigns.models import (
    DealStatement,
    StatementLine,
)
from shop.admin import actors
from shop.admin.buttons import Button, Text, button
from shop.admin.money import percent, yuan
from shop.admin.pages import ForHeadOffice, ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter, principal_of
from shop.kernel.money import Cents

State = DealStatement.State


class LineRows(ReadOnlyRows):
    """The newest orders of a statement."""

    model = StatementLine
    fields = ["kind", "order", "net_cents"]
    readonly_fields = fields
    hide_title = True
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
                    ("drafter", "drafted_at"),
                    ("approver", "approved_at"),
                    ("payer", "paid_at", "payment_reference"),
                ]
            },
        ),
    ]
    readonly_fields = ["sum", "drafter", "approver", "payer"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("deal")

    @admin.display(description=_("drafted by"))
    def drafter(self, statement: Any) -> str:
        """Show who drafted it."""
        return _name(statement.drafted_by)

    @admin.display(description=_("approved by"))
    def approver(self, statement: Any) -> str:
        """Show who approved it."""
        return _name(statement.approved_by)

    @admin.display(description=_("payment noted by"))
    def payer(self, statement: Any) -> str:
        """Show who noted its payment."""
        return _name(statement.paid_by)

    @admin.display(description=_("what it comes to"))
    def sum(self, statement: Any) -> SafeString:
        """Show how the total comes about, as one would write it."""
        return format_html(
            "({} {} {}) × {} + {} {} = <strong>{}</strong>",
            yuan(statement.sales_cents),
            "−" if statement.corrections_cents <= 0 else "+",
            yuan(abs(statement.corrections_cents)),
            percent(statement.deal.commission),
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


def _name(actor: str) -> str:
    return actors.names([actor])[actor] if actor else "–"
