"""Channel links: short codes, their QR codes, and where they lead."""

import re
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from campaigns.ad_clicks import AdClick
from campaigns.models import Campaign, CampaignPhase, Channel, ChannelLink
from shop.kernel import identifiers, qr
from shop.kernel.errors import InvalidInput
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
    target_url: str = "",
    code: str = "",
) -> ChannelLink:
    """Create a link; its code fits a mini-program's `scene` and is unique by the database.

    Raises:
        InvalidInput: it leads nowhere that a browser goes, the phase is not the campaign's, or the
            campaign does not run in this store.
    """
    _ensure_consistent(campaign, phase, store, target_url)
    return ChannelLink.objects.create(
        code=code or identifiers.new_code(CODE_LENGTH),
        channel=channel,
        campaign=campaign,
        phase=phase,
        store=store,
        label=label,
        target_url=target_url,
        created_at=now,
    )


def _ensure_consistent(
    campaign: Campaign | None, phase: CampaignPhase | None, store: Store | None, target_url: str
) -> None:
    if target_url and not TARGET.match(target_url):
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


def store_of(code: str) -> Store | None:
    """Return the store that a link is for; None for links of the whole chain and unknown ones."""
    link = ChannelLink.objects.select_related("store").filter(code=code).first() if code else None
    return link.store if link else None


def public_url(code: str, *, is_scan: bool = False) -> str:
    """Return the address a guest opens; a QR code's says that it was scanned."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/t/{code}{'?via=qr' if is_scan else ''}"


def destination(
    target_url: str,
    *,
    code: str,
    visitor_id: str,
    referral_code: str = "",
    ad_click: AdClick | None = None,
) -> str:
    """Return where the redirect leads, with what the page passes on when the guest joins."""
    parts = urlsplit(target_url or WELCOME_PATH)
    query = [*parse_qsl(parts.query)]
    if ad_click:
        query.append((ad_click.parameter, ad_click.click_id))
    query += [("link", code), ("visitor", visitor_id)]
    if referral_code:
        query.append(("ref", referral_code))
    return urlunsplit(parts._replace(query=urlencode(query)))


def qr_code(code: str, *, kind: str) -> bytes:
    """Return the QR code of a link as an `svg` or `png` file."""
    return qr.draw(public_url(code, is_scan=True), kind=kind)
