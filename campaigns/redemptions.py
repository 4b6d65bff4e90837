"""Coupons on orders: hold, redeem, release, give back. The only module that writes redemptions.

Each step is a guarded update or a unique key whose outcome is checked, so that of any number of
orders at once exactly as many get a coupon as the rules allow.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from campaigns import coupons, limits, pricing, wallets
from campaigns.coupons import CouponNotUsable
from campaigns.limits import Place, Use
from campaigns.models import Coupon, CouponDefinition, CouponRedemption
from shop.kernel import rows
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.models import Order

Status = Coupon.Status
GRACE = timedelta(days=7)
"""A reusable coupon whose time ran out while it was redeemed lives this long again."""


class CouponBudgetExhausted(DomainError):
    """The definition's money is spent."""

    code = "coupon-budget-exhausted"
    title = _("The budget of this coupon is spent.")


@transaction.atomic(savepoint=False)
def hold(
    order: Order, *, codes: Sequence[str], now: datetime, entered: Sequence[Coupon] = ()
) -> None:
    """Reserve available coupons for an unpaid order, all or none.

    `entered` are the drafts among them: coupons of codes that nobody had entered before.

    Raises:
        CouponNotUsable: another order was faster, or one expired meanwhile.
        limits.OfferLimitReached: others used up what this store, day, week or month may.
        ClaimLimitReached, CouponExhausted: of the entered ones.
    """
    new = _insert_all(order, entered)
    taken = _take(order, codes=codes, to=Status.HELD, now=now)
    for coupon in new:
        coupons.count(coupon)
    _count_uses(order, [coupon.definition for coupon, _was_held in taken])


@transaction.atomic(savepoint=False)
def redeem(
    order: Order,
    *,
    discounts: Mapping[str, Cents],
    now: datetime,
    entered: Sequence[Coupon] = (),
) -> list[Coupon]:
    """Use coupons on a paid order: those it held, or (settled at once) available ones.

    A coupon that was held in time is honoured even if it has expired since. `entered` as for a
    hold. Return the coupons used.

    Raises:
        CouponNotUsable, CouponBudgetExhausted, limits.OfferLimitReached
        ClaimLimitReached, CouponExhausted: of the entered ones.
    """
    if not discounts:
        return []
    new = {coupon.pk: coupon for coupon in _insert_all(order, entered)}
    taken = _take(order, codes=list(discounts), to=Status.REDEEMED, now=now)
    for coupon, _was_held in sorted(taken, key=lambda found: found[0].definition_id):
        if coupon.pk in new:
            coupons.count(new[coupon.pk])
        _redeem_one(coupon, order, discount_cents=discounts[coupon.code], now=now)
    _count_uses(order, [coupon.definition for coupon, was_held in taken if not was_held])
    return [coupon for coupon, _was_held in taken]


def _insert_all(order: Order, entered: Sequence[Coupon]) -> list[Coupon]:
    """Write the coupons of entered codes, in one order of codes so that no two orders circle."""
    by_code = sorted(entered, key=lambda coupon: coupon.code)
    new = [coupons.write(coupon, member_id=order.member_id) for coupon in by_code]
    return sorted(new, key=lambda coupon: coupon.definition_id)


@transaction.atomic(savepoint=False)
def release(order: Order, *, now: datetime) -> None:
    """Free the coupons an unpaid order held; revoked ones, and ones that ran out, are gone."""
    values = {"order": order.pk, "now": now}
    freed = [found for (found,) in rows.select(_RELEASE_SQL, values, CouponDefinition)]
    _uncount_uses(order, freed)


_RELEASE_SQL = """
UPDATE campaigns_coupon
SET held_by_id = NULL,
    status = CASE WHEN campaigns_coupon.revoked_at IS NOT NULL THEN 'revoked'
                  WHEN campaigns_coupon.expires_at <= %(now)s THEN 'expired'
                  ELSE 'available' END
FROM campaigns_coupondefinition
WHERE campaigns_coupondefinition.id = campaigns_coupon.definition_id
  AND campaigns_coupon.held_by_id = %(order)s AND campaigns_coupon.status = 'held'
RETURNING {columns}
"""


@transaction.atomic(savepoint=False)
def return_after_refund(order: Order, *, now: datetime) -> None:
    """Give the coupons of an order that was refunded whole back, as each definition's policy says.

    What is not given back for good keeps its place in the counters; the others leave them, and the
    budget gets their money back.
    """
    redemptions = list(
        CouponRedemption.objects.select_related("coupon__definition")
        .filter(order=order, released_at=None)
        .exclude(coupon__definition__after_refund=CouponDefinition.AfterRefund.NEVER)
        .order_by("coupon_id")
    )
    for redemption in redemptions:
        coupon = redemption.coupon
        status, expires_at = _after_refund(coupon, now=now)
        CouponRedemption.objects.filter(pk=redemption.pk).update(released_at=now)
        Coupon.objects.filter(pk=coupon.pk, status=Status.REDEEMED).update(
            status=status, expires_at=expires_at, held_by=None
        )
    # Ascending definitions, as when they were counted, so that two refunds cannot deadlock.
    for redemption in sorted(redemptions, key=lambda row: row.coupon.definition_id):
        CouponDefinition.objects.filter(pk=redemption.coupon.definition_id).update(
            redeemed_count=F("redeemed_count") - 1,
            spent_cents=F("spent_cents") - redemption.discount_cents,
        )
    _uncount_uses(order, [redemption.coupon.definition for redemption in redemptions])


def _after_refund(coupon: Coupon, *, now: datetime) -> tuple[str, datetime]:
    """Return status and expiry of a coupon given back: its own expiry, or a grace if reusable."""
    if coupon.revoked_at is not None:
        return Status.REVOKED, coupon.expires_at
    if coupon.expires_at > now:
        return Status.AVAILABLE, coupon.expires_at
    if coupon.definition.after_refund == CouponDefinition.AfterRefund.REUSABLE:
        return Status.AVAILABLE, now + GRACE
    return Status.EXPIRED, coupon.expires_at


def repriced(order: Order) -> Iterator[tuple[str, pricing.Rule]]:
    """Yield the coupons on an order that a partial return prices anew, with their rules."""
    uses = CouponRedemption.objects.filter(
        order=order,
        released_at=None,
        coupon__definition__partial_return=CouponDefinition.PartialReturn.REPRICE,
    ).values_list("coupon__code", "coupon__definition__rule")
    for code, rule in uses:
        yield code, pricing.parse_rule(rule)


@transaction.atomic
def recount(definition: CouponDefinition) -> None:
    """Write the counters of a definition anew: when a limit comes or goes, or to repair.

    The lock lets uses that have begun commit first, and makes others wait: each counts on the
    definition's row, or holds a coupon that points at it.
    """
    CouponDefinition.objects.select_for_update().get(pk=definition.pk)
    standing = Coupon.objects.filter(
        definition=definition, status__in=[Status.HELD, Status.REDEEMED], held_by__isnull=False
    ).select_related("held_by__store")
    orders = (coupon.held_by for coupon in standing.iterator())
    limits.recount(
        wallets.limits_of(definition),
        ((_place_of(order), Cents(0)) for order in orders if order is not None),
    )


def _count_uses(order: Order, definitions: Sequence[CouponDefinition]) -> None:
    limits.take(_uses(definitions), place=_place_of(order))


def _uncount_uses(order: Order, definitions: Sequence[CouponDefinition]) -> None:
    limits.give_back(_uses(definitions), place=_place_of(order))


def _uses(definitions: Sequence[CouponDefinition]) -> list[Use]:
    """Return the uses of each definition. Money is counted with the redemption, not here."""
    by_id = {definition.pk: definition for definition in definitions}
    times = Counter(definition.pk for definition in definitions)
    bounds = {pk: wallets.limits_of(definition) for pk, definition in by_id.items()}
    return [
        Use(limits=limit, discount_cents=Cents(0), times=times[pk])
        for pk, limit in bounds.items()
        if limit.uses
    ]


def _place_of(order: Order) -> Place:
    return limits.place_of(order.store, member_id=order.member_id, now=order.placed_at)


def _take(
    order: Order, *, codes: Sequence[str], to: str, now: datetime
) -> list[tuple[Coupon, bool]]:
    """Move usable coupons to a new status for this order; the loser of a race moves none.

    Each comes with its definition, and whether the order held it before.

    The rows are locked in ascending id first, so that two orders cannot wait for each other.
    """
    if not codes:
        return []
    values = {
        "codes": list(codes),
        "member": order.member_id,
        "order": order.pk,
        "to": to,
        "now": now,
    }
    taken = []
    for coupon, definition, was in rows.select(_TAKE_SQL, values, Coupon, CouponDefinition):
        coupon.definition = definition
        taken.append((coupon, was == Status.HELD))
    if len(taken) != len(set(codes)):
        lost = sorted(set(codes) - {coupon.code for coupon, _was_held in taken})
        raise CouponNotUsable(coupon_codes=lost)
    return taken


_TAKE_SQL = """
WITH usable AS (
    SELECT id, status FROM campaigns_coupon
    WHERE code = ANY(%(codes)s) AND (member_id = %(member)s OR member_id IS NULL)
      AND (status = 'available' AND expires_at > %(now)s
           AND (starts_at IS NULL OR starts_at <= %(now)s)
           OR status = 'held' AND held_by_id = %(order)s)
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE campaigns_coupon SET status = %(to)s, held_by_id = %(order)s
FROM usable, campaigns_coupondefinition
WHERE campaigns_coupon.id = usable.id
  AND campaigns_coupondefinition.id = campaigns_coupon.definition_id
RETURNING {columns}, usable.status
"""


def _redeem_one(coupon: Coupon, order: Order, *, discount_cents: Cents, now: datetime) -> None:
    """Record one use and count it, within the budget."""
    values: dict[str, Any] = {
        "definition": coupon.definition_id,
        "coupon": coupon.pk,
        "order": order.pk,
        "discount": discount_cents,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REDEEM_SQL, values)
        if cursor.rowcount != 1:
            raise CouponBudgetExhausted


_REDEEM_SQL = """
WITH counted AS (
    UPDATE campaigns_coupondefinition
    SET redeemed_count = redeemed_count + 1, spent_cents = spent_cents + %(discount)s
    WHERE id = %(definition)s
      AND (budget_cents IS NULL OR budget_cents >= spent_cents + %(discount)s)
    RETURNING id
)
INSERT INTO campaigns_couponredemption (coupon_id, order_id, discount_cents, redeemed_at)
SELECT %(coupon)s, %(order)s, %(discount)s, %(now)s FROM counted
"""
