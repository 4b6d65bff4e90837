"""Promotions: which run, what is left of them, and their uses on orders. Their only writer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.utils.translation import get_language

from campaigns import limits, pricing
from campaigns.limits import REASONS, UNUSED, Dimension, Limits, Place, Use
from campaigns.models import Promotion, PromotionUse
from campaigns.pricing import Uses
from shop.kernel import rows
from shop.kernel.money import Cents
from shop.kernel.versions import Copies
from shop.models import Order

PREFIX = "promotion:"
"""What the evaluator's keys of promotions begin with; no coupon's code has a colon."""
LIMITS: dict[str, str] = {
    Dimension.TOTAL: "uses_total",
    Dimension.MEMBER: "uses_per_member",
    Dimension.STORE: "uses_per_store",
    Dimension.DAY: "uses_per_day",
    Dimension.WEEK: "uses_per_week",
    Dimension.MONTH: "uses_per_month",
}
"""For each dimension: the column of its limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningPromotion:
    """An active promotion, as the evaluator knows it, with what its uses are counted against."""

    id: int
    code: str
    offer: pricing.Offer
    limits: Limits
    is_repriced: bool = False
    """Whether a partial return prices the rest anew."""


def running(place: Place, *, version: int | None = None) -> Sequence[RunningPromotion]:
    """Return every active promotion with what is left of its limits here.

    With the version of the promotions, copies of that version serve. What is limited is counted in
    one statement; where nothing is, none is needed.
    """
    is_chinese = (get_language() or "").startswith("zh")
    kept = _kept.of(version)
    active = kept.get(is_chinese)
    if active is None:
        name = "name_zh" if is_chinese else "name_en"
        found = rows.select_dicts(_ACTIVE_SQL, {})
        active = kept[is_chinese] = [_promotion(row, name=row[name]) for row in found]
    limited = [promotion.limits.offer for promotion in active if promotion.limits.dimensions]
    if not limited:
        return active
    counters = limits.counted(limited, place=place)
    return [
        _as_left(promotion, counters[promotion.limits.offer])
        if promotion.limits.dimensions
        else promotion
        for promotion in active
    ]


@transaction.atomic(savepoint=False)
def use(
    order: Order,
    applied: Sequence[tuple[RunningPromotion, Cents]],
    *,
    place: Place,
    now: datetime,
) -> None:
    """Record what was applied to a new order, and count it.

    The use stands from the moment the order is placed, so nobody who pays is refused for it.

    Raises:
        limits.OfferLimitReached: another order was faster.
    """
    rows.insert(
        *(
            PromotionUse(
                promotion_id=promotion.id,
                order=order,
                discount_cents=discount,
                repriced_by=(
                    pricing.offer_rule_to_json(promotion.offer.rule)
                    if promotion.is_repriced
                    else None
                ),
                used_at=now,
            )
            for promotion, discount in applied
        )
    )
    limits.take(
        [Use(limits=promotion.limits, discount_cents=discount) for promotion, discount in applied],
        place=place,
    )


@transaction.atomic(savepoint=False)
def release(order: Order, *, now: datetime) -> None:
    """Take back the uses of an order that was cancelled, or refunded whole."""
    standing = list(
        PromotionUse.objects.select_related("promotion", "order__store")
        .filter(order=order, released_at=None)
        .select_for_update(of=("self",))
        .order_by("promotion_id")
    )
    for row in standing:
        row.released_at = now
        row.save(update_fields=["released_at"])
        taken = Use(limits=limits_of(row.promotion), discount_cents=row.discount_cents)
        limits.give_back([taken], place=_place_of(row))


def repriced(order: Order) -> Iterator[tuple[str, pricing.Rule]]:
    """Yield the promotions on an order that a partial return prices anew, with their rules then."""
    uses = PromotionUse.objects.filter(
        order=order, released_at=None, repriced_by__isnull=False
    ).values_list("promotion__code", "repriced_by")
    for code, rule in uses:
        yield code, pricing.parse_rule(rule)


def limits_of(promotion: Promotion) -> Limits:
    """Return what a promotion's uses are counted against."""
    most = {dimension: getattr(promotion, column) for dimension, column in LIMITS.items()}
    return Limits(
        offer=f"{PREFIX}{promotion.pk}",
        uses={dimension: count for dimension, count in most.items() if count is not None},
        budget_cents=promotion.budget_cents,
    )


@transaction.atomic
def recount(promotion: Promotion) -> None:
    """Write the counters anew from the standing uses: when a limit comes or goes, or to repair.

    The lock lets uses that have begun commit first, and makes others wait, of every promotion and
    for as long as the counting takes. A lock of the promotion would not do: who uses it meets that
    only at the commit, where foreign keys are checked, and has the counters by then.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE campaigns_promotionuse IN SHARE ROW EXCLUSIVE MODE")
    standing = promotion.uses.filter(released_at=None).select_related("order__store").iterator()
    limits.recount(limits_of(promotion), ((_place_of(row), row.discount_cents) for row in standing))


def _place_of(use: PromotionUse) -> Place:
    order = use.order
    return limits.place_of(order.store, member_id=order.member_id, now=use.used_at)


_kept: Copies[bool, list[RunningPromotion]] = Copies(at_most=2)
"""The active promotions with their names in English or, by True, in Chinese; as if unused."""


def _promotion(row: Mapping[str, Any], *, name: str) -> RunningPromotion:
    most: dict[str, int] = {
        dimension: row[column] for dimension, column in LIMITS.items() if row[column] is not None
    }
    return RunningPromotion(
        id=row["id"],
        code=row["code"],
        offer=pricing.Offer(
            key=PREFIX + row["code"], name=name, rule=_rule(row["rule"], Dimension.MEMBER in most)
        ),
        limits=Limits(offer=f"{PREFIX}{row['id']}", uses=most, budget_cents=row["budget_cents"]),
        is_repriced=row["partial_return"] == Promotion.PartialReturn.REPRICE,
    )


def _as_left(promotion: RunningPromotion, used: Mapping[str, tuple[int, int]]) -> RunningPromotion:
    """Return a limited promotion with what was used of it, by dimension, and what is left."""
    bounds = promotion.limits
    uses = tuple(
        Uses(reason=REASONS[dimension], used=used.get(dimension, UNUSED)[0], most=count)
        for dimension, count in bounds.uses.items()
    )
    budget_left = None
    if bounds.budget_cents is not None:
        spent = used.get(Dimension.TOTAL, UNUSED)[1]
        budget_left = Cents(max(bounds.budget_cents - spent, 0))
    offer = replace(promotion.offer, uses=uses, budget_left_cents=budget_left)
    return replace(promotion, offer=offer)


@lru_cache(maxsize=1024)
def _rule(text: str, is_limited_by_member: bool) -> pricing.Rule:  # noqa: FBT001 - private, cached
    """Return the rule of a stored text, parsed once; what is counted by member is for members."""
    rule = pricing.parse_rule(json.loads(text))
    if is_limited_by_member and not rule.conditions.members_only:
        rule = replace(rule, conditions=replace(rule.conditions, members_only=True))
    return rule


_ACTIVE_SQL = """
SELECT id, code, name_zh, name_en, rule::text, partial_return, budget_cents,
       uses_total, uses_per_member, uses_per_store, uses_per_day, uses_per_week, uses_per_month
FROM campaigns_promotion WHERE status = 'active' ORDER BY id
"""
