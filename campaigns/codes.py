"""Codes that people enter: those of papers, and words. What they stand for, and for whom.

A code that cannot be used is answered the same whatever the reason: nobody learns by trying
whether a code exists, ran out or is somebody else's. And nobody tries for long.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import caps, coupons, wallets
from campaigns.models import BatchCode, CodeBatch, Coupon
from shop.kernel import identifiers, tries
from shop.kernel.errors import DomainError

MOST_TRIES = 10
TRIES_WINDOW = timedelta(minutes=1)
Status = Coupon.Status


class CouponCodeUnknown(DomainError):
    """There is no such code, or it was used, ran out or belongs to another: all look the same."""

    code = "coupon-code-unknown"
    title = _("This code is not valid, or has been used.")
    status = HTTPStatus.NOT_FOUND


def guesser(*, till_id: int | None, member: object) -> str:
    """Return who is answerable for the codes that are tried: the till, else the member."""
    return f"till:{till_id}" if till_id else f"member:{member}"


@transaction.atomic
def enter(typed: str, *, member_id: int, guesser: str, now: datetime) -> Coupon:
    """Put the coupon of a code into a member's wallet, once; one that is there already is returned.

    Raises:
        CouponCodeUnknown
        RateLimited: too many bad codes within a minute.
        coupons.ClaimLimitReached, coupons.CouponExhausted
    """
    code = identifiers.normalise_code(typed)
    mine = wallets.load([code], member_id=member_id)
    if mine:
        return mine[0]
    _try(guesser, tries_made=1, now=now)
    coupon = _resolve({code: code}, member_id=member_id, now=now, timezone=settings.TIME_ZONE).get(
        code
    )
    if coupon is None or not (coupon.is_draft or _is_theirs(coupon, member_id)):
        raise CouponCodeUnknown
    tries.forgive(guesser, tries=1)
    if not coupon.is_draft:
        return coupon
    try:
        with transaction.atomic():
            return coupons.enter(coupon, member_id=member_id)
    except coupons.CouponNotUsable as error:
        mine = wallets.load([code], member_id=member_id)
        if not mine:
            raise CouponCodeUnknown from error
        return mine[0]  # entered twice at once


def look_up(
    typed: Iterable[str],
    *,
    member_id: int | None,
    guesser: str,
    now: datetime,
    timezone: str,
) -> dict[str, Coupon]:
    """Return the coupon behind each code that this holder may use; the others are left out.

    A code that nobody has entered yet gives a draft, which the order that uses it has written.

    Raises:
        RateLimited: too many bad codes within a minute.
    """
    codes = {text: identifiers.normalise_code(text) for text in typed}
    _try(guesser, tries_made=len(codes), now=now)
    found = _resolve(codes, member_id=member_id, now=now, timezone=timezone)
    usable = _within_limits(found, member_id=member_id)
    tries.forgive(guesser, tries=len(usable))
    return usable


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeState:
    """What is known of a code; for staff."""

    code: str
    state: str
    batch: str | None = None
    definition: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    order: str | None = None


def inspect(typed: str, *, guesser: str, now: datetime) -> CodeState:
    """Return what became of a code, for people who answer for it behind the counter.

    Raises:
        CouponCodeUnknown: there is no such code.
        RateLimited: too many unknown codes within a minute.
    """
    code = identifiers.normalise_code(typed)
    _try(guesser, tries_made=1, now=now)
    state = _state_of_coupon(code, now=now) or _state_of_batch(code)
    if state is None:
        raise CouponCodeUnknown
    tries.forgive(guesser, tries=1)
    return state


def _state_of_coupon(code: str, *, now: datetime) -> CodeState | None:
    rows = Coupon.objects.select_related("definition", "batch", "held_by")
    coupon = rows.filter(code=code).first()
    if coupon is None:
        return None
    is_over = coupon.status == Status.AVAILABLE and coupon.expires_at <= now
    return CodeState(
        code=code,
        state=Status.EXPIRED if is_over else coupon.status,
        batch=coupon.batch.label if coupon.batch else None,
        definition=coupon.definition.code,
        issued_at=coupon.issued_at,
        expires_at=coupon.expires_at,
        order=coupon.held_by.number if coupon.held_by else None,
    )


def _state_of_batch(code: str) -> CodeState | None:
    printed = BatchCode.objects.select_related("batch__definition").filter(code=code).first()
    batches = CodeBatch.objects.select_related("definition")
    batch = printed.batch if printed else batches.filter(word=code).first()
    if batch is None:
        return None
    state = "void" if batch.voided_at else "unused" if printed else "word"
    return CodeState(code=code, state=state, batch=batch.label, definition=batch.definition.code)


def _try(guesser: str, *, tries_made: int, now: datetime) -> None:
    tries.count(guesser, tries=tries_made, most=MOST_TRIES, window=TRIES_WINDOW, now=now)


def _resolve(
    codes: Mapping[str, str], *, member_id: int | None, now: datetime, timezone: str
) -> dict[str, Coupon]:
    wanted = set(codes.values())
    printed = BatchCode.objects.select_related("batch__definition").filter(code__in=wanted)
    words = CodeBatch.objects.select_related("definition").filter(word__in=wanted)
    there = {
        coupon.code: coupon
        for coupon in Coupon.objects.select_related("definition").filter(code__in=wanted)
    }
    found: dict[str, Coupon] = {
        code: coupon
        for code, coupon in there.items()
        if _is_theirs(coupon, member_id) or _is_free(coupon, now=now)
    }
    for row in printed:
        if row.code not in there and _is_open(row.batch, member_id=member_id, now=now):
            found[row.code] = _draft(row.batch, row.code, now=now, timezone=timezone)
    for batch in words:
        assert batch.word is not None  # noqa: S101 - found by it
        coupon = _of_word(batch, member_id=member_id, now=now, timezone=timezone)
        if coupon is not None:
            found[batch.word] = coupon
    return {text: found[code] for text, code in codes.items() if code in found}


def _is_theirs(coupon: Coupon, member_id: int | None) -> bool:
    return member_id is not None and coupon.member_id == member_id


def _is_free(coupon: Coupon, *, now: datetime) -> bool:
    """Tell whether a coupon of nobody can be used by whoever brings its code."""
    is_anybodys = coupon.member_id is None
    return is_anybodys and coupon.status == Status.AVAILABLE and coupon.expires_at > now


def _is_open(batch: CodeBatch, *, member_id: int | None, now: datetime) -> bool:
    """Tell whether codes of a batch may be entered now, by such a holder."""
    if batch.voided_at is not None or (member_id is None and not batch.definition.is_for_guests):
        return False
    try:
        coupons.ensure_claim_period(batch.definition, now=now)
    except coupons.CouponNotClaimable:
        return False
    return True


def _of_word(
    batch: CodeBatch, *, member_id: int | None, now: datetime, timezone: str
) -> Coupon | None:
    """Return the member's coupon of a word that waits in the wallet, else a draft of the next.

    Who may have no more is given the one they used, so that they are told so.
    """
    mine: list[Coupon] = []
    if member_id is not None:
        rows = Coupon.objects.select_related("definition").filter(batch=batch, member_id=member_id)
        mine = list(rows.order_by("expires_at", "pk"))
        for coupon in mine:
            if coupon.status == Status.AVAILABLE and coupon.expires_at > now:
                return coupon
        if len(mine) >= batch.definition.per_member_limit:
            return mine[-1]
    is_used_up = batch.quantity is not None and batch.used_count >= batch.quantity
    if is_used_up or not _is_open(batch, member_id=member_id, now=now):
        return None
    return _draft(batch, "", now=now, timezone=timezone)


def _draft(batch: CodeBatch, code: str, *, now: datetime, timezone: str) -> Coupon:
    return coupons.draft(
        batch.definition,
        source=f"batch:{batch.pk}",
        now=now,
        timezone=timezone,
        code=code,
        batch=batch,
    )


def _within_limits(found: Mapping[str, Coupon], *, member_id: int | None) -> dict[str, Coupon]:
    """Leave out drafts that could not be issued, and what two codes both stand for."""
    drafts = [coupon for coupon in found.values() if coupon.is_draft]
    left = {coupon.definition_id: _left(coupon, member_id=member_id) for coupon in drafts}
    usable: dict[str, Coupon] = {}
    for text, coupon in found.items():
        if coupon.is_draft:
            if left[coupon.definition_id] < 1:
                continue
            left[coupon.definition_id] -= 1
        if coupon.code not in {other.code for other in usable.values()}:
            usable[text] = coupon
    return usable


def _left(draft: Coupon, *, member_id: int | None) -> int:
    """Return how many coupons of a draft's definition its holder can still get."""
    definition = draft.definition
    left = definition.per_member_limit
    if member_id is not None:
        mine = Coupon.objects.filter(definition=definition, member_id=member_id)
        left -= mine.count()
    if definition.total_limit is not None:
        left = min(left, definition.total_limit - caps.issued(definition))
    return left
