"""Giving a coupon to a friend (转赠): one link, one friend. The only module that writes transfers.

The coupon stays usable in the giver's wallet until somebody accepts it: whoever is first has it.
Locks: the coupon, then the transfer.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns import coupons
from campaigns.models import Coupon, CouponTransfer
from shop.kernel import crypto
from shop.kernel.errors import DomainError, NotFound

Status = CouponTransfer.Status
LIVES = timedelta(hours=24)
"""How long a link can be accepted, unless the coupon ends earlier."""


class CouponNotTransferable(DomainError):
    """Its definition does not allow it, or the coupon is on an order, used, revoked or expired."""

    code = "coupon-not-transferable"
    title = _("This coupon cannot be given away.")


class TransferNotOpen(DomainError):
    """The link was used, taken back, or is too old."""

    code = "transfer-not-open"
    title = _("This link has been used, taken back, or is too old.")


class TransferToSelf(DomainError):
    """Nobody gives a coupon to themselves."""

    code = "transfer-to-self"
    title = _("This coupon is yours already.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Offered:
    """A transfer with the token of its link, which is shown once and not kept."""

    transfer: CouponTransfer
    token: str


@transaction.atomic
def offer(coupon_code: str, *, member_id: int, now: datetime) -> Offered:
    """Make a link by which one other member may take this coupon; an older link is taken back.

    Raises:
        NotFound: no such coupon in this wallet.
        CouponNotTransferable
    """
    coupon = _lock(code=coupon_code, member_id=member_id)
    _ensure_transferable(coupon, now=now)
    _close(coupon, now=now)
    token = secrets.token_urlsafe(24)
    transfer = CouponTransfer.objects.create(
        coupon=coupon,
        giver_id=member_id,
        token_hash=crypto.secret_hash(token),
        offered_at=now,
        expires_at=min(now + LIVES, coupon.expires_at),
    )
    return Offered(transfer=transfer, token=token)


@transaction.atomic
def accept(token: str, *, member_id: int, now: datetime) -> Coupon:
    """Put the coupon behind a link into this member's wallet; of many at once one gets it.

    Raises:
        NotFound: no such link.
        TransferToSelf, TransferNotOpen
        coupons.CouponNotUsable: used or revoked meanwhile.
        coupons.ClaimLimitReached: the member has as many as one may have.
    """
    transfer = CouponTransfer.objects.filter(token_hash=crypto.secret_hash(token)).first()
    if transfer is None:
        raise NotFound
    if transfer.giver_id == member_id:
        raise TransferToSelf
    coupon = _lock(pk=transfer.coupon_id)
    transfer.refresh_from_db()
    if transfer.status != Status.OPEN or transfer.expires_at <= now:
        raise TransferNotOpen
    received = coupons.pass_on(coupon, member_id=member_id, now=now)
    accepted = CouponTransfer.objects.filter(pk=transfer.pk, status=Status.OPEN).update(
        status=Status.ACCEPTED, receiver_id=member_id, received=received, closed_at=now
    )
    if accepted != 1:
        raise TransferNotOpen
    return received


@transaction.atomic
def cancel(coupon_code: str, *, member_id: int, now: datetime) -> Coupon:
    """Take the link of one's own coupon back; its token is worth nothing from now on.

    Raises:
        NotFound: no such coupon in this wallet.
        TransferNotOpen
    """
    coupon = _lock(code=coupon_code, member_id=member_id)
    if _close(coupon, now=now) != 1:
        raise TransferNotOpen(coupon=coupon.code)
    return coupon


def expire(*, now: datetime) -> int:
    """Close the links that nobody accepted in time; return how many."""
    overdue = CouponTransfer.objects.filter(status=Status.OPEN, expires_at__lte=now)
    return overdue.update(status=Status.EXPIRED, closed_at=now)


def history(member_id: int) -> QuerySet[CouponTransfer]:
    """Return what a member offered and received."""
    mine = Q(giver_id=member_id) | Q(receiver_id=member_id)
    return CouponTransfer.objects.filter(mine).select_related(
        "coupon__definition", "giver", "received"
    )


def _lock(**which: object) -> Coupon:
    locked = Coupon.objects.select_for_update(of=("self",), no_key=True)
    coupon = locked.select_related("definition").filter(**which).first()
    if coupon is None:
        raise NotFound
    return coupon


def _ensure_transferable(coupon: Coupon, *, now: datetime) -> None:
    reason = None
    if not coupon.definition.is_transferable:
        reason = "not-transferable"
    elif coupon.status != Coupon.Status.AVAILABLE:
        reason = str(coupon.status)
    elif coupon.expires_at <= now:
        reason = "expired"
    if reason is not None:
        raise CouponNotTransferable(coupon=coupon.code, reason=reason)


def _close(coupon: Coupon, *, now: datetime) -> int:
    """End the open offer of a locked coupon; return how many there were."""
    mine = CouponTransfer.objects.filter(coupon=coupon, status=Status.OPEN)
    late = mine.filter(expires_at__lte=now).update(status=Status.EXPIRED, closed_at=now)
    taken_back = mine.update(status=Status.CANCELLED, closed_at=now)
    return 0 if late else taken_back


def hand_over(*, source_id: int, target_id: int) -> None:
    """Let the open offers of a member be those of the membership that has their coupons now."""
    CouponTransfer.objects.filter(giver_id=source_id, status=Status.OPEN).update(giver_id=target_id)
