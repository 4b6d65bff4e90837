"""Wallets: the coupons a member has, and what pricing needs to know of them. Writes nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from campaigns import limits, pricing
from campaigns.limits import REASONS, UNUSED, Dimension, Limits, Place
from campaigns.models import Coupon, CouponDefinition
from campaigns.pricing import Uses
from shop.kernel import rows
from shop.kernel.money import Cents

Status = Coupon.Status
USABLE_WHILE = frozenset({CouponDefinition.Status.ACTIVE, CouponDefinition.Status.ENDED})
"""What people hold stays theirs after the end; it waits while a manager has doubts."""
PREFIX = "coupon:"
"""What the counters of a definition's coupons are kept under, before its id."""
LIMITS: dict[str, str] = {
    Dimension.STORE: "uses_per_store",
    Dimension.DAY: "uses_per_day",
    Dimension.WEEK: "uses_per_week",
    Dimension.MONTH: "uses_per_month",
}
"""For each dimension that is counted by place: the column of its limit. How many there are in all
and per member is counted when coupons are issued."""


def load(codes: Sequence[str], *, member_id: int | None) -> list[Coupon]:
    """Return this member's coupons with these codes; others' codes look like unknown ones."""
    if not codes or member_id is None:
        return []
    found = rows.select(
        _WALLET_SQL, {"codes": list(codes), "member": member_id}, Coupon, CouponDefinition
    )
    for coupon, definition in found:
        coupon.definition = definition
    return [coupon for coupon, _definition in found]


_WALLET_SQL = """
SELECT {columns} FROM campaigns_coupon
JOIN campaigns_coupondefinition
     ON campaigns_coupondefinition.id = campaigns_coupon.definition_id
WHERE campaigns_coupon.code = ANY(%(codes)s) AND campaigns_coupon.member_id = %(member)s
ORDER BY campaigns_coupon.id
"""


def owners(codes: Sequence[str]) -> dict[str, UUID]:
    """Return whose coupons these codes are, by the members' public ids; for staff only."""
    found = Coupon.objects.filter(code__in=codes).values_list("code", "member__public_id")
    return dict(found) if codes else {}


def living(member_id: int, *, now: datetime, most: int) -> list[Coupon]:
    """Return a member's coupons that wait to be used, the soonest to expire first."""
    mine = Coupon.objects.filter(member_id=member_id, status=Status.AVAILABLE, expires_at__gt=now)
    return list(mine.select_related("definition").order_by("expires_at", "pk")[:most])


def offer_of(coupon: Coupon, uses: tuple[Uses, ...] = ()) -> pricing.Offer:
    """Return what the evaluator needs to know of a coupon; `uses` come from `uses_of`."""
    definition = coupon.definition
    budget_left = None
    if definition.budget_cents is not None:
        budget_left = Cents(definition.budget_cents - definition.spent_cents)
    return pricing.Offer(
        key=coupon.code,
        name=definition.name,
        rule=pricing.parse_rule(definition.rule),
        uses=uses,
        budget_left_cents=budget_left,
    )


def limits_of(definition: CouponDefinition) -> Limits:
    """Return what the uses of a definition's coupons are counted against, place by place."""
    most = {dimension: getattr(definition, column) for dimension, column in LIMITS.items()}
    return Limits(
        offer=f"{PREFIX}{definition.pk}",
        uses={dimension: count for dimension, count in most.items() if count is not None},
    )


def uses_of(found: Iterable[Coupon], *, place: Place) -> dict[int, tuple[Uses, ...]]:
    """Return, by definition, how often its limited coupons were used here.

    One statement, and none where nothing is limited.
    """
    bounds = {coupon.definition_id: limits_of(coupon.definition) for coupon in found}
    limited = {pk: limit for pk, limit in bounds.items() if limit.uses}
    if not limited:
        return {}
    counted = limits.counted([limit.offer for limit in limited.values()], place=place)
    return {
        pk: tuple(
            Uses(
                reason=REASONS[dimension],
                used=counted[limit.offer].get(dimension, UNUSED)[0],
                most=most,
            )
            for dimension, most in limit.uses.items()
        )
        for pk, limit in limited.items()
    }


def why_unusable(coupon: Coupon, *, now: datetime) -> pricing.Refusal | None:
    """Return the refusal of a coupon that is not available now, None if it is."""
    reason = _reason(coupon, now=now)
    if reason is None:
        return None
    needed, actual = _measures(coupon, reason, now=now)
    return pricing.Refusal(key=coupon.code, reason=reason, needed=needed, actual=actual)


def _measures(
    coupon: Coupon, reason: str, *, now: datetime
) -> tuple[pricing.PlainMeasure, pricing.PlainMeasure]:
    """Return what is needed and what there is: one use of one, or moments."""
    if reason == "usage-limit-reached":
        return 1, 1
    limit = {"expired": coupon.expires_at, "not-started": coupon.starts_at}.get(reason)
    return (limit.isoformat(), now.isoformat()) if limit is not None else (None, None)


def _reason(coupon: Coupon, *, now: datetime) -> str | None:
    if coupon.status == Status.AVAILABLE:
        if coupon.expires_at <= now:
            return "expired"
        if coupon.starts_at is not None and now < coupon.starts_at:
            return "not-started"
        if coupon.definition.status not in USABLE_WHILE:
            return "disabled"
        return None
    return {
        Status.HELD: "held-by-another-order",
        Status.REDEEMED: "usage-limit-reached",
        Status.EXPIRED: "expired",
    }.get(Status(coupon.status), "disabled")
