"""Stored value: plans are head office's to write; sales, cards and the ledger are read-only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from loyalty import gift_cards
from loyalty.models import (
    GiftCard,
    MoneyAccount,
    MoneyEntry,
    StoredValuePayment,
    StoredValuePlan,
    StoredValueSale,
)
from shop.admin.buttons import Button, Text, button
from shop.admin.money import yuan
from shop.admin.pages import Page, ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter

STORE = ("store", VisibleFilter)


@admin.register(StoredValuePlan)
class StoredValuePlanPage(Page):
    """What guests pay and what comes on top."""

    list_display = ["title", "code", "pay_cents", "gift_cents", "gift_valid_days", "is_active"]
    list_display_links = ["title"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["pay_cents", "code"]
    fieldsets = [
        (None, {"fields": [("name_zh", "name_en"), ("code", "is_active")]}),
        (_("What it gives"), {"fields": [("pay_cents", "gift_cents"), "gift_valid_days"]}),
    ]


class PaymentRows(ReadOnlyRows):
    """The tenders of a sale."""

    model = StoredValuePayment
    fields = ["method", "amount_cents", "provider_ref"]
    readonly_fields = fields
    store_lookup = "sale__store_id"


@admin.register(StoredValueSale)
class StoredValueSalePage(ReadOnlyPage):
    """Money that tills took in advance."""

    store_lookup = "store_id"
    list_display = ["sold_at", "number", "kind", "store", "member", "paid_cents", "gift_cents"]
    list_display_links = ["sold_at", "number"]
    list_filter = [("kind", ChoicesDropdownFilter), STORE]
    list_select_related = ["store", "member"]
    search_fields = ["number", "member__phone_last4", "member__name"]
    search_help_text = _("Number, last four digits or name")
    date_hierarchy = "sold_at"
    fields = [
        ("number", "kind"),
        ("store", "till"),
        ("member", "plan"),
        ("paid_cents", "gift_cents"),
        ("sold_at", "actor"),
    ]
    inlines = [PaymentRows]


@admin.register(GiftCard)
class GiftCardPage(ReadOnlyPage):
    """Cards by their last four characters; nobody can read a code."""

    store_lookup = "store_id"
    list_display = ["card", "face_value_cents", "left", "status", "is_paid", "store", "issued_at"]
    list_display_links = ["card"]
    list_filter = [("status", ChoicesDropdownFilter), "is_paid", STORE]
    list_select_related = ["store", "account"]
    search_fields = ["last4", "note", "sale__number"]
    search_help_text = _("Last four characters, note or number of the sale")
    date_hierarchy = "issued_at"
    fields = [
        ("card", "status"),
        ("face_value_cents", "left"),
        ("is_paid", "store"),
        ("sale", "note"),
        ("issued_at", "expires_at"),
        "actor",
    ]
    readonly_fields = ["card", "left"]
    actions_detail = ["freeze", "thaw"]

    @admin.display(description=_("gift card"), ordering="last4")
    def card(self, row: GiftCard) -> str:
        """Show the end of the code."""
        return str(row)

    @admin.display(description=_("balance"), ordering="account__balance_cents")
    def left(self, row: GiftCard) -> str:
        """Show what is left on the card."""
        return yuan(row.account.balance_cents)

    @button(
        Button(
            label=_("Freeze"),
            question=_("The card pays no more until it is thawed; its money stays on it."),
            permission="loyalty.change_giftcard",
            when=lambda card: card.status == GiftCard.Status.ACTIVE,
        ),
        icon="ac_unit",
        variant=ActionVariant.DANGER,
    )
    def freeze(self, request: HttpRequest, row: GiftCard, answers: dict[str, Any]) -> Text:
        """Freeze a lost card."""
        gift_cards.freeze(row)
        return _("The card is frozen.")

    @button(
        Button(
            label=_("Thaw"),
            question=_("The card can pay again."),
            permission="loyalty.change_giftcard",
            when=lambda card: card.status == GiftCard.Status.FROZEN,
        ),
        icon="wb_sunny",
    )
    def thaw(self, request: HttpRequest, row: GiftCard, answers: dict[str, Any]) -> Text:
        """Let a card pay again."""
        gift_cards.thaw(row)
        return _("The card can pay again.")


@admin.register(MoneyAccount)
class MoneyAccountPage(ReadOnlyPage):
    """Principal, gifts and cards, and what each holds."""

    store_lookup = "store_id"
    list_display = ["id", "member", "card", "kind", "balance_cents", "expires_at"]
    list_display_links = ["id"]
    list_filter = [("kind", ChoicesDropdownFilter), STORE]
    list_select_related = ["member", "card"]
    search_fields = ["member__phone_last4", "member__name", "card__last4"]
    search_help_text = _("Last four digits or name")
    fields = [("member", "card"), "kind", ("balance_cents", "expires_at"), "store"]


@admin.register(MoneyEntry)
class MoneyEntryPage(ReadOnlyPage):
    """The lines of the money ledger."""

    store_lookup = "account__store_id"
    list_display = [
        "occurred_at",
        "holder",
        "part",
        "kind",
        "cents",
        "balance_after_cents",
        "source",
        "store",
        "actor",
    ]
    list_display_links = ["occurred_at"]
    list_filter = [("kind", ChoicesDropdownFilter), STORE]
    list_select_related = ["account__member", "account__card", "store"]
    search_fields = ["source", "account__member__phone_last4", "account__card__last4"]
    search_help_text = _("Last four digits or order number")
    date_hierarchy = "occurred_at"
    fields = [
        ("holder", "part"),
        "kind",
        ("cents", "balance_after_cents"),
        ("source", "occurred_at"),
        "store",
        ("note", "actor"),
    ]
    readonly_fields = ["holder", "part"]

    @admin.display(description=_("whose"))
    def holder(self, row: MoneyEntry) -> str:
        """Show the member or the card."""
        return str(row.account.member or row.account.card)

    @admin.display(description=_("part"), ordering="account__kind")
    def part(self, row: MoneyEntry) -> str:
        """Show whether it is principal or a gift."""
        return row.account.get_kind_display()
