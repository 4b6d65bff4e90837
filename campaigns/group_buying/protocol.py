"""What a platform is asked about its vouchers, and what it may answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.kernel.outgoing import NoAnswer


@contextmanager
def understood() -> Iterator[None]:
    """Read an answer; one of another shape than agreed is as good as none.

    Raises:
        NoAnswer
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer(f"not understood: {error!r}") from error


class VoucherRefused(DomainError):
    """The platform says no: unknown, used, expired, not for this shop. It changed nothing."""

    code = "voucher-refused"
    title = _("The platform does not accept this voucher.")


class PlatformOff(DomainError):
    """The platform has no credentials here, or the store has no number there."""

    code = "voucher-platform-off"
    title = _("Vouchers of this platform are not set up for the store.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """One voucher that may be used now, and who bears which part of its price.

    `ref` is how the platform wants it named in later calls; `identity` stays the same from call to
    call. The price is what the deal sells for: the guest, the platform and the shop bear it.
    """

    ref: str
    identity: str
    deal: str
    title: str
    price_cents: Cents
    guest_cents: Cents
    platform_cents: Cents
    shop_cents: Cents
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """The vouchers behind a code, and the token with which they can be verified, once."""

    token: str
    certificates: Sequence[Certificate]


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The platform's record that a voucher was used; None where it keeps no such number."""

    verify_id: str | None = None
    certificate_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Why the platform does not take a voucher, in its own words; `is_used`: somebody has used it.

    `certificate_id` names the voucher where that was found out.
    """

    code: str
    message: str
    is_used: bool = False
    certificate_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What is to be verified: these vouchers of one preparation, at this shop, by this till."""

    token: str
    refs: Sequence[str]
    shop: str
    operator: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """How a voucher stands at the platform: used with a receipt, or not used."""

    receipt: Receipt | None
    used_at: datetime | None


class VoucherProvider(Protocol):
    """A platform that sells vouchers for our shops.

    Each method is one or two HTTP calls and may raise NoAnswer: then nobody knows what became of
    it, and `query` finds out.
    """

    def prepare(self, code: str, *, shop: str) -> Prepared:
        """Return what a scanned or typed code stands for.

        Raises:
            VoucherRefused, NoAnswer
        """
        ...

    def verify(self, claim: Claim, *, is_retry: bool) -> Mapping[str, Receipt | Refused]:
        """Use vouchers up; return what became of each ref. A retry of the same claim is harmless.

        Raises:
            NoAnswer
        """
        ...

    def query(self, ref: str, *, shop: str) -> Finding:
        """Return how a voucher stands.

        Raises:
            VoucherRefused: the platform does not know it.
            NoAnswer
        """
        ...

    def cancel(self, ref: str, receipt: Receipt, *, shop: str, operator: str) -> Refused | None:
        """Undo the use of a voucher, so that the guest can use it again; None when it is done.

        Raises:
            NoAnswer
        """
        ...
