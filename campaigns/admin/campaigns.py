"""Campaigns and their phases: made from a preset, switched by hand, seen on one page."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns import campaigns, phase_drafts, phase_offers, phase_presets, phase_spans, phases
from campaigns.admin import campaign_board
from campaigns.campaigns import CampaignDraft
from campaigns.models import Campaign, CampaignChange, CampaignPhase, PhasePlan, Reservation
from shop.admin.buttons import Button, back, button, list_button
from shop.admin.choices import Choice
from shop.admin.money import YuanField
from shop.admin.pages import Page, ReadOnlyPage, Rows
from shop.admin.scoping import VisibleFilter, covers_chain, principal_of
from shop.kernel.errors import InvalidInput, PermissionDenied
from shop.models import Store

Status, PhaseStatus = Campaign.Status, CampaignPhase.Status
MAY = "campaigns.change_campaign"
MOST_JOINS = 100_000_000


class ReasonForm(BaseDialogForm):
    """Why; it stays in the history."""

    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)


class PresetForm(BaseDialogForm):
    """A whole campaign in a few answers; every phase can be changed afterwards."""

    preset = forms.ChoiceField(
        label=_("kind"),
        choices=[(preset.code, preset.label) for preset in phase_presets.PRESETS],
        widget=UnfoldAdminSelectWidget,
    )
    code = forms.SlugField(label=_("code"), max_length=40, widget=UnfoldAdminTextInputWidget)
    name_zh = forms.CharField(
        label=_("Chinese name"), max_length=80, widget=UnfoldAdminTextInputWidget
    )
    name_en = forms.CharField(
        label=_("English name"), max_length=80, widget=UnfoldAdminTextInputWidget
    )
    starts_at = forms.SplitDateTimeField(
        label=_("it starts"),
        help_text=_("A preheat comes before."),
        widget=UnfoldAdminSplitDateTimeWidget,
    )
    budget_cents = YuanField(
        label=_("budget"),
        least_cents=1,
        required=False,
        help_text=_("Divided among the phases; of what is always on: per day."),
    )
    target_joins = forms.IntegerField(
        label=_("target: new members"),
        min_value=1,
        max_value=MOST_JOINS,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    stores = Choice(Store, label=_("stores"), help_text=_("None: all of them."))


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


class PhaseRows(Rows):
    """The phases of a campaign, in time."""

    model = CampaignPhase
    form = PhaseForm
    fields = ["kind", "starts_at", "ends_at", "budget_cents", "target_joins"]
    show_change_link = True
    ordering = ["starts_at"]
    tab = False


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


def _tell(request: HttpRequest, row: Campaign | CampaignPhase) -> None:
    said = _("%(what)s is %(status)s now.") % {"what": row, "status": row.get_status_display()}
    messages.success(request, said)


def _note_terms(request: HttpRequest, form: Any) -> None:
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


@admin.register(Campaign)
class CampaignPage(Page):
    """A plan to bring people in; one without stores is everybody's to see."""

    store_lookup = "stores"
    shows_unassigned = True
    list_display = ["code", "title", "status", "starts_at", "ends_at", "budget_cents", "board"]
    list_display_links = ["code", "title"]
    list_filter = [("status", ChoicesDropdownFilter), ("stores", VisibleFilter)]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["-starts_at"]
    date_hierarchy = "starts_at"
    autocomplete_fields = ["stores"]
    readonly_fields = ["status", "board"]
    inlines = [PhaseRows]
    fieldsets = [
        (None, {"fields": [("code", "status"), ("name_zh", "name_en"), "board"]}),
        (None, {"fields": [("starts_at", "ends_at"), ("budget_cents", "stores")]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["code", ("name_zh", "name_en")]}),
        (None, {"fields": [("starts_at", "ends_at"), ("budget_cents", "stores")]}),
    ]
    actions_list = ["make_from_preset"]
    actions_detail = ["activate", "pause", "end"]

    @admin.display(description=_("at a glance"))
    def board(self, campaign: Campaign) -> SafeString:
        """Lead to the page that shows the campaign as a whole."""
        url = board_url(campaign.pk)
        return format_html('<a href="{}" class="text-link">{}</a>', url, _("Plan and actual"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.show_board)
        return [
            path("<int:campaign_id>/board/", view, name="campaigns_campaign_board"),
            *super().get_urls(),
        ]

    def show_board(self, request: HttpRequest, campaign_id: int) -> HttpResponse:
        """Show a campaign as a whole."""
        campaign = self.get_object(request, str(campaign_id))
        if campaign is None or not self.has_view_permission(request, campaign):
            raise Http404
        may_change = self.has_change_permission(request, campaign)
        board = campaign_board.context(campaign, may_change=may_change, now=timezone.now())
        moves = [
            name
            for name in self.actions_detail
            if getattr(self, name).button.is_offered(self, request, campaign)
        ]
        url = "admin:campaigns_campaign_{}".format
        context = {
            **self.admin_site.each_context(request),
            "title": campaign.name,
            "board": board,
            "moves": [
                {
                    "label": getattr(self, name).button.label,
                    "url": reverse(url(name), args=[campaign.pk]),
                }
                for name in moves
            ],
        }
        return render(request, "campaigns/board.html", context)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        super().save_formset(request, form, formset, change)
        for each in formset.initial_forms:
            if each.instance.pk and each not in formset.deleted_forms:
                _note_terms(request, each)

    @list_button(
        Button(
            label=_("New campaign from a preset"),
            question=_("It is a draft with its phases; nothing starts before you switch it on."),
            permission="campaigns.add_campaign",
            form=PresetForm,
        ),
        icon="auto_awesome",
        variant=ActionVariant.PRIMARY,
    )
    def make_from_preset(
        self, request: HttpRequest, row: None, answers: dict[str, Any]
    ) -> HttpResponse:
        """Make a campaign with its phases."""
        stores = list(Store.objects.filter(code__in=answers["stores"]))
        principal = principal_of(request)
        if not covers_chain(request) and (
            not stores or not all(principal.sees_store(store.pk) for store in stores)
        ):
            raise PermissionDenied
        drafts = phase_presets.phases(
            phase_presets.BY_CODE[answers["preset"]],
            starts_at=answers["starts_at"],
            budget_cents=answers["budget_cents"],
            target_joins=answers["target_joins"],
        )
        campaign = campaigns.create(
            CampaignDraft(
                code=answers["code"],
                name_zh=answers["name_zh"],
                name_en=answers["name_en"],
                starts_at=drafts[0].starts_at,
                ends_at=drafts[-1].ends_at,
                budget_cents=answers["budget_cents"],
                stores=stores,
                phases=drafts,
            )
        )
        return back(request, board_url(campaign.pk))

    @button(
        Button(
            label=_("Switch on"),
            question=_("Its phases start when their time comes."),
            permission=MAY,
            form=ReasonForm,
            when=lambda row: row.status in {Status.DRAFT, Status.PAUSED},
        ),
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def activate(self, request: HttpRequest, row: Campaign, answers: Any) -> HttpResponse:
        """Switch a campaign on."""
        return self._move(request, row, Status.ACTIVE, answers)

    @button(
        Button(
            label=_("Pause"),
            question=_("Its phases pause with it: their offers stop, links go on counting."),
            permission=MAY,
            form=ReasonForm,
            when=lambda row: row.status == Status.ACTIVE,
        ),
        icon="pause",
        variant=ActionVariant.WARNING,
    )
    def pause(self, request: HttpRequest, row: Campaign, answers: Any) -> HttpResponse:
        """Pause a campaign."""
        return self._move(request, row, Status.PAUSED, answers)

    @button(
        Button(
            label=_("End"),
            question=_("Its phases end with it, for good; what came of them is kept."),
            permission=MAY,
            form=ReasonForm,
            when=lambda row: row.status != Status.ENDED,
        ),
        icon="stop",
        variant=ActionVariant.DANGER,
    )
    def end(self, request: HttpRequest, row: Campaign, answers: Any) -> HttpResponse:
        """End a campaign."""
        return self._move(request, row, Status.ENDED, answers)

    def _move(self, request: HttpRequest, row: Campaign, to: str, answers: Any) -> HttpResponse:
        campaigns.move(
            row,
            to=to,
            reason=answers["reason"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        _tell(request, row)
        return back(request, board_url(row.pk))


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
            _note_terms(request, form)
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
        _tell(request, moved)
        return back(request, board_url(row.campaign_id))


@admin.register(CampaignChange)
class CampaignChangePage(ReadOnlyPage):
    """Who moved which campaign or phase, when and why."""

    store_lookup = "campaign__stores"
    shows_unassigned = True
    list_display = [
        "occurred_at",
        "campaign",
        "phase",
        "from_status",
        "to_status",
        "cause",
        "actor",
    ]
    list_display_links = ["occurred_at"]
    list_filter = [("cause", ChoicesDropdownFilter)]
    list_select_related = ["campaign", "phase__campaign"]
    search_fields = ["campaign__code", "reason", "actor"]
    search_help_text = _("Campaign, reason or person")
    date_hierarchy = "occurred_at"
    fields = [
        ("campaign", "phase"),
        ("from_status", "to_status"),
        ("cause", "actor"),
        "reason",
        "occurred_at",
        "details",
    ]


@admin.register(Reservation)
class ReservationPage(ReadOnlyPage):
    """Who waits for a campaign to start, and what they got."""

    store_lookup = "member__store_id"
    list_display = ["reserved_at", "campaign", "member", "told_at", "coupon"]
    list_display_links = ["reserved_at"]
    list_filter = [("campaign", VisibleFilter), ("told_at", admin.EmptyFieldListFilter)]
    list_select_related = ["campaign", "member", "coupon__definition"]
    search_fields = ["campaign__code", "member__phone_last4", "member__name"]
    search_help_text = _("Campaign, last four digits or name")
    date_hierarchy = "reserved_at"
    fields = [("campaign", "phase"), "member", ("reserved_at", "told_at"), "coupon"]
