"""Price cases of other projects, put into our types.

The files in `promotions/` are taken over unchanged, each case with its source and licence. A case
that our offers cannot say yet raises NotExpressible with the word that is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from campaigns.pricing import (
    BundlePart,
    BundlePrice,
    BuyXGetY,
    Cart,
    CartLine,
    CheapestFree,
    Conditions,
    Effect,
    Facts,
    FixedOff,
    FixedOffEach,
    FixedTier,
    InvalidRule,
    Limits,
    Measured,
    NthItemPercent,
    Offer,
    PercentOff,
    PercentTier,
    PriceOrder,
    Rule,
    Scope,
    Stacking,
    TieredFixedOff,
    TieredPercentOff,
    UnitPrice,
)
from shop.kernel.money import Cents

Case = Mapping[str, Any]
NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


class NotExpressible(Exception):
    """Our offers have no words for this case yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A case as the evaluator is asked it, and the codes that no promotion has."""

    cart: Cart
    facts: Facts
    offers: tuple[Offer, ...]
    now: datetime
    unknown_codes: frozenset[str]


def question_of(case: Case) -> Question:
    """Return the case in our types.

    Raises:
        NotExpressible: it needs something that we do not have.
    """
    entered = set(case.get("codes", ()))
    known = {promotion.get("code") for promotion in case["promotions"]}
    discounted = frozenset(
        line["sku"] for line in case["cart"] if line.get("attrs", {}).get("already_discounted")
    )
    now = datetime.fromisoformat(case["now"]) if "now" in case else NOON
    return Question(
        cart=_cart(case["cart"], now),
        facts=_facts(case.get("member")),
        offers=tuple(
            _valid_offer(_complete(promotion, case), discounted)
            for promotion in case["promotions"]
            if promotion.get("enabled", True) and promotion.get("code") in {None, *entered}
        ),
        now=now,
        unknown_codes=frozenset(entered - known),
    )


def _complete(promotion: Case, case: Case) -> Case:
    """Return the promotion with what its case says for all of them."""
    return {"bundle_pick": case["semantics"].get("bundle_pick", "dearest_first"), **promotion}


def _cart(lines: list[Case], now: datetime) -> Cart:
    return Cart(
        lines=tuple(_line(line) for line in lines),
        store="s1",
        city="c1",
        order_type="pickup",
        local_time=now,
    )


def _line(line: Case) -> CartLine:
    attrs = line.get("attrs", {})
    if "min_unit_price_minor" in attrs:
        raise NotExpressible("a floor under the price of a unit")
    categories = line.get("category", [])
    if len(categories) > 1:
        raise NotExpressible("a line in several categories")
    return CartLine(
        position=line["line"],
        product=line["sku"],
        category=categories[0] if categories else "",
        sku=line["sku"],
        unit_price_cents=Cents(line["unit_price_minor"]),
        quantity=line["qty"],
        is_discountable=not attrs.get("not_discountable", False),
    )


def _facts(member: Case | None) -> Facts:
    if member is None:
        return Facts()
    return Facts(
        member=None if member.get("guest") else "m1",
        order_count=member.get("past_orders", 0),
        tier=member.get("tier"),
        segments=frozenset(member.get("groups", ())),
    )


def _valid_offer(promotion: Case, discounted: frozenset[str]) -> Offer:
    try:
        return _offer(promotion, discounted)
    except InvalidRule as fault:
        raise NotExpressible(f"a rule that we refuse at {fault.pointer}") from None


def _offer(promotion: Case, discounted: frozenset[str]) -> Offer:
    limits = promotion.get("limits", {})
    rule = Rule(
        effect=_effect(promotion, limits),
        scope=_scope(_discounted_scope(promotion), discounted),
        conditions=_conditions(promotion, discounted),
        limits=Limits(
            max_discount_cents=limits.get("max_discount_minor"),
            max_items=limits.get("max_items"),
            max_items_per_line=limits.get("max_items_per_line"),
        ),
        exclusive_group=promotion.get("exclusive_group"),
        stacking=Stacking.EXCLUSIVE if promotion["stacking"] == "exclusive" else Stacking.COMMON,
        priority=promotion["rank"],
    )
    return Offer(
        key=promotion.get("code", promotion["id"]),
        name=promotion["id"],
        rule=rule,
        total_left=_left(limits, "total_limit", "total_used"),
        member_left=_left(limits, "per_member_limit", "per_member_used"),
        budget_left_cents=_budget_left(limits),
    )


def _left(limits: Case, limit: str, used: str) -> int | None:
    return limits[limit] - limits.get(used, 0) if limit in limits else None


def _budget_left(limits: Case) -> Cents | None:
    """A budget counted in uses is, once used up, a budget without money."""
    if _left(limits, "budget_uses", "budget_uses_used") == 0:
        return Cents(0)
    left = _left(limits, "budget_minor", "budget_used_minor")
    return None if left is None else Cents(left)


def _discounted_scope(promotion: Case) -> Case:
    is_got = promotion["type"] == "buy_x_get_y"
    scope: Case = promotion["get"]["scope"] if is_got else promotion.get("scope", {"all": True})
    return scope


SCOPE_KEYS = {
    "all",
    "skus",
    "categories",
    "exclude_skus",
    "exclude_categories",
    "price_min_minor",
    "price_max_minor",
    "exclude_discounted",
}


def _scope(scope: Case, discounted: frozenset[str] = frozenset()) -> Scope:
    _refuse_others(scope, SCOPE_KEYS, "scope")
    if scope in ({"skus": []}, {"categories": []}):
        raise NotExpressible("a scope of nothing")
    left_out = discounted if scope.get("exclude_discounted") else frozenset()
    return Scope(
        products=frozenset(scope.get("skus", ())),
        categories=frozenset(scope.get("categories", ())),
        exclude_products=frozenset(scope.get("exclude_skus", ())) | left_out,
        exclude_categories=frozenset(scope.get("exclude_categories", ())),
        min_price_cents=scope.get("price_min_minor"),
        max_price_cents=scope.get("price_max_minor"),
    )


CONDITION_KEYS = {
    "scope",
    "min_spend_minor",
    "min_spend_strict",
    "min_qty",
    "contains_skus",
    "contains_categories",
    "nth_order",
    "first_order",
    "member_groups",
    "member_tiers",
    "logged_in",
}


def _conditions(promotion: Case, discounted: frozenset[str]) -> Conditions:
    asked = promotion.get("conditions", {})
    _refuse_others(asked, CONDITION_KEYS, "condition")
    window = promotion.get("window", {})
    contained = {
        "skus": asked.get("contains_skus", ()),
        "categories": asked.get("contains_categories", ()),
    }
    return Conditions(
        starts_at=datetime.fromisoformat(window["starts_at"]) if "starts_at" in window else None,
        ends_at=_after(window["ends_at"]) if "ends_at" in window else None,
        members_only=asked.get("logged_in", False),
        tiers=frozenset(asked.get("member_tiers", ())),
        segments=frozenset(asked.get("member_groups", ())),
        first_order_only=asked.get("first_order", False),
        nth_order=asked.get("nth_order"),
        contains=_scope(contained) if any(contained.values()) else None,
        scope=_scope(asked["scope"], discounted) if "scope" in asked else None,
        min_spend_cents=Cents(
            asked.get("min_spend_minor", 0) + bool(asked.get("min_spend_strict"))
        ),
        min_quantity=asked.get("min_qty", 0),
    )


def _after(inclusive_end: str) -> datetime:
    """Return the first moment after an end that still belongs to the window."""
    return datetime.fromisoformat(inclusive_end) + timedelta(microseconds=1)


def _effect(promotion: Case, limits: Case) -> Effect:
    make = EFFECTS.get(promotion["type"])
    if make is None:
        raise NotExpressible(f"type {promotion['type']}")
    return make(promotion, limits)


def _basis_points(percent: float) -> int:
    basis_points = round(percent * 100)
    if basis_points != percent * 100:
        raise NotExpressible("a share finer than a basis point")
    return basis_points


ORDERS = {"price_asc": PriceOrder.CHEAPEST_FIRST, "price_desc": PriceOrder.DEAREST_FIRST}


def _percent_tiers(promotion: Case, _: Case) -> Effect:
    tiers = [(0, promotion.get("base_value", 0)), *promotion["tiers"]]
    return TieredPercentOff(
        tiers=tuple(
            PercentTier(threshold=threshold, percent_bp=_basis_points(value))
            for threshold, value in tiers
            if value
        ),
        by=_measured(promotion),
    )


def _fixed_tiers(promotion: Case, _: Case) -> Effect:
    tiers = [(0, promotion.get("base_value", 0)), *promotion["tiers"]]
    return TieredFixedOff(
        tiers=tuple(
            FixedTier(threshold=threshold, amount_cents=Cents(value))
            for threshold, value in tiers
            if value
        ),
        by=_measured(promotion),
    )


def _measured(promotion: Case) -> Measured:
    return Measured.QUANTITY if promotion.get("tier_by") == "qty" else Measured.SPEND


def _buy_x_get_y(promotion: Case, limits: Case) -> Effect:
    buy, get = promotion["buy"], promotion["get"]
    if "qty" not in buy:
        raise NotExpressible("buy_x_get_y by spend")
    return BuyXGetY(
        buy_quantity=buy["qty"],
        get_quantity=get["qty"],
        percent_bp=_basis_points(get.get("percent", 100)),
        buy_scope=_scope(buy["scope"]),
        max_applications=limits.get("max_applications"),
    )


def _nth_item_percent(promotion: Case, limits: Case) -> Effect:
    if "group_qty" not in promotion:
        raise NotExpressible("every nth item in cart order")
    return NthItemPercent(
        nth=promotion["n"],
        percent_bp=_basis_points(promotion["value"]),
        group_quantity=promotion["group_qty"],
        group_order=ORDERS[promotion.get("group_order", "price_asc")],
        item_order=ORDERS[promotion.get("item_order", "price_asc")],
        is_pooled=promotion.get("pick") == "pooled",
        max_applications=limits.get("max_applications"),
    )


def _bundle_price(promotion: Case, limits: Case) -> Effect:
    return BundlePrice(
        parts=tuple(
            BundlePart(scope=_scope(part["scope"]), quantity=part["qty"])
            for part in promotion["components"]
        ),
        price_cents=Cents(promotion["value"]),
        pick=PriceOrder(promotion["bundle_pick"]),
        max_applications=limits.get("max_applications"),
    )


def _cheapest_free(promotion: Case, _: Case) -> Effect:
    return CheapestFree(
        free_quantity=promotion.get("free_qty", 1),
        percent_bp=_basis_points(promotion.get("percent", 100)),
        group_quantity=promotion.get("group_qty"),
    )


EFFECTS: Mapping[str, Callable[[Case, Case], Effect]] = {
    "percent": lambda promotion, _: PercentOff(percent_bp=_basis_points(promotion["value"])),
    "fixed_order": lambda promotion, _: FixedOff(amount_cents=Cents(promotion["value"])),
    "fixed_per_item": lambda promotion, _: FixedOffEach(amount_cents=Cents(promotion["value"])),
    "set_unit_price": lambda promotion, _: UnitPrice(price_cents=Cents(promotion["value"])),
    "buy_x_get_y": _buy_x_get_y,
    "nth_item_percent": _nth_item_percent,
    "bundle_price": _bundle_price,
    "cheapest_free": _cheapest_free,
    "tiered_percent": _percent_tiers,
    "tiered_fixed_order": _fixed_tiers,
}


def _refuse_others(found: Case, known: set[str], what: str) -> None:
    for word in found.keys() - known:
        raise NotExpressible(f"{what} {word}")
