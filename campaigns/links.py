"""Channel links: short codes, their QR codes, and where they lead."""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings

from campaigns.models import Campaign, CampaignPhase, Channel, ChannelLink
from shop.kernel import identifiers, qr
from shop.models import Store

CODE_LENGTH = 7
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
    """Create a link; its code fits a mini-program's `scene` and is unique by the database."""
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


def public_url(code: str, *, is_scan: bool = False) -> str:
    """Return the address a guest opens; a QR code's says that it was scanned."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/t/{code}{'?via=qr' if is_scan else ''}"


def destination(target_url: str, *, code: str, visitor_id: str) -> str:
    """Return where the redirect leads, with what the page passes on when the guest joins."""
    parts = urlsplit(target_url or WELCOME_PATH)
    query = [*parse_qsl(parts.query), ("link", code), ("visitor", visitor_id)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def qr_code(code: str, *, kind: str) -> bytes:
    """Return the QR code of a link as an `svg` or `png` file."""
    return qr.draw(public_url(code, is_scan=True), kind=kind)
