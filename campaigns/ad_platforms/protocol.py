"""What every ad platform is told and asked, and what it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shop.kernel.money import Cents

REGISTRATION, FIRST_ORDER, ORDER, REFUND = "registration", "first_order", "order", "refund"


class UploadRefused(Exception):
    """The platform says no for good; the same again would be refused again."""

    def __init__(self, *, code: str, message: str) -> None:
        self.code = code[:40]
        self.message = message[:200]
        super().__init__(code, message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """An account as the platform knows it."""

    account_id: str
    action_set_id: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What came of a click. `id` is ours, unique, and the same at every attempt.

    `phone_hash` is the SHA-256 of the national number; empty unless the member agreed to that.
    """

    id: str
    event: str
    click_id: str
    occurred_at: datetime
    value_cents: Cents | None = None
    phone_hash: str = ""
    page_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClickReport:
    """A click as a platform reports it."""

    click_id: str
    ad_id: str = ""
    clicked_at: datetime | None = None


class AdPlatformClient(Protocol):
    """One account at one platform."""

    def takes(self, event: str) -> bool:
        """Tell whether the platform has a word for this event."""
        ...

    def upload(self, result: Result) -> Mapping[str, Any]:
        """Tell of a result; return what was sent, without credentials.

        Raises:
            UploadRefused, NoAnswer
        """
        ...
