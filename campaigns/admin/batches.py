"""Batches of codes: made here, printed here, and handed to the printer's as a file."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from campaigns import batches, codes, links, queries
from campaigns.models import CodeBatch
from shop.admin.buttons import Button, Text, button, list_button
from shop.admin.pages import Page
from shop.admin.scoping import VisibleFilter, principal_of
from shop.kernel import identifiers
from shop.kernel.errors import InvalidInput

COPIES_OF_A_WORD = 12
STATES = {
    "unused": _("Not used yet."),
    "void": _("Void."),
    "word": _("A word that many may use."),
    "available": _("In a wallet, not used yet."),
    "held": _("On an order that is not paid."),
    "redeemed": _("Used."),
    "expired": _("Expired."),
    "revoked": _("Revoked."),
    "transferred": _("Given away."),
}


class BatchForm(forms.ModelForm[CodeBatch]):
    """What a new batch shall be, checked as the API checks it."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        if self.instance.pk is not None or "definition" not in answers or self.errors:
            return answers
        for name in ("prefix", "word"):
            answers[name] = identifiers.normalise_code(answers.get(name) or "")
        try:
            batches.ensure_consistent(
                answers["definition"],
                kind=answers["kind"],
                quantity=answers["quantity"],
                prefix=answers["prefix"],
                length=answers["length"],
                word=answers["word"],
            )
        except InvalidInput as refusal:
            for error in refusal.members["errors"]:
                self.add_error(error["pointer"].strip("/"), error["detail"])
            return answers
        if answers["kind"] == CodeBatch.Kind.EACH:
            answers["word"] = None
        elif not answers["word"]:
            answers["word"] = identifiers.new_code(answers["length"] - 1)
        return answers


class LookUpForm(BaseDialogForm):
    """The code in question."""

    code = forms.CharField(label=_("code"), max_length=40, widget=UnfoldAdminTextInputWidget())


@admin.register(CodeBatch)
class BatchPage(Page):
    """Printed codes and words; head office's to make, every manager's to follow."""

    form = BatchForm
    list_display = [
        "label",
        "definition",
        "kind",
        "quantity",
        "progress",
        "entered",
        "redeemed",
        "rate",
        "created_at",
    ]
    list_filter = [("kind", ChoicesDropdownFilter), ("definition", VisibleFilter)]
    list_select_related = ["definition", "link"]
    search_fields = ["label", "area", "word", "definition__code"]
    search_help_text = _("Label, area, word or coupon")
    ordering = ["-pk"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["definition", "link"]
    readonly_fields = [
        "form_of_codes",
        "progress",
        "scans",
        "entered",
        "redeemed",
        "rate",
        "hand_out",
        "created_at",
        "created_by",
        "voided_at",
    ]
    conditional_fields = {
        "prefix": "kind == 'each'",
        "length": "kind == 'each'",
        "word": "kind == 'shared'",
    }
    fieldsets = [
        (None, {"fields": [("label", "area"), ("definition", "kind"), ("quantity", "link")]}),
        (_("Codes"), {"fields": [("prefix", "length"), "word"]}),
        (_("So far"), {"fields": ["progress", ("scans", "entered"), ("redeemed", "rate")]}),
        (_("To hand out"), {"fields": ["hand_out", ("created_at", "created_by"), "voided_at"]}),
    ]
    add_fieldsets = fieldsets[:2]
    actions_detail = ["void"]
    actions_list = ["look_up"]

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        return queries.with_uses(super().every_row(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        once = ["definition", "kind", "quantity", "link", "prefix", "length", "word"]
        fixed = once if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def layout(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        what, how, *others = super().layout(request, obj)
        if obj is not None:
            how = (_("Codes"), {"fields": ["form_of_codes"]})
        return [what, how, *others]

    @admin.display(description=_("form"))
    def form_of_codes(self, batch: CodeBatch) -> str:
        """Show the word, or how the codes look."""
        return batch.word or grouped(batch.prefix + "•" * batch.length)

    @admin.display(description=_("made"))
    def progress(self, batch: CodeBatch) -> str:
        """Show how many of the codes are there, as a bar and in numbers."""
        if batch.kind == CodeBatch.Kind.SHARED or not batch.quantity:
            return "–"
        return format_html(
            '<div class="flex items-center gap-2"><progress max="{}" value="{}"></progress>'
            "<span>{} / {}</span></div>",
            batch.quantity,
            batch.made_count,
            f"{batch.made_count:,}",
            f"{batch.quantity:,}",
        )

    @admin.display(description=_("scans"))
    def scans(self, batch: CodeBatch) -> str:
        """Show how often somebody scanned a paper, as far as that is known."""
        return "–" if batch.link is None else f"{queries.scans_of(batch):,}"

    @admin.display(description=_("entered"), ordering="entered")
    def entered(self, batch: Any) -> int:
        """Show how many coupons the codes gave."""
        count: int = batch.entered
        return count

    @admin.display(description=_("redeemed"), ordering="redeemed")
    def redeemed(self, batch: Any) -> int:
        """Show how many of those were used."""
        count: int = batch.redeemed
        return count

    @admin.display(description=_("redemption rate"))
    def rate(self, batch: Any) -> str:
        """Show which share of the papers brought somebody to the till."""
        return f"{batch.redeemed / batch.quantity:.2%}" if batch.quantity else "–"

    @admin.display(description=_("to print"))
    def hand_out(self, batch: CodeBatch) -> SafeString:
        """Link to the sheet and to the file."""
        files = [("sheet", _("Printable sheet"))]
        if batch.kind == CodeBatch.Kind.EACH:
            files.append(("file", _("All codes as CSV")))
        found = [
            format_html(
                '<a class="text-link" href="{}" target="_blank">{}</a>',
                reverse(f"admin:campaigns_codebatch_{name}", args=[batch.pk]),
                title,
            )
            for name, title in files
        ]
        return mark_safe(" · ".join(found))  # noqa: S308 - each is escaped above

    def save_model(
        self, request: HttpRequest, obj: CodeBatch, form: forms.ModelForm[CodeBatch], change: Any
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = batches.create(
            obj.definition,
            kind=obj.kind,
            label=obj.label,
            area=obj.area,
            link=obj.link,
            quantity=obj.quantity,
            prefix=obj.prefix,
            length=obj.length,
            word=obj.word or "",
            requested_by=principal_of(request).key,
            now=timezone.now(),
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        name = "campaigns_codebatch"
        return [
            path("<path:object_id>/codes.csv", view(self.file), name=f"{name}_file"),
            path("<path:object_id>/sheet", view(self.sheet), name=f"{name}_sheet"),
            *super().get_urls(),
        ]

    def file(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Answer with every code, piece by piece, and remember who took them."""
        batch = self._whose_codes_may_be_seen(request, object_id)
        self.log_change(request, batch, str(_("Downloaded all codes.")))
        return StreamingHttpResponse(
            batches.as_csv(batch),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="codes-{batch.pk}.csv"'},
        )

    def sheet(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with a page to print: a QR code and its letters on every paper."""
        batch = self._whose_codes_may_be_seen(request, object_id)
        given = request.GET.get("first", "1")
        first = max(int(given), 1) if given.isascii() and given.isdigit() and len(given) < 8 else 1
        papers = [
            {
                "number": number,
                "code": grouped(code),
                "qr": mark_safe(links.paper_qr_code(batch.link, coupon_code=code)),  # noqa: S308 - drawn by us
            }
            for number, code in batches.papers(batch, first=first, count=batches.MOST_PRINTED)
        ]
        is_word = batch.kind == CodeBatch.Kind.SHARED
        if not is_word:
            said = _("Printed the codes from %(first)d on.") % {"first": first}
            self.log_change(request, batch, str(said))
        following = first + batches.MOST_PRINTED
        context = {
            "batch": batch,
            "papers": papers * COPIES_OF_A_WORD if is_word else papers,
            "is_word": is_word,
            "previous": max(first - batches.MOST_PRINTED, 1) if first > 1 else None,
            "following": following if not is_word and following <= batch.made_count else None,
        }
        response = render(request, "campaigns/code_sheet.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def _whose_codes_may_be_seen(self, request: HttpRequest, object_id: str) -> CodeBatch:
        batch: CodeBatch | None = self.get_object(request, object_id)
        if batch is None or not self.has_add_permission(request):
            raise Http404
        return batch

    @button(
        Button(
            label=_("Make void"),
            question=_(
                "Codes that nobody has entered yet become worthless, for good. Coupons in wallets"
                " stay."
            ),
            permission="campaigns.change_codebatch",
            when=lambda batch: batch.voided_at is None,
        ),
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def void(self, request: HttpRequest, batch: CodeBatch, answers: dict[str, Any]) -> Text:
        """End a batch that was lost or stolen."""
        batches.void(batch, now=timezone.now())
        return _("The codes are void.")

    @list_button(
        Button(
            label=_("Look up a code"),
            question=_("Type it as it stands on the paper."),
            permission="campaigns.view_codebatch",
            form=LookUpForm,
        ),
        icon="search",
    )
    def look_up(self, request: HttpRequest, _row: None, answers: dict[str, Any]) -> Text:
        """Tell what became of a code."""
        who = f"lookup:{principal_of(request).key}"
        state = codes.inspect(answers["code"], guesser=who, now=timezone.now())
        parts = [f"{state.code}:", str(STATES[state.state]), state.batch, state.definition]
        return " ".join(part for part in [*parts, state.order] if part)


def grouped(code: str) -> str:
    """Return a code in groups of four, as people read it out.

    >>> grouped("TEA2345678")
    'TEA2-3456-78'
    """
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
