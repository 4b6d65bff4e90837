"""Kinds that ask one rule one question: what it earns, what points pay, whether it applies."""

from datetime import UTC, datetime, timedelta
from typing import Any

from loyalty.earning_rules import (
    Condition,
    EarningRule,
    Fixed,
    Multiplier,
    PerAmount,
    Rounding,
    points_by_rules,
)
from loyalty.exchange import Exchange
from loyalty.points_cases.words import (
    Unreadable,
    flag,
    moment,
    number,
    one_of,
    part,
    parts,
    required,
    required_moment,
    type_of,
    whole,
)
from shop.kernel.cases import Case

ROUNDINGS = {
    "floor": Rounding.FLOOR,
    "down": Rounding.FLOOR,
    "round": Rounding.HALF_UP,
    "round_half_up": Rounding.HALF_UP,
    "half_up": Rounding.HALF_UP,
    "round half up": Rounding.HALF_UP,
    "nearest": Rounding.HALF_UP,
    "ceil": Rounding.CEIL,
    "up": Rounding.CEIL,
}
COMMON_WORDS = {"type", "enabled", "stackable", "priority", "starts_at", "ends_at", "condition"}
AMOUNT_WORDS = {
    "per_amount": {"points", "per"},
    "fixed": {"points", "units"},
    "multiplier": {"multiplier"},
}
SECOND = timedelta(seconds=1)


def earning(case: Case) -> tuple[dict[str, Any], str]:
    """Return the points that an amount earns by rules."""
    name = one_of(ROUNDINGS, case.get("rounding") or "floor", "rounding")
    rules = [_rule(rule) for rule in parts(case, "rules")]
    if any(_asks_when(rule.when) for rule in rules):
        required(case, "now")
    now = moment(case, "now")
    points = points_by_rules(
        rules,
        basis_minor=max(whole(case, "basis_minor"), 0),
        order_minor=whole(case, "order_total_minor", whole(case, "basis_minor")),
        rounding=ROUNDINGS[name],
        now=now or datetime(1, 1, 1, tzinfo=UTC),
    )
    return {"points": points}, f"{len(case['rules'])} rules, rounded by {ROUNDINGS[name]}"


def _rule(rule: Any) -> EarningRule:
    kind = type_of(rule, AMOUNT_WORDS, "rule of type")
    words = part(rule, f"the rule {kind}", COMMON_WORDS | AMOUNT_WORDS[kind])
    return EarningRule(
        gives=_amount(words),
        when=_condition(
            words.get("condition") or {},
            starts_at=moment(words, "starts_at"),
            ends_at=moment(words, "ends_at"),
        ),
        is_enabled=flag(words, "enabled", default=True),
        is_stackable=flag(words, "stackable", default=True),
        priority=whole(words, "priority", 0),
    )


def _amount(rule: Case) -> PerAmount | Fixed | Multiplier:
    match rule["type"]:
        case "per_amount":
            return PerAmount(points=number(rule, "points"), per_minor=number(rule, "per"))
        case "fixed":
            return Fixed(points=number(rule, "points"), units=number(rule, "units", 1))
        case _:
            return Multiplier(factor=number(rule, "multiplier"))


def redemption(case: Case) -> tuple[dict[str, Any], str]:
    """Return how many of the requested points pay, and how much."""
    words = {"points", "amount_minor", "min_points", "max_percent_of_order"}
    rule = part(required(case, "rule"), "the rule", words)
    exchange = Exchange(
        points=whole(rule, "points"),
        amount_cents=whole(rule, "amount_minor"),
        min_points=whole(rule, "min_points", 0),
        max_percent=number(rule, "max_percent_of_order", 100),
    )
    points, cents = exchange.pay(
        whole(case, "requested_points"),
        available=whole(case, "balance"),
        order_cents=whole(case, "order_total_minor"),
    )
    return {"points": points, "discount_minor": cents}, f"by {exchange}"


def condition(case: Case) -> tuple[dict[str, Any], str]:
    """Return whether a condition holds."""
    asked = _condition(required(case, "condition"))
    if asked.min_order_minor is not None:
        required(case, "order_total_minor")
    if _asks_when(asked):
        required(case, "at")
    at = required_moment(case, "at") if case.get("at") else datetime(1, 1, 1, tzinfo=UTC)
    satisfied = asked.is_met(order_minor=whole(case, "order_total_minor", 0), at=at)
    return {"satisfied": satisfied}, f"by {asked} at {at:%F %T %a}"


def _condition(
    words: Any, *, starts_at: datetime | None = None, ends_at: datetime | None = None
) -> Condition:
    """Return a condition in our terms: their window includes its last second, ours ends there."""
    known = part(words, "the condition", {"order_total_at_least", "date_window", "iso_weekdays"})
    window = part(known.get("date_window") or {}, "the date window", {"from", "to"})
    last_second = moment(window, "to")
    least = known.get("order_total_at_least")
    return Condition(
        min_order_minor=None if least is None else whole(known, "order_total_at_least"),
        starts_at=moment(window, "from") or starts_at,
        ends_at=_after(last_second) if last_second else ends_at,
        iso_weekdays=_weekdays(known),
    )


def _asks_when(asked: Condition) -> bool:
    return bool(asked.iso_weekdays or asked.starts_at or asked.ends_at)


def _after(last_second: datetime) -> datetime | None:
    """Return the first moment outside; no calendar has one after the last second of all."""
    try:
        return last_second + SECOND
    except OverflowError:
        return None


def _weekdays(known: Case) -> frozenset[int]:
    days = known.get("iso_weekdays") or []
    if not isinstance(days, list) or not all(day in range(1, 8) for day in days):
        raise Unreadable(f"iso_weekdays are 1 to 7, not {days!r}")
    return frozenset(days)
