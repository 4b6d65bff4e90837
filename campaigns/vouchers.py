"""Vouchers of other platforms: looked at, claimed, verified, given back. Their only writer.

No function here calls a platform: flows commit a claim first, then ask, then record the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns import pricing
from campaigns.group_buying import Certificate, Prepared, Receipt, Refused
from campaigns.models import Voucher, VoucherDeal
from shop.kernel import crypto
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.idempotency import IdempotencyKeyReused
from shop.kernel.money import Cents
from shop.models import Order, Store

Status = Voucher.Status
OPEN = [Status.VERIFYING, Status.UNKNOWN, Status.CANCELLING]
PREFIX = Voucher.PREFIX
"""What the evaluator's keys of vouchers begin with."""
IN_FLIGHT = timedelta(seconds=60)
"""So long a call may be under way; after that whoever made it is thought dead."""
WAITS = [timedelta(seconds=5)] * 5 + [timedelta(seconds=40)] * 9
"""The wait after each attempt without an answer; after the last, people have to look."""
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
    row.fingerprint = _print_of(row.platform, certificate.identity)
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


# --- verified ------------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def claim(
    ids: Sequence[UUID], *, store_id: int, till_id: int, claim_key: str, now: datetime
) -> tuple[list[Voucher], bool]:
    """Claim vouchers of one preparation for one call of verify; tell whether the claim is new.

    What else was looked at with them cannot be verified any more: a preparation is good for one
    call. The same key again returns the vouchers as they are.

    Raises:
        NotFound, IdempotencyKeyReused
        VoucherUsed: this voucher is claimed or used, here or by another look at it.
        VoucherDealUnknown, VoucherNotUsable
    """
    rows = list(
        Voucher.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store", "till", "order", "deal__coupon_definition")
        .filter(store_id=store_id, public_id__in=ids)
        .order_by("fingerprint")  # as the unique key locks them
    )
    if len(rows) != len(set(ids)):
        raise NotFound
    if all(row.claim_key == claim_key for row in rows):
        return rows, False
    if Voucher.objects.filter(claim_key=claim_key).exists():
        raise IdempotencyKeyReused
    for row in rows:
        _ensure_claimable(row, now=now)
    if len({row.preparation for row in rows}) > 1:
        raise VoucherNotUsable(reason="looked-at-apart")
    for row in rows:
        _claim(row, till_id=till_id, claim_key=claim_key, now=now)
    Voucher.objects.filter(preparation=rows[0].preparation, status=Status.PREPARED).delete()
    return rows, True


def _ensure_claimable(row: Voucher, *, now: datetime) -> None:
    if row.status != Status.PREPARED:
        raise VoucherUsed(first_use=row.first_use)
    if row.deal is None or not row.deal.is_active:
        raise VoucherDealUnknown(platform=row.platform, deal=row.deal_ref, deal_title=row.title)
    if row.expires_at is not None and row.expires_at <= now:
        raise VoucherNotUsable(voucher=str(row.public_id), reason="expired")


def _claim(row: Voucher, *, till_id: int, claim_key: str, now: datetime) -> None:
    """Take the one claim that a voucher allows; whoever has it already is named to the other."""
    assert row.deal is not None  # noqa: S101 - just checked
    definition = row.deal.coupon_definition
    row.status = Status.VERIFYING
    row.till_id = till_id
    row.claim_key = claim_key
    row.claimed_at = now
    row.next_check_at = now + IN_FLIGHT
    row.rule = definition.rule if definition is not None else None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise VoucherUsed(first_use=first_use_of(row)) from None


def first_use_of(row: Voucher) -> dict[str, Any] | None:
    """Return where a voucher that another row holds was used; None if it was not here."""
    is_same = Q(fingerprint=bytes(row.fingerprint))
    if row.certificate_id is not None:
        is_same |= Q(certificate_id=row.certificate_id)
    first = (
        Voucher.objects.select_related("store", "till", "order")
        .filter(is_same, platform=row.platform, status__in=Voucher.CLAIMED)
        .exclude(pk=row.pk)
        .first()
    )
    return first.first_use if first is not None else None


@transaction.atomic(durable=True)
def record_verification(outcomes: Mapping[int, Receipt | Refused], *, now: datetime) -> None:
    """Write down what the platform said about vouchers, by their key; late answers change nothing.

    A receipt that another voucher has already means that this one was used under its name.
    """
    for pk, outcome in sorted(outcomes.items()):
        waiting = Voucher.objects.filter(pk=pk, status__in=[Status.VERIFYING, Status.UNKNOWN])
        if isinstance(outcome, Refused):
            waiting.update(
                status=Status.REFUSED,
                refusal=_text(outcome),
                certificate_id=outcome.certificate_id,
                next_check_at=None,
            )
            continue
        try:
            with transaction.atomic():
                waiting.update(
                    status=Status.VERIFIED,
                    verify_id=outcome.verify_id,
                    certificate_id=outcome.certificate_id,
                    verified_at=now,
                    next_check_at=None,
                    attempts=0,
                )
        except IntegrityError:
            waiting.update(status=Status.REFUSED, refusal="used-before", next_check_at=None)


@transaction.atomic
def record_silence(rows: Sequence[Voucher], *, now: datetime) -> list[Voucher]:
    """Write down that no answer came, and when to ask again; return those to be asked no more."""
    given_up = []
    for row in rows:
        is_last = row.attempts >= len(WAITS)
        Voucher.objects.filter(pk=row.pk, status__in=OPEN).update(
            status=Status.UNKNOWN if row.status == Status.VERIFYING else row.status,
            attempts=row.attempts + 1,
            next_check_at=None if is_last else now + WAITS[row.attempts],
        )
        if is_last:
            given_up.append(row)
    return given_up


@transaction.atomic
def lease_due(*, now: datetime, limit: int) -> list[list[Voucher]]:
    """Take what waits for an answer, grouped as it has to be asked for; others pass it over."""
    due = (
        Voucher.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("store", "till", "deal")
        .filter(status__in=OPEN, next_check_at__lte=now)
        .order_by("next_check_at", "pk")[:limit]
    )
    groups: dict[Any, list[Voucher]] = {}
    for row in due:
        is_cancelled = row.status == Status.CANCELLING
        groups.setdefault(row.pk if is_cancelled else row.preparation, []).append(row)
    taken = [row.pk for rows in groups.values() for row in rows]
    Voucher.objects.filter(pk__in=taken).update(next_check_at=now + IN_FLIGHT)
    return list(groups.values())


def ask_again(voucher: Voucher, *, now: datetime) -> None:
    """Have the platform asked again about a voucher that was given up on.

    Raises:
        VoucherNotUsable: its outcome is known.
    """
    again = Voucher.objects.filter(pk=voucher.pk, status__in=OPEN)
    if again.update(attempts=0, next_check_at=now) != 1:
        raise VoucherNotUsable(voucher=str(voucher.public_id), reason=voucher.status)


def hurry(certificate_id: str, *, platform: str, now: datetime) -> bool:
    """Ask soon about a certificate that the platform tells of; tell whether it was waited for."""
    is_it = Q(certificate_id=certificate_id) | Q(fingerprint=_print_of(platform, certificate_id))
    waiting = Voucher.objects.filter(is_it, platform=platform, status__in=OPEN)
    return waiting.update(next_check_at=now) > 0


def _print_of(platform: str, identity: str) -> bytes:
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
        waiting.update(status=Status.VERIFIED, refusal=_text(refused), next_check_at=None)


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


def _text(refused: Refused) -> str:
    return f"{refused.code} {refused.message}".strip()[:240]
