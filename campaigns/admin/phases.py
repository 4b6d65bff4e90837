"""The phases of campaigns: limits, targets, plan and offers; moved by hand."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminTextInputWidget,
)

from campaigns import phase_drafts, phase_offers, phase_spans, phases
from campaigns.models import Campaign, CampaignPhase, PhasePlan
from shop.admin.buttons import Button, back, button
from shop.admin.pages import Page, Rows
from shop.admin.scoping import principal_of
from shop.kernel.errors import InvalidInput

PhaseStatus = CampaignPhase.Status
MAY = "campaigns.change_campaign"


class ReasonForm(BaseDialogForm):
    """Why; it stays in the history."""

    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)


class PhaseForm(ModelForm[CampaignPhase]):
    """A phase as long as its kind allows, with offers that can wait for it."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        if self.instance.status == PhaseStatus.ENDED and self.has_changed():
            raise ValidationError(_("A phase that is over stays as it was."))
        kind, starts_at = answers.get("kind"), answers.get("starts_at")
        if kind and starts_at and "ends_at" not in self.errors:
            answers["ends_at"] = phase_spans.end_of(kind, starts_at, answers.get("ends_at"))
            self._refuse(
                "ends_at",
                lambda: phase_spans.ensure_span(
                    kind, starts_at, answers["ends_at"], pointer="/ends_at"
                ),
            )
        if answers.get("reservation_coupon") and kind != CampaignPhase.Kind.PREHEAT:
            self.add_error("reservation_coupon", _("Only a preheat takes reservations."))
        if self.instance.status != PhaseStatus.RUNNING:
            for name in {"coupon_definitions", "promotions"}.intersection(self.changed_data):
                for offer in answers.get(name) or ():
                    self._refuse(
                        name, lambda each=offer: phase_drafts.ensure_can_wait(each, pointer="")
                    )
        return answers

    def _refuse(self, name: str, check: Any) -> None:
        try:
            check()
        except InvalidInput as refusal:
            self.add_error(name, refusal.members["errors"][0]["detail"])


class PlanRows(Rows):
    """What each channel or link of a phase is to cost and to bring."""

    model = PhasePlan
    fields = ["channel", "link", "cost_cents", "reach", "joins"]
    autocomplete_fields = ["channel", "link"]
    hide_title = True
    tab = False

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        return super().every_row(request).select_related("channel", "link")


def board_url(campaign_id: int) -> str:
    """Return where a campaign is seen as a whole."""
    return reverse("admin:campaigns_campaign_board", args=[campaign_id])


def tell_moved(request: HttpRequest, row: Campaign | CampaignPhase) -> None:
    """Say what a campaign or a phase has become."""
    said = _("%(what)s is %(status)s now.") % {"what": row, "status": row.get_status_display()}
    messages.success(request, said)


def note_terms(request: HttpRequest, form: Any) -> None:
    """Write down which limits of a phase a form has changed."""
    changed = [name for name in phases.TERMS if name in form.changed_data]
    if changed and form.instance.pk:
        phases.note_terms(
            form.instance,
            {name: [form.initial.get(name), form.cleaned_data[name]] for name in changed},
            reason="",
            actor=principal_of(request).key,
            now=timezone.now(),
        )


@admin.register(CampaignPhase)
class PhasePage(Page):
    """A phase with its limits, targets, plan and offers. People come here through its campaign."""

    store_lookup = "campaign__stores"
    shows_unassigned = True
    list_display = ["campaign", "kind", "status", "starts_at", "ends_at", "budget_cents"]
    list_filter = [("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter)]
    list_select_related = ["campaign"]
    search_fields = ["campaign__code", "campaign__name_zh", "campaign__name_en"]
    search_help_text = _("Campaign")
    ordering = ["-starts_at"]
    autocomplete_fields = ["campaign", "coupon_definitions", "promotions", "reservation_coupon"]
    readonly_fields = ["status", "pause_cause", "reserved_count", "summary"]
    form = PhaseForm
    inlines = [PlanRows]
    fieldsets = [
        (None, {"fields": [("campaign", "kind"), ("status", "pause_cause")]}),
        (None, {"fields": [("starts_at", "ends_at")]}),
        (
            _("Limits at which it pauses"),
            {
                "fields": [
                    ("budget_cents", "daily_budget_cents"),
                    ("cpa_limit_cents", "cpa_min_joins"),
                    "redemption_limit",
                ]
            },
        ),
        (
            _("Targets"),
            {
                "fields": [
                    ("target_joins", "target_first_orders"),
                    ("target_sales_cents", "target_cpa_cents"),
                    "target_roas_percent",
                ]
            },
        ),
        (
            _("Offers that work while it runs"),
            {"fields": ["coupon_definitions", "promotions", "open_coupons"]},
        ),
        (
            _("Reservations"),
            {"fields": [("reservation_coupon", "reservation_limit"), "reserved_count"]},
        ),
        (_("What came of it"), {"fields": ["summary"]}),
    ]
    actions_detail = ["pause_phase", "resume_phase", "end_phase"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("campaign")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        super().save_related(request, form, formsets, change)
        if change:
            note_terms(request, form)
        if form.instance.status == PhaseStatus.RUNNING:
            phase_offers.unlock(form.instance, store_id=None, now=timezone.now())

    @button(
        Button(
            label=_("Pause"),
            question=_("Its offers stop and coupons wait; links go on. Only people resume it."),
            permission=MAY,
            form=ReasonForm,
            when=lambda row: (
                row.status in {PhaseStatus.RUNNING, PhaseStatus.PAUSED}
                and row.pause_cause != "staff"
            ),
        ),
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    def pause_phase(self, request: HttpRequest, row: Any, answers: Any) -> HttpResponse:
        """Pause a phase."""
        return self._move(request, row, phases.pause, answers)

    @button(
        Button(
            label=_("Resume"),
            question=_("Its offers work again."),
            permission=MAY,
            form=ReasonForm,
            when=lambda row: row.status == PhaseStatus.PAUSED,
        ),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def resume_phase(self, request: HttpRequest, row: Any, answers: Any) -> HttpResponse:
        """Resume a phase."""
        return self._move(request, row, phases.resume, answers)

    @button(
        Button(
            label=_("End"),
            question=_("Its offers end as it says; plan and actual are kept as they stand."),
            permission=MAY,
            form=ReasonForm,
            when=lambda row: row.status != PhaseStatus.ENDED,
        ),
        icon="stop",
        variant=ActionVariant.DANGER,
    )
    def end_phase(self, request: HttpRequest, row: Any, answers: Any) -> HttpResponse:
        """End a phase."""
        return self._move(request, row, phases.end, answers)

    def _move(self, request: HttpRequest, row: Any, move: Any, answers: Any) -> HttpResponse:
        moved = move(
            row.pk,
            reason=answers["reason"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        tell_moved(request, moved)
        return back(request, board_url(row.campaign_id))
