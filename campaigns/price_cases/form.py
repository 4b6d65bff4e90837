"""The form of a case: which fields it has and what they hold, read strictly.

A field that nobody knows might be the one that decides the price, so it is a fault and never
ignored; so is a value of another kind. An optional field that is null is a field left out.
"""

from collections.abc import Mapping
from typing import Any

from campaigns.price_cases.checks import (
    Check,
    MalformedCase,
    anything,
    fields_of,
    flag,
    list_of,
    map_of,
    moment,
    number,
    object_of,
    one_of,
    pair,
    text,
    whole,
)

MOST_UNITS = 100_000
"""A cart of more is a fault: every unit is priced by itself."""


def check_form(case: Any) -> None:
    """Check that a case, of prices or of eligibility, is one.

    Raises:
        MalformedCase
    """
    (_ELIGIBILITY if "promotions" not in case and "conditions" in case else _CASE)(case, "")
    numbers = [line["line"] for line in case["cart"]]
    if len(set(numbers)) < len(numbers):
        raise MalformedCase("/cart", "has two lines with one number")
    if sum(line["qty"] for line in case["cart"]) > MOST_UNITS:
        raise MalformedCase("/cart", f"has more than {MOST_UNITS} units")


def without_nulls(value: Any) -> Any:
    """Return JSON data without the fields that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(found) for key, found in value.items() if found is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


_COUNT = whole(0)
_TEXTS = list_of(text)
_ORDER = one_of("price_asc", "price_desc")
_SCOPE = object_of(
    {
        "all": flag,
        "skus": _TEXTS,
        "categories": _TEXTS,
        "exclude_skus": _TEXTS,
        "exclude_categories": _TEXTS,
        "price_min_minor": _COUNT,
        "price_max_minor": _COUNT,
        "exclude_discounted": flag,
    }
)
_LINE = object_of(
    {
        "line": whole(1),
        "sku": text,
        "unit_price_minor": _COUNT,
        "qty": _COUNT,
        "category": _TEXTS,
        "attrs": object_of(
            {
                "not_discountable": flag,
                "already_discounted": flag,
                "min_unit_price_minor": _COUNT,
                "regular_price_minor": _COUNT,
            }
        ),
    },
    required=("line", "sku", "unit_price_minor", "qty"),
)
_MEMBER = object_of(
    {
        "past_orders": _COUNT,
        "cancelled_orders": _COUNT,
        "groups": _TEXTS,
        "tier": text,
        "guest": flag,
    }
)
_CONDITIONS = object_of(
    {
        "scope": _SCOPE,
        "min_spend_minor": _COUNT,
        "min_spend_strict": flag,
        "max_spend_minor": _COUNT,
        "min_qty": _COUNT,
        "min_distinct_skus": _COUNT,
        "contains_skus": _TEXTS,
        "contains_categories": _TEXTS,
        "contains_match": one_of("any", "all", "none", "only"),
        "nth_order": whole(1),
        "first_order": flag,
        "member_groups": _TEXTS,
        "member_tiers": _TEXTS,
        "logged_in": flag,
    }
)
_LIMITS = object_of(
    dict.fromkeys(
        (
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
        ),
        _COUNT,
    )
)
_PROMOTION = {
    "id": text,
    "rank": whole(),
    "priority": anything,
    "stacking": one_of("stackable", "exclusive"),
    "exclusive_group": text,
    "code": text,
    "enabled": flag,
    "window": object_of({"starts_at": moment, "ends_at": moment}),
    "layer": one_of("catalog"),
    "type": text,
    "scope": _SCOPE,
    "conditions": _CONDITIONS,
    "limits": _LIMITS,
    "semantics": map_of(anything),
    "group_size": anything,
    "same_promotion_as_previous": anything,
    "percent_cap_alloc": anything,
}
_SKUS_BOUGHT = object_of({"qty": whole(1), "scope": _SCOPE})
_OF_TYPE: Mapping[str, tuple[Mapping[str, Check], tuple[str, ...]]] = {
    "percent": ({"value": number}, ("value",)),
    "fixed_order": ({"value": whole()}, ("value",)),
    "fixed_per_item": ({"value": whole()}, ("value",)),
    "set_unit_price": ({"value": whole()}, ("value",)),
    "buy_x_get_y": (
        {
            "value": anything,
            "buy": object_of({"qty": whole(1), "spend_minor": whole(1), "scope": _SCOPE}),
            "get": object_of({"qty": whole(1), "scope": _SCOPE, "percent": number}),
        },
        ("buy", "get"),
    ),
    "cheapest_free": (
        {
            "value": anything,
            "free_qty": whole(1),
            "percent": number,
            "group_qty": whole(1),
        },
        (),
    ),
    "nth_item_percent": (
        {
            "value": number,
            "n": whole(1),
            "group_qty": whole(1),
            "group_order": _ORDER,
            "item_order": _ORDER,
            "pick": one_of("within_group", "pooled"),
        },
        ("value", "n"),
    ),
    "bundle_price": (
        {
            "value": _COUNT,
            "components": list_of(object_of({"scope": _SCOPE, "qty": whole(1)}, required=("qty",))),
            "bundle_pick": one_of("dearest_first", "cheapest_first", "cart_order"),
        },
        ("value", "components"),
    ),
    "gift_item": (
        {
            "value": anything,
            "buy": _SKUS_BOUGHT,
            "get": object_of({"sku": text, "qty": whole(1)}, required=("sku",)),
            "repeat": flag,
        },
        ("buy", "get"),
    ),
    **dict.fromkeys(
        ("tiered_percent", "tiered_fixed_order"),
        (
            {
                "value": anything,
                "tiers": list_of(pair(_COUNT, number)),
                "tier_by": one_of("spend", "qty"),
                "base_value": number,
            },
            ("tiers",),
        ),
    ),
}


def _promotion(value: Any, pointer: str) -> None:
    kind = fields_of(value, pointer).get("type")
    text(kind, f"{pointer}/type")
    if (of_type := _OF_TYPE.get(str(kind))) is None:
        raise MalformedCase(f"{pointer}/type", f"{kind} is not known")
    fields, required = of_type
    needed = ("id", "rank", "stacking", *required)
    object_of({**_PROMOTION, **fields}, required=needed)(value, pointer)


_EXPECTED = object_of(
    {
        "subtotal_minor": whole(),
        "discount_minor": whole(),
        "total_minor": whole(),
        "lines": list_of(
            object_of(
                {
                    "line": whole(),
                    "discount_minor": whole(),
                    "unit_discounts_minor": list_of(whole()),
                },
                required=("line", "discount_minor"),
            )
        ),
        "applied": map_of(whole()),
        "rejected": map_of(text),
        "code_rejected": _TEXTS,
        "gift_items": list_of(object_of({"sku": text, "qty": whole(1)}, required=("sku", "qty"))),
    },
    required=("subtotal_minor", "discount_minor", "total_minor"),
)
_ABOUT = {
    "id": text,
    "source": anything,
    "license": anything,
    "cart": list_of(_LINE),
    "member": _MEMBER,
    "now": moment,
    "semantics": map_of(anything),
    "portability": one_of("universal", "semantics_dependent", "source_quirk"),
    "default_semantics": map_of(flag),
    "lines_portable": anything,
    "tags": anything,
    "notes": anything,
}
_CASE = object_of(
    {
        **_ABOUT,
        "promotions": list_of(_promotion),
        "codes": _TEXTS,
        "expected": _EXPECTED,
    },
    required=("id", "cart", "promotions", "expected"),
)
_ELIGIBILITY = object_of(
    {
        **_ABOUT,
        "conditions": _CONDITIONS,
        "expected": object_of({"eligible": flag}, required=("eligible",)),
    },
    required=("id", "cart", "conditions", "expected"),
)
