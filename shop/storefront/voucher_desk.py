"""Vouchers at the till: what is asked of their platforms, and what becomes of lost answers.

Each flow commits its claim, asks the platform without any transaction, and commits the answer. A
process that dies in between leaves a row that `resolve` finishes.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from campaigns import group_buying, verifications, vouchers
from campaigns.group_buying import (
    Claim,
    NoAnswer,
    PlatformOff,
    Receipt,
    Refused,
    VoucherRefused,
)
from campaigns.models import Voucher
from shop import alerts
from shop.kernel.errors import DomainError
from shop.models import Store

SHOP_IDS = {"douyin": "douyin_poi", "meituan": "meituan_shop"}
"""For each platform: the name of its number in a store's `external_ids`."""
SKEW = timedelta(minutes=5)
"""So far a platform's clock may be behind ours: a use before the claim was somebody else's."""
BATCH = 50
Outcome = Receipt | Refused


class PlatformSilent(DomainError):
    """The platform gave no answer; nothing was used up. Ask again in a moment."""

    code = "voucher-platform-silent"
    title = _("The platform does not answer; try again in a moment.")
    status = HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """The till that asks."""

    store: Store
    till_id: int

    @property
    def operator(self) -> str:
        """Return the name under which the platform keeps who asked."""
        return f"till:{self.till_id}"


def prepare(platform: str, code: str, *, desk: Desk, now: datetime) -> list[Voucher]:
    """Return the vouchers behind a code, with what each gives here. Uses nothing up.

    Raises:
        PlatformOff, VoucherRefused
        PlatformSilent: no answer.
    """
    provider = group_buying.provider(platform)
    try:
        found = provider.prepare(code, shop=shop_of(desk.store, platform))
    except NoAnswer as error:
        raise PlatformSilent(platform=platform) from error
    return vouchers.keep(found, platform=platform, store=desk.store, till_id=desk.till_id, now=now)


def verify(ids: Sequence[UUID], *, desk: Desk, claim_key: str, now: datetime) -> list[Voucher]:
    """Use vouchers of one preparation up; return how they stand then.

    Without an answer they stand as unknown, and the background task finds out.

    Raises:
        NotFound, IdempotencyKeyReused, PlatformOff
        vouchers.VoucherUsed, vouchers.VoucherDealUnknown, vouchers.VoucherNotUsable
    """
    rows, is_new = verifications.claim(
        ids, store_id=desk.store.pk, till_id=desk.till_id, claim_key=claim_key, now=now
    )
    if is_new:
        _finish(rows, is_retry=False, now=now)
    return [reloaded(row) for row in rows]


def cancel(public_id: UUID, *, desk: Desk, now: datetime) -> Voucher:
    """Give a verified voucher back on its platform; return how it stands then.

    Raises:
        NotFound, vouchers.VoucherNotCancellable
    """
    row, is_new = vouchers.begin_cancel(public_id, store_id=desk.store.pk, now=now)
    if is_new:
        _finish([row], is_retry=False, now=now)
    return reloaded(row)


def resolve(*, now: datetime) -> int:
    """Ask about everything that waits for an answer; return how many groups were asked about."""
    groups = verifications.lease_due(now=now, limit=BATCH)
    for rows in groups:
        _finish(rows, is_retry=True, now=now)
    return len(groups)


def reloaded(row: Voucher) -> Voucher:
    """Return a voucher as it stands now, with what the API shows of it."""
    rows = Voucher.objects.select_related("store", "till", "order", "deal__coupon_definition")
    return rows.get(pk=row.pk)


def shop_of(store: Store, platform: str) -> str:
    """Return a store's number on a platform.

    Raises:
        PlatformOff
    """
    number = str(store.external_ids.get(SHOP_IDS[platform], ""))
    if not number:
        raise PlatformOff(platform=platform, store=store.code)
    return number


def _finish(rows: Sequence[Voucher], *, is_retry: bool, now: datetime) -> None:
    """Ask the platform and write its answer down, or that there was none."""
    is_cancelled = rows[0].status == Voucher.Status.CANCELLING
    try:
        if is_cancelled:
            _cancel(rows[0], is_retry=is_retry, now=now)
        else:
            outcomes = _verify(rows, is_retry=is_retry)
            verifications.record_verification(outcomes, now=now)
    except (NoAnswer, PlatformOff):
        for row in verifications.record_silence(rows, now=now):
            _alert("voucher-unresolved", row, now=now)


def _verify(rows: Sequence[Voucher], *, is_retry: bool) -> Mapping[int, Outcome]:
    """Return what became of each voucher.

    After a lost answer the platform is asked how they stand before anything is used up: what is
    used by then was used by that lost call, unless it was used before it.
    """
    outcomes = {}
    waiting = list(rows)
    if is_retry:
        outcomes = {row.pk: found for row in rows if (found := _found(row)) is not None}
        waiting = [row for row in rows if row.pk not in outcomes]
    if waiting:
        outcomes |= _verify_all(waiting, is_retry=is_retry)
    return outcomes


def _verify_all(rows: Sequence[Voucher], *, is_retry: bool) -> dict[int, Outcome]:
    first = rows[0]
    secrets = {row.pk: vouchers.secrets_of(row) for row in rows}
    claim = Claim(
        token=secrets[first.pk].token,
        refs=[secrets[row.pk].ref for row in rows],
        shop=shop_of(first.store, first.platform),
        operator=f"till:{first.till_id}",
    )
    said = group_buying.provider(first.platform).verify(claim, is_retry=is_retry)
    outcomes = {row.pk: said[secrets[row.pk].ref] for row in rows}
    for row in rows:
        outcomes[row.pk] = _completed(row, outcomes[row.pk], is_retry=is_retry)
    return outcomes


def _completed(row: Voucher, outcome: Outcome, *, is_retry: bool) -> Outcome:
    """Return an outcome with the numbers that go with "used", where the answer left them out."""
    is_bare_receipt = isinstance(outcome, Receipt) and outcome.verify_id is None
    if is_retry and is_bare_receipt:
        return _found(row) or outcome
    if isinstance(outcome, Refused) and outcome.is_used:
        with suppress(NoAnswer):
            if isinstance(found := _found(row), Receipt):
                return replace(outcome, certificate_id=found.certificate_id)
    return outcome


def _found(row: Voucher) -> Outcome | None:
    """Return what the platform knows of a voucher's use; None when it is not used."""
    provider = group_buying.provider(row.platform)
    try:
        finding = provider.query(
            vouchers.secrets_of(row).ref, shop=shop_of(row.store, row.platform)
        )
    except VoucherRefused:
        return None
    if finding.receipt is None or finding.used_at is None or row.claimed_at is None:
        return finding.receipt
    if finding.used_at < row.claimed_at - SKEW:
        return Refused(code="used-before", message=finding.used_at.isoformat())
    return finding.receipt


def _cancel(row: Voucher, *, is_retry: bool, now: datetime) -> None:
    receipt = Receipt(verify_id=row.verify_id, certificate_id=row.certificate_id)
    provider = group_buying.provider(row.platform)
    ref, shop = vouchers.secrets_of(row).ref, shop_of(row.store, row.platform)
    refused: Refused | None = None
    is_back = is_retry and row.attempts > 0 and provider.query(ref, shop=shop).receipt is None
    if not is_back:
        operator = f"till:{row.till_id}"
        refused = provider.cancel(ref, receipt, shop=shop, operator=operator)
    vouchers.record_cancellation(row, refused, now=now)
    if refused is not None and row.order_id is not None:
        _alert("voucher-not-given-back", row, now=now)


def _alert(code: str, row: Voucher, *, now: datetime) -> None:
    details = {
        "voucher": str(row.public_id),
        "platform": row.platform,
        "store": row.store.code,
        "title": row.title,
        "price_cents": row.price_cents,
    }
    alerts.record(code, subject=row.source, details=details, now=now, store_id=row.store_id)
