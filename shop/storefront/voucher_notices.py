"""What Douyin tells us about vouchers. A notice is a hint to ask, never a fact."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import verifications
from campaigns.group_buying import providers, signatures
from campaigns.models.vouchers import Platform
from shop.kernel import callbacks
from shop.kernel.errors import DomainError

FRESH_FOR = timedelta(minutes=5)
CHALLENGE = "verify_webhook"


class NoticeRefused(DomainError):
    """The signature or the time of a notice is not the platform's; nothing was changed."""

    code = "notice-refused"
    title = _("This notice does not come from the platform.")
    status = HTTPStatus.UNAUTHORIZED


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A notice as it came: raw bytes, the query, and what its headers say."""

    body: bytes
    query: Mapping[str, str]
    signature: str = ""
    life_sign: str = ""
    message_id: str = ""


@transaction.atomic
def receive(envelope: Envelope, notice: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Take a notice once and ask soon about the vouchers it names; return the answer it expects.

    Raises:
        NoticeRefused
    """
    _ensure_signed(envelope, now=now)
    content = _content(notice)
    event = str(notice.get("event", ""))[:64]
    if event == CHALLENGE:
        return {"challenge": content.get("challenge")}
    digest = hashlib.sha256(envelope.body).hexdigest()
    is_new = callbacks.take_once(
        Platform.DOUYIN,
        external_id=(envelope.message_id or digest)[:128],
        event=event,
        body=envelope.body.decode(),
        now=now,
    )
    if is_new:
        for certificate in set(_certificates(content)):
            verifications.hurry(certificate, platform=Platform.DOUYIN, now=now)
    return {"data": {"error_code": 0, "description": "success"}}


def _ensure_signed(envelope: Envelope, *, now: datetime) -> None:
    """Check the signature of a webhook, or that of a call of the service interface."""
    client = providers.douyin()
    if client is None:
        raise NoticeRefused
    if envelope.life_sign:
        sign = signatures.douyin_life(client.client_secret, envelope.query, envelope.body)
        is_ours = signatures.is_same(sign, envelope.life_sign) and _is_fresh(envelope, now=now)
    else:
        sign = signatures.douyin_webhook(client.client_secret, envelope.body)
        is_ours = signatures.is_same(sign, envelope.signature)
    if not is_ours:
        raise NoticeRefused


def _is_fresh(envelope: Envelope, *, now: datetime) -> bool:
    sent_ms = envelope.query.get("timestamp", "")
    if not (sent_ms.isascii() and sent_ms.isdigit()):
        return False
    return abs(now.timestamp() - int(sent_ms[:15]) / 1000) <= FRESH_FOR.total_seconds()


def _content(notice: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a notice, which comes as an object or as JSON within a string."""
    content = notice.get("content", notice)
    if isinstance(content, str):
        try:
            content = orjson.loads(content)
        except orjson.JSONDecodeError:
            return {}
    return content if isinstance(content, dict) else {}


def _certificates(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the certificates that a notice names, whether one or a list of them."""
    listed = content.get("certificates")
    for item in [content, *(listed if isinstance(listed, list) else [])]:
        named = str(item.get("certificate_id", "")) if isinstance(item, Mapping) else ""
        if named.isascii() and named.isalnum():
            yield named[:64]
