"""A pricing rule as the offer form types it.

The form knows most effects and the usual conditions. `answers_of` gives a rule's values to the form
and `rule_of` makes the rule of them again; a rule that does not survive the round trip has more
than the form knows, and is only shown.
"""

from datetime import time
from typing import Any

from campaigns.admin import typed_bundles
from campaigns.admin.typed_effects import EFFECT_INPUTS, TYPED_EFFECTS, Answers
from campaigns.pricing import (
    Conditions,
    Hours,
    InvalidRule,
    Limits,
    Rule,
    Scope,
    Stacking,
    parse_rule,
)
from shop.kernel.money import Cents


def rule_of(answers: Answers) -> Rule:
    """Return the rule that these answers describe.

    Raises:
        InvalidRule: they make no sense together.
    """
    typed = TYPED_EFFECTS[answers["kind"]]
    return Rule(
        effect=typed.build(answers),
        scope=Scope(
            products=frozenset(answers["products"]),
            categories=frozenset(answers["categories"]),
            exclude_products=typed_bundles.coded(answers["exclude"], typed_bundles.PRODUCT),
            exclude_categories=typed_bundles.coded(answers["exclude"], typed_bundles.CATEGORY),
        ),
        conditions=Conditions(
            starts_at=answers["starts_at"],
            ends_at=answers["ends_at"],
            members_only=answers["members_only"],
            min_spend_cents=answers["min_spend"] or Cents(0),
            min_quantity=answers["min_quantity"] or 0,
            first_order_only=answers["first_order_only"],
            birthday_month=answers["birthday_month"],
            joined_within_days=answers["joined_within_days"],
            order_types=frozenset(answers["order_types"]),
            stores=frozenset(answers["stores"]),
            hours=_hours(answers),
        ),
        limits=Limits(max_discount_cents=answers["cap"] if typed.takes_cap else None),
        stacking=Stacking(answers["stacking"]),
        priority=answers["priority"],
        exclusive_group=answers["exclusive_group"] or None,
        best_deal=answers["best_deal"],
    )


def answers_of(rule: Rule) -> Answers | None:
    """Return the form's answers for a rule, None when the rule has more than the form knows."""
    typed = TYPED_EFFECTS.get(rule.effect.kind)
    if typed is None:
        return None
    asked, hours = rule.conditions, next(iter(rule.conditions.hours), None)
    answers = dict.fromkeys(EFFECT_INPUTS) | {
        "kind": rule.effect.kind,
        "products": sorted(rule.scope.products),
        "categories": sorted(rule.scope.categories),
        "exclude": typed_bundles.listed(rule.scope.exclude_products, rule.scope.exclude_categories),
        "starts_at": asked.starts_at,
        "ends_at": asked.ends_at,
        "members_only": asked.members_only,
        "min_spend": asked.min_spend_cents or None,
        "min_quantity": asked.min_quantity or None,
        "first_order_only": asked.first_order_only,
        "birthday_month": asked.birthday_month,
        "joined_within_days": asked.joined_within_days,
        "order_types": sorted(asked.order_types),
        "stores": sorted(asked.stores),
        "weekdays": sorted(hours.weekdays) if hours else [],
        "hours_from": hours.starts if hours and hours.starts != hours.ends else None,
        "hours_until": hours.ends if hours and hours.starts != hours.ends else None,
        "stacking": rule.stacking.value,
        "priority": rule.priority,
        "exclusive_group": rule.exclusive_group,
        "best_deal": rule.best_deal,
    }
    if typed.takes_cap:
        answers["cap"] = rule.limits.max_discount_cents
    answers |= typed.read(rule.effect)
    return answers if rule_of(answers) == rule else None


def answers_of_json(data: Any) -> Answers | None:
    """Return the form's answers for a stored rule; None for one the form cannot show."""
    try:
        return answers_of(parse_rule(data))
    except InvalidRule:
        return None


def _hours(answers: Answers) -> tuple[Hours, ...]:
    """Return the weekly window; days without hours are whole days."""
    starts, ends = answers["hours_from"], answers["hours_until"]
    weekdays = frozenset(int(day) for day in answers["weekdays"])
    if starts is None and ends is None and not weekdays:
        return ()
    return (Hours(starts=starts or time(0), ends=ends or time(0), weekdays=weekdays),)
