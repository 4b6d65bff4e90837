"""Revocations: coupons taken back, at once or as soon as the order that has them lets go."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from campaigns.models import Coupon
from shop.kernel.errors import DomainError
from shop.models import Order

Status = Coupon.Status


class CouponNotRevocable(DomainError):
    """The coupon is gone already: expired, given away, or revoked before."""

    code = "coupon-not-revocable"
    title = _("This coupon cannot be revoked any more.")


@transaction.atomic
def revoke(coupon: Coupon, *, reason: str, actor: str, now: datetime) -> Coupon:
    """Take a coupon back: at once, or as soon as the order that has it lets it go.

    An order that holds it may still be paid with it: its price was promised.

    Raises:
        CouponNotRevocable: gone already.
    """
    if mark(Coupon.objects.filter(pk=coupon.pk), reason=reason, actor=actor, now=now) != 1:
        coupon.refresh_from_db()
        raise CouponNotRevocable(coupon=coupon.code, coupon_status=coupon.status)
    coupon.refresh_from_db()
    return coupon


@transaction.atomic(savepoint=False)
def revoke_reward(order: Order, *, now: datetime) -> None:
    """Take back the coupons that came with an order, wherever they went, as far as not used.

    One that is on another order by now is gone once that order is cancelled or refunded.
    """
    if order.coupon_gifts:
        gifts = Coupon.objects.filter(source=order.source)
        mark(gifts, reason="order refunded", actor=order.source, now=now)


@transaction.atomic(savepoint=False)
def revoke_given(
    *,
    member_id: int,
    by: Sequence[str],
    since: datetime,
    reason: str,
    actor: str,
    now: datetime,
) -> int:
    """Take back a member's coupons whose sources begin so, as far as not used; return how many."""
    if not by:
        return 0
    given = Q(pk__in=[])
    for source in by:
        given |= Q(source__startswith=source)
    mine = Coupon.objects.filter(given, member_id=member_id, issued_at__gte=since)
    return mark(mine, reason=reason, actor=actor, now=now)


@transaction.atomic(savepoint=False)
def revoke_all(*, member_id: int, reason: str, actor: str, now: datetime) -> int:
    """Take all coupons of a member back whose membership ends; return how many that were."""
    return mark(Coupon.objects.filter(member_id=member_id), reason=reason, actor=actor, now=now)


def mark(found: QuerySet[Coupon], *, reason: str, actor: str, now: datetime) -> int:
    """Mark living coupons revoked; those on no order are so at once. Return how many."""
    living = found.filter(
        status__in=[Status.AVAILABLE, Status.HELD, Status.REDEEMED], revoked_at=None
    )
    ids = [row.pk for row in living.order_by("pk").select_for_update(no_key=True)]
    is_free = Q(status=Status.AVAILABLE)
    return Coupon.objects.filter(pk__in=ids).update(
        status=Case(When(is_free, then=Value(Status.REVOKED)), default=F("status")),
        revoked_at=now,
        revoked_by=actor,
        revoke_reason=reason,
    )
