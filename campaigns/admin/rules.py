"""A pricing rule as the coupon form types it, and as a sentence.

The form knows four effects and the usual conditions. `answers_of` gives a rule's values to the form
and `rule_of` makes the rule of them again; a rule that does not survive the round trip has more
than the form knows, and is only shown.
"""

from datetime import time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from campaigns.pricing import (
    BuyXGetY,
    Conditions,
    Effect,
    FixedOff,
    Hours,
    InvalidRule,
    Limits,
    NthItemPercent,
    PercentOff,
    Rule,
    Scope,
    Stacking,
    parse_rule,
)
from shop.admin.money import yuan
from shop.kernel.money import Cents

Answers = dict[str, Any]
BASIS_POINTS_PER_PERCENT = 100
NEEDED: dict[str, tuple[str, ...]] = {
    PercentOff.kind: ("percent",),
    FixedOff.kind: ("amount",),
    BuyXGetY.kind: ("buy_quantity", "get_quantity"),
    NthItemPercent.kind: ("nth", "percent"),
}
"""The kinds of offer the form knows, with the answers each cannot do without."""


def rule_of(answers: Answers) -> Rule:
    """Return the rule that these answers describe.

    Raises:
        InvalidRule: they make no sense together.
    """
    effect = _effect(answers)
    has_own_cap = isinstance(effect, PercentOff)
    return Rule(
        effect=effect,
        scope=Scope(
            products=frozenset(answers["products"]), categories=frozenset(answers["categories"])
        ),
        conditions=Conditions(
            min_spend_cents=answers["min_spend"] or Cents(0),
            min_quantity=answers["min_quantity"] or 0,
            first_order_only=answers["first_order_only"],
            stores=frozenset(answers["stores"]),
            hours=_hours(answers),
        ),
        limits=Limits(max_discount_cents=None if has_own_cap else answers["cap"]),
        stacking=Stacking(answers["stacking"]),
        priority=answers["priority"],
    )


def answers_of(rule: Rule) -> Answers | None:
    """Return the form's answers for a rule, None when the rule has more than the form knows."""
    asked, hours = rule.conditions, next(iter(rule.conditions.hours), None)
    answers = _effect_answers(rule.effect) | {
        "products": sorted(rule.scope.products),
        "categories": sorted(rule.scope.categories),
        "min_spend": asked.min_spend_cents or None,
        "min_quantity": asked.min_quantity or None,
        "first_order_only": asked.first_order_only,
        "stores": sorted(asked.stores),
        "weekdays": sorted(hours.weekdays) if hours else [],
        "hours_from": hours.starts if hours and hours.starts != hours.ends else None,
        "hours_until": hours.ends if hours and hours.starts != hours.ends else None,
        "stacking": rule.stacking.value,
        "priority": rule.priority,
    }
    if not isinstance(rule.effect, PercentOff):
        answers["cap"] = rule.limits.max_discount_cents
    return answers if answers["kind"] in NEEDED and rule_of(answers) == rule else None


def answers_of_json(data: Any) -> Answers | None:
    """Return the form's answers for a stored rule; None for one the form cannot show."""
    try:
        return answers_of(parse_rule(data))
    except InvalidRule:
        return None


def describe(data: Any) -> str:
    """Return a stored rule as one line in the language of the request."""
    try:
        rule = parse_rule(data)
    except InvalidRule as fault:
        return str(fault)
    asked = rule.conditions
    cap = getattr(rule.effect, "max_discount_cents", None) or rule.limits.max_discount_cents
    parts = [_describe_effect(rule.effect)]
    if cap is not None:
        parts.append(_("at most %(amount)s") % {"amount": yuan(cap)})
    if asked.min_spend_cents:
        parts.append(_("from %(amount)s") % {"amount": yuan(asked.min_spend_cents)})
    if asked.first_order_only:
        parts.append(_("first order only"))
    if asked.stores:
        parts.append(_("in %(stores)s") % {"stores": ", ".join(sorted(asked.stores))})
    return " · ".join(parts)


def _effect(answers: Answers) -> Effect:
    basis_points = int((answers["percent"] or Decimal(0)) * BASIS_POINTS_PER_PERCENT)
    match answers["kind"]:
        case PercentOff.kind:
            return PercentOff(percent_bp=basis_points, max_discount_cents=answers["cap"])
        case FixedOff.kind:
            return FixedOff(amount_cents=answers["amount"])
        case BuyXGetY.kind:
            return BuyXGetY(
                buy_quantity=answers["buy_quantity"],
                get_quantity=answers["get_quantity"],
                max_applications=answers["max_applications"],
            )
    return NthItemPercent(
        nth=answers["nth"],
        percent_bp=basis_points,
        max_applications=answers["max_applications"],
    )


def _effect_answers(effect: Effect) -> Answers:
    def given(name: str) -> Any:
        return getattr(effect, name, None)

    basis_points = given("percent_bp") if not isinstance(effect, BuyXGetY) else None
    return {
        "kind": effect.kind,
        "percent": Decimal(basis_points) / BASIS_POINTS_PER_PERCENT if basis_points else None,
        "amount": given("amount_cents"),
        "cap": given("max_discount_cents"),
        "buy_quantity": given("buy_quantity"),
        "get_quantity": given("get_quantity"),
        "nth": given("nth"),
        "max_applications": given("max_applications"),
    }


def _hours(answers: Answers) -> tuple[Hours, ...]:
    """Return the weekly window; days without hours are whole days."""
    starts, ends = answers["hours_from"], answers["hours_until"]
    weekdays = frozenset(int(day) for day in answers["weekdays"])
    if starts is None and ends is None and not weekdays:
        return ()
    return (Hours(starts=starts or time(0), ends=ends or time(0), weekdays=weekdays),)


def _describe_effect(effect: Effect) -> str:
    match effect:
        case PercentOff():
            return _("%(percent)s%% off") % {"percent": _percent(effect.percent_bp)}
        case FixedOff():
            return _("%(amount)s off") % {"amount": yuan(effect.amount_cents)}
        case BuyXGetY():
            counts = {"buy": effect.buy_quantity, "get": effect.get_quantity}
            return _("buy %(buy)s, get %(get)s") % counts
        case NthItemPercent():
            which = {"nth": effect.nth, "percent": _percent(effect.percent_bp)}
            return _("item no. %(nth)s %(percent)s%% off") % which
    return effect.kind


def _percent(basis_points: int) -> str:
    return f"{Decimal(basis_points) / BASIS_POINTS_PER_PERCENT:g}"
