"""A case as the evaluator is asked it: its cart, its member, its promotions as offers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, count

from campaigns.price_cases.effects import effect_of, scope_words
from campaigns.price_cases.words import NotExpressible, scope_of
from campaigns.pricing import (
    Cart,
    CartLine,
    Conditions,
    Facts,
    InvalidRule,
    Limits,
    Match,
    Offer,
    Reason,
    Rule,
    Scope,
    Situation,
    Stacking,
    Uses,
    evaluate,
)
from shop.kernel.cases import Case
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
    """Return a well-formed case in our types.

    Raises:
        NotExpressible: it needs something that we do not have.
    """
    now = _moment(case["now"]) if "now" in case else NOON
    cart, facts = _cart(case["cart"], now), _facts(case.get("member"))
    entered = set(case.get("codes", ()))
    promotions = case.get("promotions", [])
    rejected = dict.fromkeys(entered - {each.get("code") for each in promotions}, "unknown-code")
    offers: dict[str, Offer] = {}
    price_list: list[Offer] = []
    for rank, promotion in enumerate(sorted(promotions, key=_turn)):
        if promotion.get("code") not in {None, *entered}:
            continue
        key = _key(promotion, offers)
        try:
            offers[key] = _offer(_complete(promotion, case, rank=rank), key)
        except _Idle as idle:
            rejected[key] = idle.reason
            continue
        if promotion.get("layer") == "catalog":
            price_list.append(offers[key])
    for key, goes_on in _settled(price_list, cart, facts, now):
        if goes_on is None:
            del offers[key]
            rejected[key] = Reason.NOT_STACKABLE
        else:
            offers[key] = goes_on
    return Question(
        cart=cart,
        facts=facts,
        offers=tuple(offers.values()),
        now=now,
        rejected={key: reason for key, reason in rejected.items() if key not in offers},
    )


class _Idle(Exception):
    """A promotion that can never give anything, and why not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _turn(promotion: Case) -> tuple[bool, int]:
    """Return when it is a promotion's turn: the price list's first; as written, of equal ranks."""
    return (promotion.get("layer") != "catalog", promotion["rank"])


def _key(promotion: Case, taken: Mapping[str, Offer]) -> str:
    """Return the code, or the id when there is none or an earlier action has the same code."""
    named: list[str | None] = [promotion.get("code"), promotion["id"]]
    numbered = (f"{promotion['id']}#{number}" for number in count(2))
    free = (key for key in chain(named, numbered) if key is not None and key not in taken)
    return next(free)


def _complete(promotion: Case, case: Case, *, rank: int) -> Case:
    """Return the promotion with its place among all, and with what its case says for all."""
    semantics = {**case.get("semantics", {}), **promotion.get("semantics", {})}
    return {**promotion, "semantics": semantics, "rank": rank}


def _settled(
    price_list: Sequence[Offer], cart: Cart, facts: Facts, now: datetime
) -> Iterator[tuple[str, Offer | None]]:
    """Yield what becomes of the price list's promotions: they go with any other, or not at all.

    Exclusive ones win among themselves, since the price list is the price that others start from.
    """
    refusals = evaluate(cart, facts, price_list, now).refusals
    out = {refusal.key for refusal in refusals if refusal.reason == Reason.NOT_STACKABLE}
    for offer in price_list:
        rule = replace(offer.rule, stacking=Stacking.ALWAYS)
        yield offer.key, None if offer.key in out else replace(offer, rule=rule)


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


def _offer(promotion: Case, key: str) -> Offer:
    if not promotion.get("enabled", True):
        raise _Idle("disabled")
    limits = promotion.get("limits", {})
    return Offer(
        key=key,
        name=promotion["id"],
        rule=_rule(promotion, limits),
        uses=tuple(_uses(limits)),
        budget_left_cents=_budget_left(limits),
    )


def _rule(promotion: Case, limits: Case) -> Rule:
    """Return the rule; one that we refuse for a number out of range never gives anything."""
    try:
        return Rule(
            effect=effect_of(promotion),
            scope=scope_of(scope_words(promotion)),
            conditions=conditions_of(promotion),
            limits=_limits(limits) if promotion["type"] != "gift_item" else Limits(),
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
    is_exclusive = promotion["stacking"] == "exclusive"
    return Stacking.EXCLUSIVE if is_exclusive else Stacking.COMMON


def _uses(limits: Case) -> Iterator[Uses]:
    for limit, reason in (
        ("total", Reason.USAGE_LIMIT_REACHED),
        ("per_member", Reason.PER_MEMBER_LIMIT_REACHED),
    ):
        if f"{limit}_limit" in limits:
            used = limits.get(f"{limit}_used", 0)
            yield Uses(reason=reason, used=used, most=limits[f"{limit}_limit"])


def _left(limits: Case, limit: str, used: str) -> int | None:
    return limits[limit] - limits.get(used, 0) if limit in limits else None


def _budget_left(limits: Case) -> Cents | None:
    """A budget counted in uses is, once used up, a budget without money."""
    uses = _left(limits, "budget_uses", "budget_uses_used")
    if uses is not None and uses <= 0:
        return Cents(0)
    left = _left(limits, "budget_minor", "budget_used_minor")
    return None if left is None else Cents(left)


def conditions_of(promotion: Case) -> Conditions:
    """Return when a promotion applies: its conditions and its window.

    Raises:
        InvalidRule
    """
    asked = promotion.get("conditions", {})
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


def _after(inclusive_end: str) -> datetime | None:
    """Return the first moment after an end that still belongs to the window; None is never."""
    try:
        return _moment(inclusive_end) + timedelta(microseconds=1)
    except OverflowError:
        return None


def eligibility_of(case: Case) -> tuple[Conditions, Situation]:
    """Return the conditions of a case without promotions, and what they are asked about."""
    question = question_of(case)
    situation = Situation(cart=question.cart, facts=question.facts, now=question.now)
    return conditions_of(case), situation
