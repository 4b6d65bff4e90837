"""Campaigns: made from a preset, switched by hand, seen on one page."""

from typing import Any

from django import forms
from django.contrib import admin
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

from campaigns import campaigns, phase_presets
from campaigns.admin import campaign_board
from campaigns.admin.phases import MAY, PhaseForm, ReasonForm, board_url, note_terms, tell_moved
from campaigns.campaigns import CampaignDraft
from campaigns.models import Campaign, CampaignPhase
from shop.admin.buttons import Button, back, button, list_button
from shop.admin.choices import Choice
from shop.admin.moments import MomentField
from shop.admin.money import YuanField
from shop.admin.pages import Page, Rows
from shop.admin.scoping import VisibleFilter, covers_chain, principal_of
from shop.kernel.errors import PermissionDenied
from shop.models import Store

Status = Campaign.Status
MOST_JOINS = 100_000_000


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
    starts_at = MomentField(
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


class PhaseRows(Rows):
    """The phases of a campaign, in time."""

    model = CampaignPhase
    form = PhaseForm
    fields = ["kind", "starts_at", "ends_at", "budget_cents", "target_joins"]
    show_change_link = True
    ordering = ["starts_at"]
    tab = False


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
                note_terms(request, each)

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
        tell_moved(request, row)
        return back(request, board_url(row.pk))
