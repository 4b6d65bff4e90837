"""A case as the evaluator is asked it: its cart, its member, its promotions as offers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from campaigns.price_cases.effects import effect_of, scope_words
from campaigns.price_cases.words import Case, NotExpressible, refuse_others, scope_of
from campaigns.pricing import (
    Cart,
    CartLine,
    Conditions,
    Facts,
    InvalidRule,
    Limits,
    Match,
    Offer,
    Rule,
    Scope,
    Situation,
    Stacking,
)
from shop.kernel.money import Cents

__all__ = ["Case", "NotExpressible", "Question", "eligibility_of", "question_of"]

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A case in our types. `rejected` says which codes and promotions became no offer, and why."""

    cart: Cart
    facts: Facts
    offers: tuple[Offer, ...]
    now: datetime
    rejected: dict[str, str]


def question_of(case: Case) -> Question:
    """Return the case in our types.

    Raises:
        NotExpressible: it needs something that we do not have.
    """
    now = _moment(case["now"]) if "now" in case else NOON
    entered = set(case.get("codes", ()))
    promotions = case.get("promotions", [])
    known = {promotion.get("code") for promotion in promotions}
    offers: dict[str, Offer] = {}
    rejected = dict.fromkeys(entered - known, "unknown-code")
    for promotion in promotions:
        if promotion.get("code") in {None, *entered}:
            key = _key(promotion, offers)
            try:
                offers[key] = _offer(_complete(promotion, case), key)
            except _Idle as idle:
                rejected[key] = idle.reason
    return Question(
        cart=_cart(case["cart"], now),
        facts=_facts(case.get("member")),
        offers=tuple(offers.values()),
        now=now,
        rejected={key: reason for key, reason in rejected.items() if key not in offers},
    )


class _Idle(Exception):
    """A promotion that can never give anything, and why not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _key(promotion: Case, taken: dict[str, Offer]) -> str:
    """Return the code, or the id when there is none or an earlier action has the same code."""
    code: str | None = promotion.get("code")
    identifier: str = promotion["id"]
    return identifier if code is None or code in taken else code


def _complete(promotion: Case, case: Case) -> Case:
    """Return the promotion with what its case says for all of them.

    Price-list promotions go with any offer, unless one of them wins alone among themselves.
    """
    price_list = [each for each in case["promotions"] if each.get("layer") == "catalog"]
    return {
        **promotion,
        "semantics": {**case.get("semantics", {}), **promotion.get("semantics", {})},
        "is_price_list": promotion in price_list
        and not any(each.get("stacking") == "exclusive" for each in price_list),
    }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cart(lines: list[Case], now: datetime) -> Cart:
    return Cart(
        lines=tuple(_line(line) for line in lines if line["qty"] > 0),
        store="s1",
        city="c1",
        order_type="pickup",
        local_time=now,
    )


def _line(line: Case) -> CartLine:
    attrs = line.get("attrs", {})
    categories = line.get("category", [])
    return CartLine(
        position=line["line"],
        product=line["sku"],
        category=categories[0] if categories else "",
        other_categories=frozenset(categories[1:]),
        sku=line["sku"],
        unit_price_cents=Cents(line["unit_price_minor"]),
        min_unit_price_cents=Cents(attrs.get("min_unit_price_minor", 0)),
        quantity=line["qty"],
        is_discountable=not attrs.get("not_discountable", False),
        is_reduced=bool(attrs.get("already_discounted", False)),
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


LIMIT_KEYS = {
    "total_limit",
    "total_used",
    "per_member_limit",
    "per_member_used",
    "budget_minor",
    "budget_used_minor",
    "budget_uses",
    "budget_uses_used",
    "max_discount_minor",
    "max_items",
    "max_items_per_line",
    "max_lines",
    "max_applications",
}


def _offer(promotion: Case, key: str) -> Offer:
    if not promotion.get("enabled", True):
        raise _Idle("disabled")
    limits = promotion.get("limits", {})
    refuse_others(limits, LIMIT_KEYS, "limit")
    return Offer(
        key=key,
        name=promotion["id"],
        rule=_rule(promotion, limits),
        total_left=_left(limits, "total_limit", "total_used"),
        member_left=_left(limits, "per_member_limit", "per_member_used"),
        budget_left_cents=_budget_left(limits),
    )


def _rule(promotion: Case, limits: Case) -> Rule:
    """Return the rule; one that we refuse for a number out of range never gives anything."""
    try:
        return Rule(
            effect=effect_of(promotion),
            scope=scope_of(scope_words(promotion)),
            conditions=conditions_of(promotion),
            limits=_limits(limits),
            exclusive_group=promotion.get("exclusive_group"),
            stacking=_stacking(promotion),
            priority=promotion["rank"],
        )
    except InvalidRule as fault:
        if fault.reason == "out-of-range" or fault.pointer.endswith("/tiers"):
            raise _Idle("no-discount-left") from None
        raise NotExpressible(f"a rule that we refuse at {fault.pointer}") from None


def _limits(limits: Case) -> Limits:
    return Limits(
        max_discount_cents=limits.get("max_discount_minor"),
        max_items=limits.get("max_items"),
        max_items_per_line=limits.get("max_items_per_line"),
        max_lines=limits.get("max_lines"),
    )


def _stacking(promotion: Case) -> Stacking:
    """An exclusive promotion keeps out offers, but does not bring back the old price list."""
    if promotion.get("stacking") == "exclusive":
        return Stacking.EXCLUSIVE
    return Stacking.ALWAYS if promotion.get("is_price_list") else Stacking.COMMON


def _left(limits: Case, limit: str, used: str) -> int | None:
    return limits[limit] - limits.get(used, 0) if limit in limits else None


def _budget_left(limits: Case) -> Cents | None:
    """A budget counted in uses is, once used up, a budget without money."""
    uses = _left(limits, "budget_uses", "budget_uses_used")
    if uses is not None and uses <= 0:
        return Cents(0)
    left = _left(limits, "budget_minor", "budget_used_minor")
    return None if left is None else Cents(left)


CONDITION_KEYS = {
    "scope",
    "min_spend_minor",
    "min_spend_strict",
    "max_spend_minor",
    "min_qty",
    "min_distinct_skus",
    "contains_skus",
    "contains_categories",
    "contains_match",
    "nth_order",
    "first_order",
    "member_groups",
    "member_tiers",
    "logged_in",
}


def conditions_of(promotion: Case) -> Conditions:
    """Return when a promotion applies: its conditions and its window.

    Raises:
        NotExpressible, InvalidRule
    """
    asked = promotion.get("conditions", {})
    refuse_others(asked, CONDITION_KEYS, "condition")
    window = promotion.get("window", {})
    return Conditions(
        starts_at=_moment(window["starts_at"]) if window.get("starts_at") else None,
        ends_at=_after(window["ends_at"]) if window.get("ends_at") else None,
        members_only=bool(asked.get("logged_in")),
        tiers=frozenset(asked.get("member_tiers", ())),
        segments=frozenset(asked.get("member_groups", ())),
        first_order_only=bool(asked.get("first_order")),
        nth_order=asked.get("nth_order"),
        contains=_contained(asked),
        contains_match=Match(asked.get("contains_match", Match.ANY)),
        scope=scope_of(asked["scope"]) if "scope" in asked else None,
        min_spend_cents=Cents(
            asked.get("min_spend_minor", 0) + bool(asked.get("min_spend_strict"))
        ),
        max_spend_cents=asked.get("max_spend_minor"),
        min_quantity=asked.get("min_qty", 0),
        min_distinct_products=asked.get("min_distinct_skus", 0),
    )


def _contained(asked: Case) -> Scope | None:
    products = frozenset(asked.get("contains_skus", ()))
    categories = frozenset(asked.get("contains_categories", ()))
    return Scope(products=products, categories=categories) if products or categories else None


def _after(inclusive_end: str) -> datetime:
    """Return the first moment after an end that still belongs to the window."""
    return _moment(inclusive_end) + timedelta(microseconds=1)


def eligibility_of(case: Case) -> tuple[Conditions, Situation]:
    """Return the conditions of a case without promotions, and what they are asked about."""
    question = question_of(case)
    situation = Situation(cart=question.cart, facts=question.facts, now=question.now)
    return conditions_of(case), situation
