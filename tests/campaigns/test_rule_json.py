"""The JSON form of rules: what it looks like, and where it points when it is wrong."""

from datetime import time, timedelta
from typing import Any

import pytest

from campaigns.pricing import (
    Conditions,
    FixedOff,
    Hours,
    InvalidRule,
    Limits,
    PercentOff,
    Rule,
    Scope,
    Stacking,
    offer_rule_to_json,
    parse_rule,
)
from shop.kernel.money import Cents
from tests.campaigns.samples import NOON

PERCENT = {"kind": "percent_off", "percent_bp": 1200}
EVENING = {"starts": "18:00", "ends": "02:00"}


def rule(**parts: Any) -> dict[str, Any]:
    return {"version": 1, "effect": PERCENT, **parts}


def test_a_rule_is_written_without_its_defaults() -> None:
    written = offer_rule_to_json(
        Rule(
            effect=PercentOff(percent_bp=1200, max_discount_cents=Cents(800)),
            scope=Scope(categories=frozenset({"milk_tea", "fruit_tea"})),
            conditions=Conditions(
                starts_at=NOON,
                hours=(Hours(starts=time(18), ends=time(2), weekdays=frozenset({6, 5})),),
            ),
            limits=Limits(max_items=3),
            stacking=Stacking.EXCLUSIVE,
        )
    )

    assert written == {
        "version": 1,
        "effect": {"kind": "percent_off", "percent_bp": 1200, "max_discount_cents": 800},
        "scope": {"categories": ["fruit_tea", "milk_tea"]},
        "conditions": {
            "starts_at": "2026-06-18T12:00:00+08:00",
            "hours": [{"starts": "18:00:00", "ends": "02:00:00", "weekdays": [5, 6]}],
        },
        "limits": {"max_items": 3},
        "stacking": "exclusive",
        "exclusive_group": None,
        "priority": 100,
        "best_deal": False,
    }


def test_only_version_and_effect_must_be_given() -> None:
    parsed = parse_rule({"version": 1, "effect": {"kind": "fixed_off", "amount_cents": 500}})

    assert parsed == Rule(effect=FixedOff(amount_cents=Cents(500)))


@pytest.mark.parametrize(
    ("data", "pointer", "reason"),
    [
        ([], "", "wrong-type"),
        ({}, "/version", "unsupported-version"),
        ({"version": 2}, "/version", "unsupported-version"),
        ({"version": True}, "/version", "unsupported-version"),
        ({"version": 1}, "/effect", "missing"),
        (rule(effect="percent_off"), "/effect", "wrong-type"),
        (rule(effect={}), "/effect/kind", "unknown-kind"),
        (rule(effect={"kind": 1}), "/effect/kind", "unknown-kind"),
        (rule(effect={"kind": "gift"}), "/effect/kind", "unknown-kind"),
        (rule(effect={"kind": "percent_off"}), "/effect/percent_bp", "missing"),
        (rule(effect=PERCENT | {"percent_bp": 0}), "/effect/percent_bp", "out-of-range"),
        (rule(effect=PERCENT | {"percent_bp": 10_001}), "/effect/percent_bp", "out-of-range"),
        (rule(effect=PERCENT | {"percent_bp": 12.5}), "/effect/percent_bp", "wrong-type"),
        (rule(effect=PERCENT | {"percent_bp": True}), "/effect/percent_bp", "wrong-type"),
        (rule(effect=PERCENT | {"percent_bp": "1200"}), "/effect/percent_bp", "wrong-type"),
        (rule(effect=PERCENT | {"percent": 12}), "/effect/percent", "unknown-key"),
        (
            rule(effect=PERCENT | {"max_discount_cents": 0}),
            "/effect/max_discount_cents",
            "out-of-range",
        ),
        (rule(extra=1), "/extra", "unknown-key"),
        (rule(**{"a/b~c": 1}), "/a~1b~0c", "unknown-key"),
        (rule(scope=None), "/scope", "wrong-type"),
        (rule(scope={"products": "MT01"}), "/scope/products", "wrong-type"),
        (rule(scope={"products": ["MT01", 2]}), "/scope/products/1", "wrong-type"),
        (rule(scope={"min_price_cents": -1}), "/scope/min_price_cents", "out-of-range"),
        (
            rule(scope={"min_price_cents": 900, "max_price_cents": 800}),
            "/scope/max_price_cents",
            "out-of-range",
        ),
        (rule(scope={"portion": "half"}), "/scope/portion", "out-of-range"),
        (rule(conditions={"first_order_only": 1}), "/conditions/first_order_only", "wrong-type"),
        (rule(conditions={"nth_order": 0}), "/conditions/nth_order", "out-of-range"),
        (rule(conditions={"min_spend_cents": -1}), "/conditions/min_spend_cents", "out-of-range"),
        (rule(conditions={"starts_at": "soon"}), "/conditions/starts_at", "out-of-range"),
        (rule(conditions={"starts_at": 5}), "/conditions/starts_at", "wrong-type"),
        (
            rule(conditions={"starts_at": "2026-06-18T12:00:00"}),
            "/conditions/starts_at",
            "wrong-type",
        ),
        (
            rule(
                conditions={
                    "starts_at": NOON.isoformat(),
                    "ends_at": (NOON - timedelta(hours=1)).isoformat(),
                }
            ),
            "/conditions/ends_at",
            "out-of-range",
        ),
        (rule(conditions={"hours": EVENING}), "/conditions/hours", "wrong-type"),
        (
            rule(conditions={"hours": [EVENING, EVENING | {"starts": "25:00"}]}),
            "/conditions/hours/1/starts",
            "out-of-range",
        ),
        (
            rule(conditions={"hours": [EVENING | {"ends": "02:00+08:00"}]}),
            "/conditions/hours/0/ends",
            "wrong-type",
        ),
        (
            rule(conditions={"hours": [EVENING | {"weekdays": [0]}]}),
            "/conditions/hours/0/weekdays",
            "out-of-range",
        ),
        (rule(conditions={"hours": [{"starts": "18:00"}]}), "/conditions/hours/0/ends", "missing"),
        (
            rule(conditions={"contains": {"product": []}}),
            "/conditions/contains/product",
            "unknown-key",
        ),
        (rule(limits={"max_items": 0}), "/limits/max_items", "out-of-range"),
        (
            rule(effect={"kind": "free_item"}, limits={"max_items": 1}),
            "/limits/max_items",
            "not-applicable",
        ),
        (rule(stacking="never"), "/stacking", "out-of-range"),
        (rule(priority="first"), "/priority", "wrong-type"),
        (
            rule(effect={"kind": "bundle_price", "parts": [], "price_cents": 1}),
            "/effect/parts",
            "missing",
        ),
        (
            rule(
                effect={
                    "kind": "bundle_price",
                    "parts": [{"scope": {}, "quantity": 0}],
                    "price_cents": 1,
                }
            ),
            "/effect/parts/0/quantity",
            "out-of-range",
        ),
        (
            rule(
                effect={
                    "kind": "tiered_fixed_off",
                    "tiers": [
                        {"threshold": 5000, "amount_cents": 900},
                        {"threshold": 2500, "amount_cents": 500},
                    ],
                }
            ),
            "/effect/tiers",
            "out-of-range",
        ),
        (rule(effect={"kind": "tiered_percent_off", "tiers": []}), "/effect/tiers", "missing"),
    ],
)
def test_a_fault_is_pointed_at(data: Any, pointer: str, reason: str) -> None:
    with pytest.raises(InvalidRule) as caught:
        parse_rule(data)

    assert (caught.value.pointer, caught.value.reason) == (pointer, reason)


def test_a_fault_reads_as_a_sentence() -> None:
    with pytest.raises(InvalidRule, match=r"^/effect/percent_bp: must be from 1 to 10000"):
        parse_rule(rule(effect=PERCENT | {"percent_bp": 0}))
