"""Payment providers: whose callbacks say that money has arrived, and who sends money back."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import orjson
import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import DomainError
from shop.kernel.money import MAX_CENTS, Cents
from shop.models import Payment

FRESH_FOR = timedelta(minutes=5)
REF_LENGTH = 64

log = structlog.get_logger()


class CallbackRefused(DomainError):
    """The callback's signature, time or body is not the provider's; nothing was changed."""

    code = "callback-refused"
    title = _("This callback does not come from the payment provider.")
    status = HTTPStatus.UNAUTHORIZED


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """What a verified callback says: this much arrived for this order."""

    order_number: str
    amount_cents: Cents
    provider_ref: str


class PaymentProvider(Protocol):
    """Whoever takes a guest's money on their phone."""

    @property
    def method(self) -> str:
        """Return the tender's method as orders know it."""
        ...

    def verify(self, *, body: bytes, timestamp: str, signature: str, now: datetime) -> Notice:
        """Return what a callback says, once it is proven to be the provider's.

        Raises:
            CallbackRefused
        """
        ...

    def refund(self, *, provider_ref: str, amount_cents: Cents, refund_ref: str) -> None:
        """Send money back; any exception means that it was not sent.

        The same `refund_ref` again sends nothing more.
        """
        ...


class SandboxPayments:
    """A provider for trying out: it signs as a real one does, and moves no money.

    The signature is the hex HMAC-SHA256 of ``timestamp.body`` under PAYMENT_PROVIDER_SECRET.
    """

    method: str = Payment.Method.SANDBOX

    def sign(self, *, body: bytes, timestamp: str) -> str:
        """Return the signature of a callback."""
        message = timestamp.encode() + b"." + body
        return hmac.new(
            settings.PAYMENT_PROVIDER_SECRET.encode(), message, hashlib.sha256
        ).hexdigest()

    def verify(self, *, body: bytes, timestamp: str, signature: str, now: datetime) -> Notice:
        """Check time and signature in constant time before looking at the body."""
        expected = self.sign(body=body, timestamp=timestamp)
        is_signed = hmac.compare_digest(expected.encode(), signature.encode())
        if not is_signed or not _is_fresh(timestamp, now=now):
            raise CallbackRefused
        return _notice(body)

    def refund(self, *, provider_ref: str, amount_cents: Cents, refund_ref: str) -> None:
        """Take note; the sandbox holds no money."""
        log.info(
            "payment sent back",
            provider_ref=provider_ref,
            amount_cents=amount_cents,
            refund_ref=refund_ref,
        )


def provider() -> PaymentProvider:
    """Return the configured provider."""
    return SandboxPayments()


def _is_fresh(timestamp: str, *, now: datetime) -> bool:
    if not timestamp.isascii() or not timestamp.isdigit():
        return False
    return abs(now.timestamp() - int(timestamp[:12])) <= FRESH_FOR.total_seconds()


def _notice(body: bytes) -> Notice:
    try:
        data = orjson.loads(body)
        order, amount, ref = data["order"], data["amount_cents"], data["provider_ref"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise CallbackRefused from error
    is_usable = (
        isinstance(order, str)
        and isinstance(ref, str)
        and type(amount) is int
        and 0 < amount <= MAX_CENTS
        and 0 < len(ref) <= REF_LENGTH
        and "\x00" not in order + ref
    )
    if not is_usable:
        raise CallbackRefused
    return Notice(order_number=order, amount_cents=Cents(amount), provider_ref=ref)
