"""Verifications: a voucher claimed for one call of its platform, and what the platform said.

No function here calls a platform: flows commit a claim first, then ask, then record the answer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from campaigns import vouchers
from campaigns.group_buying import Receipt, Refused
from campaigns.models import Voucher
from campaigns.vouchers import VoucherDealUnknown, VoucherNotUsable, VoucherUsed
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import IdempotencyKeyReused

Status = Voucher.Status
WAITS = [timedelta(seconds=5)] * 5 + [timedelta(seconds=40)] * 9
"""The wait after each attempt without an answer; after the last, people have to look."""


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
    row.next_check_at = now + vouchers.IN_FLIGHT
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
                refusal=vouchers.text_of(outcome),
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
        Voucher.objects.filter(pk=row.pk, status__in=vouchers.OPEN).update(
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
        .filter(status__in=vouchers.OPEN, next_check_at__lte=now)
        .order_by("next_check_at", "pk")[:limit]
    )
    groups: dict[Any, list[Voucher]] = {}
    for row in due:
        is_cancelled = row.status == Status.CANCELLING
        groups.setdefault(row.pk if is_cancelled else row.preparation, []).append(row)
    taken = [row.pk for rows in groups.values() for row in rows]
    Voucher.objects.filter(pk__in=taken).update(next_check_at=now + vouchers.IN_FLIGHT)
    return list(groups.values())


def ask_again(voucher: Voucher, *, now: datetime) -> None:
    """Have the platform asked again about a voucher that was given up on.

    Raises:
        VoucherNotUsable: its outcome is known.
    """
    again = Voucher.objects.filter(pk=voucher.pk, status__in=vouchers.OPEN)
    if again.update(attempts=0, next_check_at=now) != 1:
        raise VoucherNotUsable(voucher=str(voucher.public_id), reason=voucher.status)


def hurry(certificate_id: str, *, platform: str, now: datetime) -> bool:
    """Ask soon about a certificate that the platform tells of; tell whether it was waited for."""
    fingerprint = vouchers.print_of(platform, certificate_id)
    is_it = Q(certificate_id=certificate_id) | Q(fingerprint=fingerprint)
    waiting = Voucher.objects.filter(is_it, platform=platform, status__in=vouchers.OPEN)
    return waiting.update(next_check_at=now) > 0
