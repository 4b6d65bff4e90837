"""Links: the doors into the shop, with the QR codes and posters that are printed for them."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from campaigns import clicks, links
from campaigns.admin import posters
from campaigns.models import ChannelLink
from shop.admin.pages import Page
from shop.admin.scoping import VisibleFilter
from shop.kernel import identifiers
from shop.kernel.errors import InvalidInput

IMAGE_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


class LinkForm(ModelForm[ChannelLink]):
    """A link that fits together: its placement the channel's, its phase the campaign's."""

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        campaign, phase = answers.get("campaign"), answers.get("phase")
        leads_to = answers.get("target_url", "")
        try:
            links.ensure_consistent(campaign, phase, answers.get("store"), leads_to)
            if channel := answers.get("channel"):
                links.ensure_placed(channel, answers.get("placement"))
        except InvalidInput as refusal:
            (fault,) = refusal.members["errors"]
            self.add_error(fault["pointer"].removeprefix("/"), fault["detail"])
        return answers


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
    form = LinkForm
    autocomplete_fields = ["channel", "campaign", "phase", "placement", "store"]
    readonly_fields = ["code", "created_at", "public_url", "qr_code"]
    fieldsets = [
        (None, {"fields": [("label", "is_active"), ("channel", "placement"), "store"]}),
        (None, {"fields": [("campaign", "phase"), ("target_url", "utm_template")]}),
        (_("On the poster"), {"fields": [("offer_zh", "offer_en")]}),
        (_("To print and to share"), {"fields": ["public_url", "qr_code", ("code", "created_at")]}),
    ]
    add_fieldsets = fieldsets[:3]

    @admin.display(description=_("public address"))
    def public_url(self, link: ChannelLink) -> SafeString:
        """Show the address that the QR code holds."""
        url = links.public_url(link.code)
        return format_html('<a href="{0}" class="text-link select-all">{0}</a>', url)

    @admin.display(description=_("QR code"))
    def qr_code(self, link: ChannelLink) -> SafeString:
        """Show the QR code, and offer it as files, in a size to print, and as a poster."""
        where = partial(reverse, args=[link.pk])
        files = [
            (reverse("admin:campaigns_channellink_qr", args=[link.pk, "svg"]), "SVG"),
            (reverse("admin:campaigns_channellink_qr", args=[link.pk, "png"]), "PNG"),
            (where("admin:campaigns_channellink_print"), _("Size, logo, caption")),
            *(
                (f"{where('admin:campaigns_channellink_poster')}?size={sheet.name}", sheet.title)
                for sheet in posters.SHEETS.values()
            ),
        ]
        return format_html(
            '<div class="bg-white border border-base-200 inline-block p-2 rounded-default'
            ' *:size-44" data-qr>{}</div><div class="flex flex-wrap gap-4 mt-2">{}</div>',
            mark_safe(links.shown_qr_code(link.code)),  # noqa: S308 - drawn by us
            format_html_join("", '<a class="text-link" href="{}" target="_blank">{}</a>', files),
        )

    def get_urls(self) -> list[Any]:
        view, name = self.admin_site.admin_view, "campaigns_channellink"
        return [
            path("<path:object_id>/qr.<str:kind>", view(self.qr_file), name=f"{name}_qr"),
            path("<path:object_id>/qr", view(self.print_qr), name=f"{name}_print"),
            path("<path:object_id>/poster", view(self.poster), name=f"{name}_poster"),
            *super().get_urls(),
        ]

    def qr_file(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        """Answer with the QR code as a file, in the look that was asked for."""
        link = self._shown(request, object_id)
        if kind not in IMAGE_TYPES:
            raise Http404
        form = posters.QRForm(request.GET)
        if request.GET and not form.is_valid():
            return self._print_page(request, link, form)
        try:
            style = form.style if request.GET else None
            drawing = links.qr_code(link.code, kind=kind, style=style)
        except InvalidInput as refusal:
            form.add_error(None, refusal.members["errors"][0]["detail"])
            return self._print_page(request, link, form)
        return HttpResponse(
            drawing,
            content_type=IMAGE_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="{link.code}.{kind}"'},
        )

    def print_qr(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the page on which size, logo and caption are chosen."""
        form = posters.QRForm(request.GET or posters.QRForm.AS_FIRST_SHOWN)
        return self._print_page(request, self._shown(request, object_id), form)

    def _print_page(
        self, request: HttpRequest, link: ChannelLink, form: posters.QRForm
    ) -> HttpResponse:
        return posters.choose(request, link, form, back=self._url_of(link))

    def poster(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the link's poster."""
        return posters.show(request, self._shown(request, object_id))

    def _url_of(self, link: ChannelLink) -> str:
        return reverse("admin:campaigns_channellink_change", args=[link.pk])

    def _shown(self, request: HttpRequest, object_id: str) -> ChannelLink:
        link: ChannelLink | None = self.get_object(request, object_id)
        if link is None or not self.has_view_permission(request, link):
            raise Http404
        return link

    def save_model(
        self, request: HttpRequest, obj: ChannelLink, form: ModelForm[ChannelLink], change: Any
    ) -> None:
        if not change:
            obj.code = identifiers.new_code(links.CODE_LENGTH)
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)
        clicks.forget_links()
