"""Tills, their keys, and the keys of report readers. A key is shown once and never again."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from shop import tills
from shop.admin.buttons import Button, Text, address, button, list_button
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter
from shop.models import ReportKey, Store, Till, TillKey


def show_once(request: HttpRequest, key: str, *, done_url: str) -> HttpResponse:
    """Answer with the key itself, kept nowhere: closing the page loses it."""
    response = render(request, "admin/key_issued.html", {"key": key, "done_url": done_url})
    response["HX-Retarget"] = response["HX-Reselect"] = "#dialog"
    response["Cache-Control"] = "no-store"
    return response


class RevokeForm(BaseDialogForm):
    """Which of a till's working keys to revoke."""

    key = forms.ModelChoiceField(
        label=_("till key"), queryset=TillKey.objects.none(), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        working = TillKey.objects.filter(till_id=self.object_id, revoked_at=None)
        self.fields["key"].queryset = working.order_by("-created_at")  # type: ignore[attr-defined]


class KeyRows(ReadOnlyRows):
    """The keys of a till, without their secrets."""

    model = TillKey
    fields = ["public_id", "scopes", "created_at", "expires_at", "revoked_at"]
    readonly_fields = fields
    tab = False


@admin.register(Till)
class TillPage(Page):
    """A till, and the keys it holds."""

    store_lookup = "store_id"
    list_display = ["code", "store"]
    list_filter = [("store", VisibleFilter)]
    list_select_related = ["store"]
    search_fields = ["code", "store__code", "store__name_zh", "store__name_en"]
    search_help_text = _("Till or store")
    ordering = ["store__code", "code"]
    autocomplete_fields = ["store"]
    inlines = [KeyRows]
    actions_detail = ["issue_key", "revoke_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")

    @button(
        Button(
            label=_("Issue a key"),
            question=_("The key is shown once. A till may hold two while they are exchanged."),
            permission="shop.add_tillkey",
        ),
        icon="key",
        variant=ActionVariant.PRIMARY,
    )
    def issue_key(self, request: HttpRequest, till: Any, answers: dict[str, Any]) -> HttpResponse:
        """Give the till a key."""
        key = tills.issue_till_key(till, now=timezone.now())
        return show_once(request, key, done_url=address(self, till))

    @button(
        Button(
            label=_("Revoke a key"),
            question=_("The till that holds it is refused from now on."),
            permission="shop.change_tillkey",
            form=RevokeForm,
            when=lambda till: till.keys.filter(revoked_at=None).exists(),
        ),
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke_key(self, request: HttpRequest, till: Any, answers: dict[str, Any]) -> Text:
        """Make one key stop working."""
        tills.revoke(answers["key"], now=timezone.now())
        return _("The key %(key)s no longer works.") % {"key": answers["key"].public_id}


@admin.register(TillKey)
class TillKeyPage(ReadOnlyPage):
    """Every till's keys in one list; they are issued and revoked on the till's page."""

    store_lookup = "till__store_id"
    list_display = ["public_id", "till", "created_at", "expires_at", "revoked_at"]
    list_filter = [("till__store", VisibleFilter)]
    list_select_related = ["till__store"]
    search_fields = ["public_id", "till__code"]
    search_help_text = _("Key id or till")
    date_hierarchy = "created_at"
    fields = ["public_id", "till", "scopes", "created_at", "expires_at", "revoked_at"]


class ReportKeyForm(BaseDialogForm):
    """Whose key, and what it may read; no store named means all of them."""

    name = forms.CharField(label=_("name"), max_length=80, widget=UnfoldAdminTextInputWidget)
    stores = forms.ModelMultipleChoiceField(
        label=_("stores"),
        queryset=Store.objects.order_by("code"),
        required=False,
        help_text=_("None chosen: all stores."),
        widget=UnfoldAdminSelectMultipleWidget,
    )


@admin.register(ReportKey)
class ReportKeyPage(ForHeadOffice, ReadOnlyPage):
    """Keys of analysts' tools; head office gives them out."""

    list_display = ["name", "public_id", "covers_all_stores", "created_at", "revoked_at"]
    list_filter = ["covers_all_stores"]
    search_fields = ["name", "public_id"]
    search_help_text = _("Name or key id")
    date_hierarchy = "created_at"
    fields = [
        "name",
        "public_id",
        "scopes",
        "covers_all_stores",
        "stores",
        "created_at",
        "expires_at",
        "revoked_at",
    ]
    actions_list = ["issue_key"]
    actions_detail = ["revoke_key"]

    @list_button(
        Button(
            label=_("Issue a key"),
            question=_("The key reads reports. It is shown once."),
            permission="shop.add_reportkey",
            form=ReportKeyForm,
        ),
        icon="key",
        variant=ActionVariant.PRIMARY,
    )
    def issue_key(self, request: HttpRequest, row: None, answers: dict[str, Any]) -> HttpResponse:
        """Give a reader a key."""
        key = tills.issue_report_key(
            answers["name"], stores=list(answers["stores"]) or None, now=timezone.now()
        )
        return show_once(request, key, done_url=address(self))

    @button(
        Button(
            label=_("Revoke the key"),
            question=_("Whoever holds it is refused from now on."),
            permission="shop.change_reportkey",
            when=lambda key: key.revoked_at is None,
        ),
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke_key(self, request: HttpRequest, key: Any, answers: dict[str, Any]) -> Text:
        """Make the key stop working."""
        tills.revoke(key, now=timezone.now())
        return _("The key %(key)s no longer works.") % {"key": key.public_id}
