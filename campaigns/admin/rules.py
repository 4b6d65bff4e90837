"""A pricing rule as the offer form types it, and as a sentence.

The form knows most effects and the usual conditions. `answers_of` gives a rule's values to the form
and `rule_of` makes the rule of them again; a rule that does not survive the round trip has more
than the form knows, and is only shown.
"""

from datetime import time
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

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
from shop.admin.money import yuan
from shop.kernel.money import Cents
from shop.models import OrderType


def rule_of(answers: Answers) -> Rule:
    """Return the rule that these answers describe.

    Raises:
        InvalidRule: they make no sense together.
    """
    typed = TYPED_EFFECTS[answers["kind"]]
    return Rule(
        effect=typed.build(answers),
        scope=Scope(
            products=frozenset(answers["products"]), categories=frozenset(answers["categories"])
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


def describe(data: Any) -> str:
    """Return a stored rule as one line in the language of the request."""
    try:
        rule = parse_rule(data)
    except InvalidRule as fault:
        return str(fault)
    typed = TYPED_EFFECTS.get(rule.effect.kind)
    cap = getattr(rule.effect, "max_discount_cents", None) or rule.limits.max_discount_cents
    parts = [typed.tell(rule.effect) if typed else rule.effect.kind]
    if cap is not None:
        parts.append(_("at most %(amount)s") % {"amount": yuan(cap)})
    return " · ".join([*parts, *_conditions(rule), *_stacking(rule)])


def _conditions(rule: Rule) -> list[str]:
    asked = rule.conditions
    goods = sorted(rule.scope.categories | rule.scope.products)
    found = [
        (_("for %(goods)s") % {"goods": ", ".join(goods)}, goods),
        (_("from %(amount)s") % {"amount": yuan(asked.min_spend_cents)}, asked.min_spend_cents),
        (_("from %(count)d items") % {"count": asked.min_quantity}, asked.min_quantity),
        (_("members only"), asked.members_only),
        (_("first order only"), asked.first_order_only),
        (_("in the month of the birthday"), asked.birthday_month),
        (
            _("for members of at most %(days)s days") % {"days": asked.joined_within_days},
            asked.joined_within_days is not None,
        ),
        (
            ", ".join(str(label) for code, label in OrderType.choices if code in asked.order_types),
            asked.order_types,
        ),
        (_("in %(stores)s") % {"stores": ", ".join(sorted(asked.stores))}, asked.stores),
        *((_window(hours), True) for hours in asked.hours),
        (_("from %(moment)s") % {"moment": _moment(asked.starts_at)}, asked.starts_at),
        (_("until %(moment)s") % {"moment": _moment(asked.ends_at)}, asked.ends_at),
    ]
    return [text for text, is_asked in found if is_asked]


def _stacking(rule: Rule) -> list[str]:
    return [_("not with other offers")] if rule.stacking is Stacking.EXCLUSIVE else []


def _window(hours: Hours) -> str:
    names = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    days = ", ".join(names[day - 1] for day in sorted(hours.weekdays))
    times = "" if hours.starts == hours.ends else f"{hours.starts:%H:%M}–{hours.ends:%H:%M}"
    return " ".join(part for part in (days, times) if part)


def _moment(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d H:i") if moment else ""


def _hours(answers: Answers) -> tuple[Hours, ...]:
    """Return the weekly window; days without hours are whole days."""
    starts, ends = answers["hours_from"], answers["hours_until"]
    weekdays = frozenset(int(day) for day in answers["weekdays"])
    if starts is None and ends is None and not weekdays:
        return ()
    return (Hours(starts=starts or time(0), ends=ends or time(0), weekdays=weekdays),)
