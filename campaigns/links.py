"""Channel links: short codes, their QR codes, and where they lead."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext_lazy as _

from campaigns import utm
from campaigns.ad_clicks import AdClick
from campaigns.models import Campaign, CampaignPhase, Channel, ChannelLink, Placement
from shop.kernel import identifiers, qr, qr_print
from shop.kernel.errors import InvalidInput
from shop.kernel.qr_print import Style
from shop.models import Store

CODE_LENGTH = 7
TARGET = re.compile(r"(https?://[^\s/]+|/(?!/))[^\s\\]*\Z")
"""A path of this site, or an address of another; nothing that a browser would run."""
WELCOME_PATH = "/welcome"


def create(
    *,
    channel: Channel,
    label: str,
    now: datetime,
    campaign: Campaign | None = None,
    phase: CampaignPhase | None = None,
    store: Store | None = None,
    code: str = "",
    **more: Any,
) -> ChannelLink:
    """Create a link; its code fits a mini-program's `scene` and is unique by the database.

    `more` are `target_url`, `placement`, `utm_template`, `offer_zh`, `offer_en`.

    Raises:
        InvalidInput: it leads nowhere that a browser goes, the phase is not the campaign's, the
            placement not the channel's, or the campaign does not run in this store.
    """
    ensure_consistent(campaign, phase, store, more.get("target_url", ""))
    ensure_placed(channel, more.get("placement"))
    return ChannelLink.objects.create(
        code=code or identifiers.new_code(CODE_LENGTH),
        channel=channel,
        campaign=campaign,
        phase=phase,
        store=store,
        label=label,
        created_at=now,
        **more,
    )


def ensure_placed(channel: Channel, placement: Placement | None) -> None:
    """Refuse a placement of another channel.

    Raises:
        InvalidInput
    """
    if placement is not None and placement.channel_id != channel.pk:
        raise InvalidInput(
            "/placement", _("The channel has no such placement."), reason="unknown-placement"
        )


def ensure_consistent(
    campaign: Campaign | None, phase: CampaignPhase | None, store: Store | None, target_url: str
) -> None:
    """Refuse what a link cannot be.

    Raises:
        InvalidInput: it leads nowhere that a browser goes, the phase is not the campaign's, or the
            campaign does not run in this store.
    """
    if target_url and not _is_target(target_url):
        raise InvalidInput(
            "/target_url", _("Give a path of this site or an http(s) address."), reason="target"
        )
    if phase is not None and (campaign is None or phase.campaign_id != campaign.pk):
        raise InvalidInput("/phase", _("The campaign has no such phase."), reason="unknown-phase")
    if campaign is not None and store is not None:
        chosen = set(campaign.stores.values_list("pk", flat=True))
        if chosen and store.pk not in chosen:
            raise InvalidInput(
                "/store", _("The campaign does not run in this store."), reason="not-in-campaign"
            )


def _is_target(text: str) -> bool:
    try:
        urlsplit(text)  # which knows what no address is, as http://[
    except ValueError:
        return False
    return TARGET.match(text) is not None


def store_of(code: str) -> Store | None:
    """Return the store that a link is for; None for links of the whole chain and unknown ones."""
    link = ChannelLink.objects.select_related("store").filter(code=code).first() if code else None
    return link.store if link else None


def public_url(code: str, *, is_scan: bool = False) -> str:
    """Return the address a guest opens; a QR code's says that it was scanned."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/t/{code}{'?via=qr' if is_scan else ''}"


def targets(codes: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return id and target, with its UTM parameters, of those of the codes that are active links.

    An empty target without parameters stays empty: the shop's own welcome page.
    """
    rows = ChannelLink.objects.filter(code__in=list(codes), is_active=True).values(
        *["id", "code", "target_url", "utm_template", "channel__utm_template", "channel__code"],
        *["channel__kind", "campaign__code", "phase__kind", "placement__code", "store__code"],
    )
    return {row["code"]: (row["id"], _with_utm(row)) for row in rows}


def _with_utm(row: dict[str, Any]) -> str:
    template = row["utm_template"] or row["channel__utm_template"]
    if not template:
        return str(row["target_url"])
    values = {
        "channel": row["channel__code"],
        "kind": row["channel__kind"],
        "medium": utm.MEDIUMS[row["channel__kind"]],
        "campaign": row["campaign__code"] or "",
        "phase": row["phase__kind"] or "",
        "placement": row["placement__code"] or "",
        "store": row["store__code"] or "",
        "link": row["code"],
    }
    return utm.add(row["target_url"] or WELCOME_PATH, template, values=values)


def destination(
    target_url: str,
    *,
    code: str,
    visitor_id: str,
    referral_code: str = "",
    ad_click: AdClick | None = None,
    coupon_code: str = "",
) -> str:
    """Return where the redirect leads, with what the page passes on when the guest joins.

    As a header has it: an address with Chinese in it is percent-encoded.
    """
    parts = urlsplit(target_url or WELCOME_PATH)
    query = [*parse_qsl(parts.query, keep_blank_values=True)]
    if ad_click:
        query.append((ad_click.parameter, ad_click.click_id))
    query += [("link", code), ("visitor", visitor_id)]
    if referral_code:
        query.append(("ref", referral_code))
    if coupon_code:
        query.append(("coupon", coupon_code))
    return iri_to_uri(urlunsplit(parts._replace(query=urlencode(query))))


def qr_code(code: str, *, kind: str, style: Style | None = None) -> bytes:
    """Return the QR code of a link as an `svg` or `png` file; with a style, of that size and look.

    Raises:
        InvalidInput: no font for the caption, or more pixels than a picture may have.
    """
    url = public_url(code, is_scan=True)
    if style is None:
        return qr.draw(url, kind=kind)
    try:
        return qr_print.draw(url, kind=kind, style=style)
    except qr_print.NoFont as error:
        detail = _("There is no font for this caption here; take an SVG instead.")
        raise InvalidInput("/caption", detail, reason="no-font") from error
    except qr_print.TooManyPixels as error:
        detail = _("The picture would be too large; take less dpi or an SVG.")
        raise InvalidInput("/dpi", detail, reason="too-large") from error


def shown_qr_code(code: str) -> str:
    """Return the QR code of a link as SVG to stand in a page."""
    return qr.inline(public_url(code, is_scan=True))


def paper_url(link: ChannelLink | None, *, coupon_code: str) -> str:
    """Return the address that a paper's QR code holds: joining, with the code filled in.

    It goes through the link of its batch, so that a scan is a touch of that link.
    """
    if link is not None:
        return f"{public_url(link.code, is_scan=True)}&coupon={coupon_code}"
    return f"{settings.PUBLIC_URL.rstrip('/')}{WELCOME_PATH}?coupon={coupon_code}"


def paper_qr_code(link: ChannelLink | None, *, coupon_code: str) -> str:
    """Return the QR code of a paper as SVG to stand in a page."""
    return qr.inline(paper_url(link, coupon_code=coupon_code))
