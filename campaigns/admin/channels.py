"""Where people come from: channels, campaigns, and links with their QR codes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from campaigns import clicks, links, phase_spans
from campaigns.models import Campaign, CampaignPhase, Channel, ChannelLink
from shop.admin.pages import Page, Rows
from shop.admin.scoping import VisibleFilter
from shop.kernel import identifiers
from shop.kernel.errors import InvalidInput

IMAGE_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@admin.register(Channel)
class ChannelPage(Page):
    """A source of traffic, the same for all stores."""

    list_display = ["code", "title", "kind"]
    list_display_links = ["code", "title"]
    list_filter = [("kind", ChoicesDropdownFilter)]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]


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


@admin.register(ChannelLink)
class LinkPage(Page):
    """A door into the shop, with the code that is printed for it.

    A link of no store is the whole chain's: everybody may print it, head office changes it.
    """

    store_lookup = "store_id"
    shows_unassigned = True
    list_display = ["label", "code", "channel", "store", "campaign", "is_active", "created_at"]
    list_filter = [("channel", VisibleFilter), ("store", VisibleFilter), "is_active"]
    list_select_related = ["channel", "store", "campaign"]
    search_fields = ["code", "label"]
    search_help_text = _("Code or label")
    ordering = ["-created_at"]
    date_hierarchy = "created_at"
    autocomplete_fields = ["channel", "campaign", "phase", "store"]
    readonly_fields = ["code", "created_at", "public_url", "qr_code"]
    fieldsets = [
        (None, {"fields": [("label", "is_active"), ("channel", "store")]}),
        (None, {"fields": [("campaign", "phase"), "target_url"]}),
        (_("To print and to share"), {"fields": ["public_url", "qr_code", ("code", "created_at")]}),
    ]
    add_fieldsets = fieldsets[:2]

    @admin.display(description=_("public address"))
    def public_url(self, link: ChannelLink) -> SafeString:
        """Show the address that the QR code holds."""
        url = links.public_url(link.code)
        return format_html('<a href="{0}" class="text-link select-all">{0}</a>', url)

    @admin.display(description=_("QR code"))
    def qr_code(self, link: ChannelLink) -> SafeString:
        """Show the QR code, and offer it as files."""
        drawing = links.qr_code(link.code, kind="svg").decode()
        files = {
            kind: reverse("admin:campaigns_channellink_qr", args=[link.pk, kind])
            for kind in IMAGE_TYPES
        }
        return format_html(
            '<div class="bg-white border border-base-200 inline-block p-2 rounded-default'
            ' *:size-44" data-qr>{}</div><div class="flex gap-4 mt-2">'
            '<a class="text-link" href="{}" download>SVG</a>'
            '<a class="text-link" href="{}" download>PNG</a></div>',
            mark_safe(drawing[drawing.index("<svg") :]),  # noqa: S308 - drawn by us
            files["svg"],
            files["png"],
        )

    def get_urls(self) -> list[Any]:
        qr = self.admin_site.admin_view(self.qr_file)
        return [
            path("<path:object_id>/qr.<str:kind>", qr, name="campaigns_channellink_qr"),
            *super().get_urls(),
        ]

    def qr_file(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        """Answer with the QR code as a file."""
        link = self.get_object(request, object_id)
        if link is None or kind not in IMAGE_TYPES or not self.has_view_permission(request, link):
            raise Http404
        return HttpResponse(
            links.qr_code(link.code, kind=kind),
            content_type=IMAGE_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{link.code}.{kind}"'},
        )

    def save_model(
        self, request: HttpRequest, obj: ChannelLink, form: ModelForm[ChannelLink], change: Any
    ) -> None:
        if not change:
            obj.code = identifiers.new_code(links.CODE_LENGTH)
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)
        clicks.forget_links()
