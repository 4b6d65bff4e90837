"""Vouchers of other platforms: looked at, paying for orders, given back.

How they are claimed and verified is in `verifications`; nobody else writes them. No function here
calls a platform: flows commit first, then ask, then record the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import orjson
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns import pricing
from campaigns.group_buying import Certificate, Prepared, Refused
from campaigns.models import Voucher, VoucherDeal
from shop.kernel import crypto
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents
from shop.models import Order, Store

Status = Voucher.Status
OPEN = [Status.VERIFYING, Status.UNKNOWN, Status.CANCELLING]
PREFIX = Voucher.PREFIX
"""What the evaluator's keys of vouchers begin with."""
IN_FLIGHT = timedelta(seconds=60)
"""So long a call may be under way; after that whoever made it is thought dead."""
CANCELLABLE_FOR = timedelta(hours=1)
PREPARED_FOR = timedelta(days=1)


class VoucherUsed(DomainError):
    """The voucher was used before; `first_use` says where and when, as far as it was here."""

    code = "voucher-used"
    title = _("This voucher was used before.")


class VoucherNotUsable(DomainError):
    """Only a verified voucher of this store that has not paid yet can pay."""

    code = "voucher-not-usable"
    title = _("A voucher of the order cannot pay for it.")


class VoucherNotApplicable(DomainError):
    """The order does not hold what the deal is for, so that nothing would come off."""

    code = "voucher-not-applicable"
    title = _("A voucher of the order is for other products.")


class VoucherDealUnknown(DomainError):
    """Nobody has said yet what this deal gives here."""

    code = "voucher-deal-unknown"
    title = _("This deal is not accepted here: head office has to set it up.")


class VoucherNotCancellable(DomainError):
    """Not verified, on a standing order, or verified too long ago."""

    code = "voucher-not-cancellable"
    title = _("This voucher cannot be given back.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Secrets:
    """What the platform wants to hear again: the token of the preparation, the voucher's name."""

    token: str
    ref: str


# --- looked at -----------------------------------------------------------------------------------


@transaction.atomic
def keep(
    prepared: Prepared, *, platform: str, store: Store, till_id: int, now: datetime
) -> list[Voucher]:
    """Write down the vouchers that a till looked at, each with the deal it belongs to."""
    deals = {
        deal.deal_ref: deal
        for deal in VoucherDeal.objects.filter(
            platform=platform, deal_ref__in=[c.deal for c in prepared.certificates]
        ).select_related("coupon_definition")
    }
    preparation = uuid4()
    return Voucher.objects.bulk_create(
        [
            _prepared_row(
                certificate,
                Voucher(
                    platform=platform,
                    preparation=preparation,
                    store=store,
                    till_id=till_id,
                    deal=deals.get(certificate.deal),
                    prepared_at=now,
                ),
                token=prepared.token,
            )
            for certificate in prepared.certificates
        ]
    )


def _prepared_row(certificate: Certificate, row: Voucher, *, token: str) -> Voucher:
    row.deal_ref = certificate.deal[:64]
    row.title = certificate.title
    row.price_cents = certificate.price_cents
    row.guest_cents = certificate.guest_cents
    row.platform_cents = certificate.platform_cents
    row.shop_cents = certificate.shop_cents
    row.expires_at = certificate.expires_at
    row.fingerprint = print_of(row.platform, certificate.identity)
    secrets = orjson.dumps({"token": token, "ref": certificate.ref}).decode()
    row.sealed = crypto.encrypt(secrets, context=str(row.public_id))
    return row


def secrets_of(voucher: Voucher) -> Secrets:
    """Return what the platform wants to hear of a voucher."""
    found = orjson.loads(crypto.decrypt(bytes(voucher.sealed), context=str(voucher.public_id)))
    return Secrets(token=found["token"], ref=found["ref"])


def forget_prepared(*, now: datetime) -> int:
    """Delete what tills looked at a day ago and did not use; return how much."""
    old = Voucher.objects.filter(status=Status.PREPARED, prepared_at__lt=now - PREPARED_FOR)
    deleted, _rows = old.delete()
    return deleted


def print_of(platform: str, identity: str) -> bytes:
    """Return the fingerprint by which a voucher's name is found again."""
    return crypto.lookup_hash(f"{platform}:{identity}")


# --- given back ----------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def begin_cancel(public_id: UUID, *, store_id: int, now: datetime) -> tuple[Voucher, bool]:
    """Begin to give a voucher back; tell whether the platform has to be asked.

    Raises:
        NotFound
        VoucherNotCancellable: not verified, paying for an order that stands, or too late.
    """
    row = (
        Voucher.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store", "till", "order", "deal")
        .filter(store_id=store_id, public_id=public_id)
        .first()
    )
    if row is None:
        raise NotFound
    if row.status in {Status.CANCELLING, Status.CANCELLED}:
        return row, False
    if reason := _why_not_cancellable(row, now=now):
        raise VoucherNotCancellable(voucher=str(public_id), reason=reason)
    row.status = Status.CANCELLING
    row.attempts = 0
    row.next_check_at = now + IN_FLIGHT
    row.save(update_fields=["status", "attempts", "next_check_at"])
    return row, True


def _why_not_cancellable(row: Voucher, *, now: datetime) -> str | None:
    if row.status != Status.VERIFIED:
        return row.status
    if row.order is not None and row.order.status != Order.Status.REFUNDED:
        return "pays-for-an-order"
    if row.verified_at is not None and now >= row.verified_at + CANCELLABLE_FOR:
        return "too-late"
    return None


@transaction.atomic(durable=True)
def record_cancellation(row: Voucher, refused: Refused | None, *, now: datetime) -> None:
    """Write down whether the platform gave the voucher back; if not, it stays verified."""
    waiting = Voucher.objects.filter(pk=row.pk, status=Status.CANCELLING)
    if refused is None:
        waiting.update(status=Status.CANCELLED, cancelled_at=now, next_check_at=None)
    else:
        waiting.update(status=Status.VERIFIED, refusal=text_of(refused), next_check_at=None)


@transaction.atomic(savepoint=False)
def return_after_refund(order: Order, *, now: datetime) -> None:
    """Give the vouchers of a wholly refunded order back on their platforms, as each deal says.

    The background task asks the platforms: a refund waits for nobody.
    """
    Voucher.objects.filter(
        order=order,
        status=Status.VERIFIED,
        deal__after_refund=VoucherDeal.AfterRefund.CANCEL,
    ).update(status=Status.CANCELLING, attempts=0, next_check_at=now)


# --- paying for an order -------------------------------------------------------------------------


def find_usable(ids: Sequence[UUID], *, store_id: int) -> list[Voucher]:
    """Return vouchers as a quote needs them, in the order of entry: looked at, or verified.

    Raises:
        VoucherNotUsable: unknown here, refused, or has paid for an order.
    """
    if not ids:
        return []
    found = {
        row.public_id: row
        for row in Voucher.objects.select_related("deal__coupon_definition").filter(
            Q(status=Status.PREPARED, deal__is_active=True) | Q(status=Status.VERIFIED),
            public_id__in=ids,
            store_id=store_id,
            order=None,
        )
    }
    for public_id in ids:
        if public_id not in found:
            raise VoucherNotUsable(voucher=str(public_id))
    return [found[public_id] for public_id in ids]


def offer_of(voucher: Voucher) -> pricing.Offer | None:
    """Return what the evaluator needs to know of a voucher; None for one that only pays."""
    rule = voucher.rule
    if voucher.status == Status.PREPARED and voucher.deal is not None:
        definition = voucher.deal.coupon_definition
        rule = definition.rule if definition is not None else None
    if rule is None:
        return None
    return pricing.Offer(key=voucher.offer_key, name=voucher.title, rule=pricing.parse_rule(rule))


@transaction.atomic(savepoint=False)
def attach(order: Order, vouchers: Sequence[Voucher]) -> None:
    """Let verified vouchers pay for an order, each for one order only.

    Raises:
        VoucherNotUsable: another order was faster, or one is not verified.
    """
    ids = [voucher.pk for voucher in vouchers]
    paying = Voucher.objects.filter(pk__in=ids, status=Status.VERIFIED, order=None)
    if paying.update(order=order) != len(ids):
        raise VoucherNotUsable(vouchers=[str(voucher.public_id) for voucher in vouchers])


def shares(vouchers: Sequence[Voucher], *, payable_cents: Cents) -> list[Cents]:
    """Return what each voucher pays: its price, as far as there is anything left to pay.

    >>> shares([Voucher(price_cents=800), Voucher(price_cents=800)], payable_cents=1200)
    [800, 400]
    """
    paid = []
    left: int = payable_cents
    for voucher in vouchers:
        part = min(voucher.price_cents, left)
        paid.append(Cents(part))
        left -= part
    return paid


def text_of(refused: Refused) -> str:
    """Return what is kept of a platform's refusal."""
    return f"{refused.code} {refused.message}".strip()[:240]
