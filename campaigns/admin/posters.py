"""What is printed for a link: its QR code in a size and look of one's own, and its poster."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from campaigns import links
from campaigns.models import ChannelLink
from shop.kernel.qr_print import Style

FILE = "admin:campaigns_channellink_qr"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A size of paper and of what stands on it, in millimetres."""

    name: str
    title: str | Promise
    width_mm: int
    height_mm: int
    margin_mm: int
    title_mm: float
    offer_mm: float
    text_mm: float
    small_mm: float
    qr_mm: int
    rim_mm: int
    has_address: bool = True


SHEETS = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            name="a4",
            title="A4",
            width_mm=210,
            height_mm=297,
            margin_mm=18,
            title_mm=17,
            offer_mm=10.5,
            text_mm=7,
            small_mm=4.5,
            qr_mm=110,
            rim_mm=4,
        ),
        Sheet(
            name="a5",
            title="A5",
            width_mm=148,
            height_mm=210,
            margin_mm=12,
            title_mm=12,
            offer_mm=7.5,
            text_mm=5,
            small_mm=3.4,
            qr_mm=78,
            rim_mm=3,
        ),
        Sheet(
            name="sticker",
            title=_("Sticker (80 × 100 mm)"),
            width_mm=80,
            height_mm=100,
            margin_mm=5,
            title_mm=6,
            offer_mm=4.2,
            text_mm=3.4,
            small_mm=2.6,
            qr_mm=46,
            rim_mm=1,
            has_address=False,
        ),
    )
}


class QRForm(forms.Form):
    """How a QR code is printed."""

    AS_FIRST_SHOWN = {"size_mm": "40", "dpi": "300", "logo": "on", "caption": ""}

    size_mm = forms.FloatField(label=_("Width in mm"), min_value=10, max_value=1000)
    dpi = forms.IntegerField(label=_("Dots per inch, of a PNG"), min_value=72, max_value=1200)
    logo = forms.BooleanField(label=_("Logo in the middle"), required=False)
    caption = forms.CharField(label=_("Line below"), max_length=40, required=False)

    @property
    def style(self) -> Style:
        """Return the answers as the look of a code."""
        answers = self.cleaned_data
        return Style(
            size_mm=answers["size_mm"],
            dpi=answers["dpi"],
            has_mark=answers["logo"],
            mark_file=settings.BRAND_LOGO,
            caption=answers["caption"],
        )


def choose(request: HttpRequest, link: ChannelLink, form: QRForm, *, back: str) -> HttpResponse:
    """Answer with the page on which the look is chosen, and how it will be."""
    drawing = ""
    if form.is_valid():
        drawing = links.qr_code(link.code, kind="svg", style=form.style).decode()
    files = {kind: reverse(FILE, args=[link.pk, kind]) for kind in ("svg", "png")}
    context = {
        "link": link,
        "form": form,
        "back": back,
        "files": files,
        "qr": mark_safe(drawing),  # noqa: S308 - drawn by us
    }
    return render(request, "campaigns/print_qr.html", context)


def show(request: HttpRequest, link: ChannelLink) -> HttpResponse:
    """Answer with the poster in the size and the language asked for; A4 in one's own without."""
    sheet = SHEETS.get(request.GET.get("size", ""), SHEETS["a4"])
    language = request.GET.get("language", "")
    if language not in dict(settings.LANGUAGES):
        language = translation.get_language() or settings.LANGUAGE_CODE
    with translation.override(language):
        return render(request, "campaigns/poster.html", _context(link, sheet))


def _context(link: ChannelLink, sheet: Sheet) -> dict[str, Any]:
    drawing = links.qr_code(link.code, kind="svg", style=_mark(sheet.qr_mm))
    return {
        "link": link,
        "sheet": sheet,
        "sheets": list(SHEETS.values()),
        "languages": settings.LANGUAGES,
        "title": link.campaign.name if link.campaign else _("Join and enjoy"),
        "offer": link.offer,
        "qr": mark_safe(drawing.decode()),  # noqa: S308 - drawn by us
    }


def _mark(size_mm: int) -> Style:
    return Style(size_mm=size_mm, has_mark=True, mark_file=settings.BRAND_LOGO)
