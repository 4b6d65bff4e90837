"""Messages to members. The only module that writes them."""

from datetime import datetime
from typing import Protocol

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from shop.models import Member, Message

log = structlog.get_logger()


class MessageProvider(Protocol):
    """Whoever carries a text to a phone: an SMS gateway, WeChat, or the sandbox."""

    @property
    def shows_login_codes(self) -> bool:
        """Tell whether the API may answer with the code it was asked to send."""
        ...

    def send(self, *, phone: str, text: str) -> None:
        """Hand the text over; any exception means that it was not taken."""
        ...


class SandboxMessages:
    """Takes every message and sends none; in a demo the API shows login codes instead.

    Elsewhere it shows nothing, because whoever sees the code of a phone is that member.
    """

    @property
    def shows_login_codes(self) -> bool:
        return bool(settings.DEMO)

    def send(self, *, phone: str, text: str) -> None:
        log.info("message taken by the sandbox", phone_last4=phone[-4:])


def provider() -> MessageProvider:
    """Return the configured provider."""
    chosen: MessageProvider = import_string(settings.MESSAGE_PROVIDER)()
    return chosen


def send(member: Member, *, template: str, text: str, now: datetime) -> Message:
    """Send a text to a member and keep what was sent."""
    provider().send(phone=member.phone, text=text)
    return Message.objects.create(member=member, template=template, text=text, sent_at=now)
