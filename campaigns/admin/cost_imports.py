"""Uploads of costs: the file, its preview line by line, and what was stored of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns import cost_files, cost_imports, cost_rows, queries
from campaigns.cost_rows import Unreadable
from campaigns.costs import ImportReport, LineReport, Outcome
from campaigns.currencies import MINOR_DIGITS
from campaigns.models import CostImport
from shop.admin.buttons import Button, Text, address, back, button
from shop.admin.money import yuan
from shop.admin.pages import Page
from shop.admin.scoping import covers_chain, principal_of
from shop.kernel.errors import InvalidInput

MOST_BYTES = 5 * 1024 * 1024
MOST_SHOWN = 200
CURRENCIES = [(code, code) for code in MINOR_DIGITS]
OUTCOMES = {
    Outcome.CREATED: _("new"),
    Outcome.UPDATED: _("replaces"),
    Outcome.REFUSED: _("refused"),
}


class UploadForm(ModelForm[CostImport]):
    """A file, and what its lines do not say."""

    file = forms.FileField(
        label=_("File"),
        widget=UnfoldAdminFileFieldWidget(),
        help_text=_("CSV in UTF-8 or GBK, as the platform exports it."),
        required=False,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data.get("file")
        if self.instance.pk is None and not file:
            raise forms.ValidationError(_("Choose a file."))
        if file and file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return file

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        if self.instance.pk is not None or not answers.get("file") or self.errors:
            return answers
        try:
            cost_rows.money_of(answers["currency"], answers["exchange_rate"])
        except Unreadable as error:
            self.add_error("exchange_rate", str(error.detail))
        try:
            answers["text"] = cost_files.decode(answers["file"].read())
            cost_imports.ensure_readable(
                answers["text"], preset=answers["preset"], has_link=bool(answers.get("link"))
            )
        except InvalidInput as refusal:
            self.add_error("file", str(refusal.members["errors"][0]["detail"]))
        return answers


class StoreForm(BaseDialogForm):
    """Whether lines that cannot be used are left out."""

    skips_refused = forms.BooleanField(
        label=_("Leave out lines that are refused"),
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
    )


def _is_open(upload: CostImport) -> bool:
    return upload.state == CostImport.State.PREVIEW


@admin.register(CostImport)
class CostImportPage(Page):
    """An upload: its preview with every line, until it is stored or dropped.

    Everybody sees their own; head office sees all.
    """

    store_lookup = "link__store_id"
    form = UploadForm
    list_display = [
        "created_at",
        "file_name",
        "preset",
        "state",
        "created_count",
        "updated_count",
        "refused_count",
        "created_by",
    ]
    list_display_links = ["created_at", "file_name"]
    list_filter = [("state", ChoicesDropdownFilter), ("preset", ChoicesDropdownFilter)]
    list_select_related = ["created_by"]
    search_fields = ["file_name"]
    search_help_text = _("File")
    ordering = ["-pk"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["link"]
    fieldsets = [
        (None, {"fields": [("file_name", "preset"), ("state", "created_by"), "created_at"]}),
        (_("Line by line"), {"fields": ["preview"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["file", ("preset", "link"), ("currency", "exchange_rate")]}),
    ]
    actions_detail = ["store", "drop"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.every_row(request)
        return rows if covers_chain(request) else rows.filter(created_by=request.user.pk)

    def may_write(self, request: HttpRequest, row: Any = None) -> bool:
        is_upload = isinstance(row, CostImport) and row.pk is not None
        return covers_chain(request) or not is_upload or row.created_by_id == request.user.pk

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["preview"] if obj is not None else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "currency":
            return forms.ChoiceField(
                label=db_field.verbose_name.capitalize(),
                choices=CURRENCIES,
                initial=db_field.default,
                help_text=db_field.help_text,
                widget=UnfoldAdminSelectWidget(),
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_field_queryset(
        self, db: str | None, db_field: Any, request: HttpRequest
    ) -> QuerySet[Any] | None:
        """Offer only links whose costs are this person's to write."""
        if db_field.name == "link":
            return queries.writable_links(principal_of(request))
        return super().get_field_queryset(db, db_field, request)

    def save_model(
        self, request: HttpRequest, obj: CostImport, form: ModelForm[CostImport], change: Any
    ) -> None:
        if change:
            return
        given = form.cleaned_data
        made = cost_imports.upload(
            file_name=given["file"].name[:120],
            text=given["text"],
            preset=given["preset"],
            link=given.get("link"),
            currency=given["currency"],
            exchange_rate=given["exchange_rate"],
            staff=request.user,  # type: ignore[arg-type]
            links=queries.writable_links(principal_of(request)),
            now=timezone.now(),
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Show what the file would do, whichever button was pressed."""
        return back(request, address(self, obj))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return an upload that knows who looks at it: others' links are not theirs to write."""
        upload = super().get_object(request, object_id, from_field)
        if upload is not None:
            upload.looked_at_by = principal_of(request)
        return upload

    @admin.display(description=_("preview"))
    def preview(self, upload: CostImport) -> str:
        """Show what becomes of every line; refused ones first."""
        if not _is_open(upload):
            return "–"
        known: str | None = getattr(upload, "seen", None)  # the page asks several times
        if known is None:
            links = queries.writable_links(upload.looked_at_by)  # type: ignore[attr-defined]
            report = cost_imports.look_at(upload, links=links)
            known = render_to_string("campaigns/cost_preview.html", _preview_of(report))
            upload.seen = known  # type: ignore[attr-defined]
        return known

    @button(
        Button(
            label=_("Store these costs"),
            question=_("Costs of the same link, day and keyword are replaced."),
            permission="campaigns.change_costimport",
            form=StoreForm,
            when=_is_open,
        ),
        icon="check",
        variant=ActionVariant.PRIMARY,
    )
    def store(self, request: HttpRequest, upload: CostImport, answers: dict[str, Any]) -> Text:
        """Store what was looked at."""
        report = cost_imports.store(
            upload,
            links=queries.writable_links(principal_of(request)),
            skips_refused=answers["skips_refused"],
            now=timezone.now(),
        )
        return _("Stored: %(new)s lines new, %(old)s replaced, %(bad)s left out.") % {
            "new": report.count(Outcome.CREATED),
            "old": report.count(Outcome.UPDATED),
            "bad": report.count(Outcome.REFUSED),
        }

    @button(
        Button(
            label=_("Drop"),
            question=_("Nothing of this file is stored."),
            permission="campaigns.change_costimport",
            when=_is_open,
        ),
        icon="delete",
        variant=ActionVariant.DANGER,
    )
    def drop(self, request: HttpRequest, upload: CostImport, answers: dict[str, Any]) -> Text:
        """Forget the file."""
        cost_imports.drop(upload)
        return _("Dropped; nothing was stored.")


def _preview_of(report: ImportReport) -> dict[str, Any]:
    """Return what the preview shows: refused lines first, then the others, each up to a number."""
    shown = sorted(report.lines, key=lambda line: line.outcome != Outcome.REFUSED)[:MOST_SHOWN]
    return {
        "created": report.count(Outcome.CREATED),
        "updated": report.count(Outcome.UPDATED),
        "refused": report.count(Outcome.REFUSED),
        "total": yuan(sum(line.cost_cents or 0 for line in report.lines)),
        "lines": [_shown(line) for line in shown],
        "hidden": len(report.lines) - len(shown),
    }


def _shown(line: LineReport) -> dict[str, Any]:
    return {
        "number": line.line,
        "outcome": OUTCOMES[line.outcome],
        "is_refused": line.outcome == Outcome.REFUSED,
        "link": line.link,
        "date": line.date,
        "keyword": line.keyword,
        "cost": yuan(line.cost_cents),
        "before": yuan(line.replaces_cents),
        "detail": line.detail,
    }
