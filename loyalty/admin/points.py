"""The points ledger as managers see it: searchable, and read-only because it is a ledger."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant

from loyalty import adjustments, tiers
from loyalty.models import (
    PendingPoints,
    PointsAccount,
    PointsAdjustment,
    PointsDraw,
    PointsEntry,
    PointsHold,
    PointsLot,
)
from shop.admin.buttons import Button, Text, button
from shop.admin.pages import ReadOnlyPage
from shop.admin.scoping import VisibleFilter, principal_of
from shop.models import Staff

OWNER = "account__member__store_id"
OWNING_STORE = ("account__member__store", VisibleFilter)
WALLET = ("account__wallet", ChoicesDropdownFilter)
SEARCH = ["account__member__phone_last4", "account__member__name", "source"]
SEARCH_HELP = _("Last four digits, name or order number")


def _is_waiting(row: Any) -> bool:
    return bool(row.state == PointsAdjustment.State.PENDING)


class OfAnAccount(ReadOnlyPage):
    """Rows of one wallet, with whose it is."""

    store_lookup = OWNER
    list_select_related = ["account__member"]
    search_fields = SEARCH
    search_help_text = SEARCH_HELP

    @admin.display(description=_("member"), ordering="account__member__name")
    def member(self, row: PointsEntry) -> str:
        """Show whose wallet it is."""
        return str(row.account.member)

    @admin.display(description=_("wallet"), ordering="account__wallet")
    def wallet(self, row: PointsEntry) -> str:
        """Show which wallet it is."""
        return row.account.get_wallet_display()


@admin.register(PointsAccount)
class AccountPage(ReadOnlyPage):
    """Wallets and their balances."""

    store_lookup = "member__store_id"
    list_display = ["member", "wallet", "balance", "held"]
    list_filter = [("wallet", ChoicesDropdownFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member"]
    search_fields = ["member__phone_last4", "member__name"]
    search_help_text = _("Last four digits or name")
    fields = ["member", "wallet", ("balance", "held")]


@admin.register(PointsEntry)
class EntryPage(OfAnAccount):
    """The lines of the ledger."""

    list_display = [
        "occurred_at",
        "member",
        "wallet",
        "kind",
        "points",
        "balance_after",
        "source",
        "actor",
    ]
    list_display_links = ["occurred_at"]
    list_filter = [("kind", ChoicesDropdownFilter), WALLET, OWNING_STORE]
    date_hierarchy = "occurred_at"
    fields = [
        ("member", "wallet"),
        "kind",
        ("points", "balance_after"),
        ("source", "occurred_at"),
        ("note", "actor"),
    ]
    readonly_fields = ["member", "wallet"]


@admin.register(PointsLot)
class LotPage(OfAnAccount):
    """What is left of each credit, and until when."""

    list_display = ["member", "points", "remaining", "expires_at", "entry"]
    list_filter = [OWNING_STORE]
    list_select_related = ["account__member", "entry"]
    search_fields = ["account__member__phone_last4", "account__member__name", "entry__source"]
    date_hierarchy = "expires_at"
    fields = ["member", "entry", ("points", "remaining"), "expires_at"]
    readonly_fields = ["member"]


@admin.register(PointsDraw)
class DrawPage(ReadOnlyPage):
    """Which lot each debit took its points from."""

    store_lookup = "entry__account__member__store_id"
    list_display = ["entry", "lot", "points"]
    list_select_related = ["entry", "lot"]
    list_filter = [("entry__account__member__store", VisibleFilter)]
    search_fields = ["entry__source", "entry__account__member__phone_last4"]
    search_help_text = SEARCH_HELP
    fields = ["entry", "lot", "points"]


@admin.register(PointsHold)
class HoldPage(OfAnAccount):
    """Points set aside, and what became of them."""

    list_display = ["held_at", "member", "points", "state", "source", "resolved_at"]
    list_display_links = ["held_at"]
    list_filter = [("state", ChoicesDropdownFilter), OWNING_STORE]
    date_hierarchy = "held_at"
    fields = ["member", ("points", "state"), "source", ("held_at", "expires_at"), "resolved_at"]
    readonly_fields = ["member"]


@admin.register(PointsAdjustment)
class AdjustmentPage(OfAnAccount):
    """Corrections by hand; those that wait are decided on in the inbox of approvals, or here."""

    list_display = [
        "requested_at",
        "member",
        "kind",
        "points",
        "reason",
        "state",
        "requested_by",
        "decided_by",
    ]
    list_display_links = ["requested_at"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        OWNING_STORE,
    ]
    list_select_related = ["account__member", "requested_by", "decided_by"]
    search_fields = ["account__member__phone_last4", "account__member__name", "reason"]
    search_help_text = _("Last four digits, name or reason")
    date_hierarchy = "requested_at"
    actions_detail = ["approve", "reject"]
    fields = [
        ("member", "kind"),
        ("points", "reason"),
        ("bound_at", "until"),
        ("state", "source"),
        ("requested_by", "requested_at"),
        ("decided_by", "decided_at"),
    ]
    readonly_fields = ["member"]

    @button(
        Button(
            label=_("Approve"),
            question=_("The points are posted at once, with both names."),
            permission="loyalty.approve_pointsadjustment",
            when=_is_waiting,
        ),
        icon="check",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Post an adjustment."""
        now, store = timezone.now(), row.account.member.store
        expires_at = tiers.programme().lifetime.ends_at(now, timezone=store.timezone)
        adjustments.approve(row, by=_person(request), now=now, expires_at=expires_at)
        return _("Approved and posted.")

    @button(
        Button(
            label=_("Reject"),
            question=_("Nothing is posted; who asked can ask again."),
            permission="loyalty.approve_pointsadjustment",
            when=_is_waiting,
        ),
        icon="close",
        variant=ActionVariant.DANGER,
    )
    def reject(self, request: HttpRequest, row: Any, answers: dict[str, Any]) -> Text:
        """Turn an adjustment down."""
        adjustments.reject(row, by=_person(request), now=timezone.now())
        return _("Rejected.")


def _person(request: HttpRequest) -> Staff:
    return Staff.objects.get(pk=principal_of(request).id)


@admin.register(PendingPoints)
class PendingPage(OfAnAccount):
    """Points promised for later."""

    list_display = ["promised_at", "member", "kind", "points", "state", "available_at"]
    list_display_links = ["promised_at"]
    list_filter = [("state", ChoicesDropdownFilter), OWNING_STORE]
    date_hierarchy = "available_at"
    fields = [
        "member",
        ("kind", "points", "taken_back"),
        ("state", "source"),
        ("promised_at", "available_at"),
        "resolved_at",
    ]
    readonly_fields = ["member"]
