"""Where people come from: channels with their placements, and campaigns."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns import clicks, phase_spans
from campaigns.models import Campaign, CampaignPhase, Channel, Placement
from shop.admin.pages import Page, Rows
from shop.admin.scoping import VisibleFilter
from shop.kernel.errors import InvalidInput


class PlacementRows(Rows):
    """The places within a channel."""

    model = Placement
    fields = ["code", "name_zh", "name_en"]
    ordering = ["code"]
    tab = False


@admin.register(Channel)
class ChannelPage(Page):
    """A source of traffic, the same for all stores."""

    list_display = ["code", "title", "kind"]
    list_display_links = ["code", "title"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]
    inlines = [PlacementRows]
    fieldsets = [
        (None, {"fields": [("code", "kind"), ("name_zh", "name_en"), "utm_template"]}),
    ]

    def save_model(
        self, request: HttpRequest, obj: Channel, form: ModelForm[Channel], change: Any
    ) -> None:
        super().save_model(request, obj, form, change)
        clicks.forget_links()


@admin.register(Placement)
class PlacementPage(Page):
    """Placements by themselves: what links name. People come here through their channel."""

    list_display = ["channel", "code", "title"]
    list_display_links = ["code", "title"]
    list_filter = [("channel", VisibleFilter)]
    list_select_related = ["channel"]
    search_fields = ["code", "name_zh", "name_en", "channel__code"]
    search_help_text = _("Code or name")
    ordering = ["channel__code", "code"]
    autocomplete_fields = ["channel"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False


class PhaseForm(ModelForm[CampaignPhase]):
    """A phase as long as its kind allows."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        kind, starts_at = answers.get("kind"), answers.get("starts_at")
        if kind and starts_at and "ends_at" not in self.errors:
            answers["ends_at"] = phase_spans.end_of(kind, starts_at, answers.get("ends_at"))
            try:
                phase_spans.ensure_span(kind, starts_at, answers["ends_at"], pointer="/ends_at")
            except InvalidInput as refusal:
                self.add_error("ends_at", refusal.members["errors"][0]["detail"])
        return answers


class PhaseRows(Rows):
    """The phases of a campaign, in time."""

    model = CampaignPhase
    form = PhaseForm
    fields = ["kind", "starts_at", "ends_at", "budget_cents"]
    show_change_link = True
    ordering = ["starts_at"]
    tab = False


@admin.register(Campaign)
class CampaignPage(Page):
    """A plan to bring people in; one without stores is everybody's to see."""

    store_lookup = "stores"
    shows_unassigned = True
    list_display = ["code", "title", "status", "starts_at", "ends_at", "budget_cents"]
    list_display_links = ["code", "title"]
    list_filter = [("status", ChoicesDropdownFilter), ("stores", VisibleFilter)]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["-starts_at"]
    date_hierarchy = "starts_at"
    autocomplete_fields = ["stores"]
    inlines = [PhaseRows]
    fieldsets = [
        (None, {"fields": [("code", "status"), ("name_zh", "name_en")]}),
        (None, {"fields": [("starts_at", "ends_at"), ("budget_cents", "stores")]}),
    ]


@admin.register(CampaignPhase)
class PhasePage(Page):
    """Phases by themselves: what links name. People come here through their campaign."""

    store_lookup = "campaign__stores"
    shows_unassigned = True
    list_display = ["campaign", "kind", "status", "starts_at", "ends_at", "budget_cents"]
    list_filter = [("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter)]
    list_select_related = ["campaign"]
    search_fields = ["campaign__code", "campaign__name_zh", "campaign__name_en"]
    search_help_text = _("Campaign")
    ordering = ["-starts_at"]
    autocomplete_fields = ["campaign", "coupon_definitions", "promotions"]
    readonly_fields = ["status"]
    form = PhaseForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("campaign")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
