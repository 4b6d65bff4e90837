"""Notices of other servers, each taken once. The only module that writes them."""

from datetime import datetime

from shop.kernel import rows
from shop.kernel.models import InboundCallback


def take_once(provider: str, *, external_id: str, event: str, body: str, now: datetime) -> bool:
    """Keep a verified notice in the caller's transaction; False if it came before."""
    notice = InboundCallback(
        provider=provider, external_id=external_id, event=event, body=body, received_at=now
    )
    return rows.insert(notice, unless_exists="provider, external_id") == 1
