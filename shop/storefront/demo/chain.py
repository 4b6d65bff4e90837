"""Loads what menu.json says of the chain, from the menu to the rewards; safe to run again."""

import json
from collections.abc import Callable, Iterable
from datetime import date, time
from pathlib import Path
from typing import Any

from django.db import transaction

from campaigns.models import Channel, CouponDefinition, ReferralProgramme, VoucherDeal
from campaigns.models.vouchers import Platform
from loyalty.models import LoyaltyProgramme, Reward, Tier
from shop.kernel.money import Cents, Points
from shop.models import (
    Category,
    Option,
    OptionGroup,
    Product,
    ProductOption,
    Store,
    StoreHours,
    StoreProduct,
)

MENU = Path(__file__).with_name("menu.json")
CHANNELS = [
    ("organic", "自然到店", "Organic", Channel.Kind.ORGANIC),
    ("referral", "老带新", "Friends", Channel.Kind.REFERRAL),
    ("flyer", "传单", "Flyers", Channel.Kind.FLYER),
    ("douyin", "抖音本地广告", "Douyin local ads", Channel.Kind.AD_FEED),
    ("kol", "美食博主", "Food bloggers", Channel.Kind.KOL),
    ("community", "粉丝群", "Fan groups", Channel.Kind.COMMUNITY),
]
DEALS: list[tuple[str, str, str, str, str, dict[str, Any]]] = [
    (
        Platform.DOUYIN,
        "7260000000000000001",
        "抖音买一送一",
        "Douyin: buy one get one",
        "DOUYIN_BOGO",
        {
            "effect": {
                "kind": "buy_x_get_y",
                "buy_quantity": 1,
                "get_quantity": 1,
                "max_applications": 1,
            },
            "scope": {"categories": ["milk_tea"]},
            "priority": 10,
        },
    ),
    (
        Platform.MEITUAN,
        "260000001",
        "美团20元代金券",
        "Meituan: ¥20 voucher",
        "MEITUAN_CASH20",
        {
            "effect": {"kind": "fixed_off", "amount_cents": 400},
            "conditions": {"min_spend_cents": 2000},
            "priority": 20,
        },
    ),
]
"""Deals that the sandbox sells vouchers of: what each takes off beside what it pays."""
DEFAULT_OPENING = date(2026, 5, 18)


def read_menu() -> dict[str, Any]:
    """Return the menu file."""
    menu: dict[str, Any] = json.loads(MENU.read_text())
    return menu


@transaction.atomic
def load(*, opened_on: date = DEFAULT_OPENING) -> dict[str, Any]:
    """Load everything that is not history, and return the menu it came from."""
    menu = read_menu()
    load_channels()
    _load_options(menu["option_groups"])
    _load_categories(menu["categories"])
    _load_products(menu["products"])
    _load_stores(menu["stores"], opened_on)
    _load_tiers(menu["demo_tiers"])
    _load_coupons(menu["demo_coupon_templates"])
    _load_voucher_deals()
    _load_programmes(menu["demo_tier_rules"])
    return menu


def load_channels() -> None:
    """Load the demo's channels."""
    for code, name_zh, name_en, kind in CHANNELS:
        Channel.objects.update_or_create(
            code=code, defaults={"name_zh": name_zh, "name_en": name_en, "kind": kind}
        )


def _names(data: dict[str, Any]) -> dict[str, str]:
    return {"name_zh": data["name_zh"], "name_en": data["name_en"]}


def _load_options(groups: Iterable[dict[str, Any]]) -> None:
    for position, data in enumerate(groups):
        group, _is_new = OptionGroup.objects.update_or_create(
            code=data["code"],
            defaults=_names(data)
            | {
                "is_sku_axis": data["is_sku_axis"],
                "min_choices": data["min"],
                "max_choices": data["max"],
                "max_per_option": data.get("per_option_max_qty", 1),
                "position": position,
            },
        )
        for order, option in enumerate(data["options"]):
            Option.objects.update_or_create(
                group=group,
                code=option["code"],
                defaults=_names(option)
                | {
                    "price_delta_cents": Cents(option["price_delta_fen"]),
                    "cost_delta_cents": Cents(option["cost_delta_fen"]),
                    "position": order,
                },
            )


def _load_categories(categories: Iterable[dict[str, Any]]) -> None:
    for data in categories:
        Category.objects.update_or_create(
            code=data["code"], defaults=_names(data) | {"position": data["sort"]}
        )


def _load_products(products: Iterable[dict[str, Any]]) -> None:
    categories = {category.code: category for category in Category.objects.all()}
    options = {(o.group.code, o.code): o for o in Option.objects.select_related("group")}
    for data in products:
        product, _is_new = Product.objects.update_or_create(
            code=data["code"],
            defaults=_names(data)
            | {
                "category": categories[data["category"]],
                "description_zh": data["desc_zh"],
                "description_en": data["desc_en"],
                "base_price_cents": Cents(data["base_price_fen"]),
                "cost_cents": Cents(data["cost_fen"]),
                "floor_price_cents": Cents(data["floor_price_fen"]),
                "prep_seconds": data["prep_seconds"],
                "caffeine": data["caffeine"],
                "allergens": data["allergens"],
                "tags": data["tags"],
                "sellable": data["sellable"],
                "earns_points": data["earns_points"],
                "is_discountable": data["coupon_eligible"],
                "available_from_month": data.get("available_from_month"),
                "available_to_month": data.get("available_to_month"),
            },
        )
        product.included_toppings.set(options["topping", code] for code in data.get("includes", []))
        ProductOption.objects.bulk_create(
            [
                ProductOption(
                    product=product,
                    option=options[group["group"], code],
                    is_default=code == group.get("default"),
                )
                for group in data["option_groups"]
                for code in group["allowed"]
            ],
            update_conflicts=True,
            unique_fields=["product", "option"],
            update_fields=["is_default"],
        )


def _load_stores(stores: Iterable[dict[str, Any]], opened_on: date) -> None:
    products = {product.code: product for product in Product.objects.all()}
    for data in stores:
        store, _is_new = Store.objects.update_or_create(
            code=data["code"],
            defaults=_names(data)
            | {
                "ownership": data["ownership"],
                "city": data["city"],
                "timezone": data["timezone"],
                "opened_on": opened_on,
                "longitude": data["lng"],
                "latitude": data["lat"],
                "stations": data["stations"],
                "pickup_prefix": data["pickup_prefix"],
                "external_ids": {
                    "douyin_poi": f"70000000000{data['code']}",
                    "meituan_shop": data["code"],
                },
            },
        )
        for hours in data["hours"]:
            for weekday in hours["days"]:
                StoreHours.objects.update_or_create(
                    store=store,
                    weekday=weekday,
                    defaults={
                        "opens_at": time.fromisoformat(hours["open"]),
                        "closes_at": time.fromisoformat(hours["close"]),
                    },
                )
        for code, price in data["price_overrides"].items():
            StoreProduct.objects.update_or_create(
                store=store, product=products[code], defaults={"price_cents": Cents(price)}
            )


def _load_tiers(tiers: Iterable[dict[str, Any]]) -> None:
    for level, data in enumerate(tiers, start=1):
        Tier.objects.update_or_create(
            code=data["code"],
            defaults=_names(data)
            | {
                "level": level,
                "role": data["role"],
                "min_qualifying_points": data["growth_min"],
                "min_referrals": data.get("min_qualified_referrals_in_window", 0),
                "points_rate_percent": data["points_rate_percent"],
                "benefits": data["benefits"],
            },
        )


def _load_coupons(templates: Iterable[dict[str, Any]]) -> None:
    """Load the templates whose kind this release can price; the others wait for their effects."""
    for data in templates:
        effect = _effect(data)
        if effect is None:
            continue
        conditions: dict[str, Any] = {}
        if "threshold_fen" in data:
            conditions["min_spend_cents"] = data["threshold_fen"]
        if data.get("first_order_only"):
            conditions["first_order_only"] = True
        rule = {
            "version": 1,
            "effect": effect,
            "scope": data.get("scope", {}),
            "conditions": conditions,
            "stacking": "common",
            "priority": 100,
        }
        CouponDefinition.objects.update_or_create(
            code=data["code"],
            defaults=_names(data)
            | {
                "rule": rule,
                "status": CouponDefinition.Status.ACTIVE,
                "valid_days": data["validity_days"],
                "per_member_limit": data["per_member"] or 99,
                "is_welcome_gift": data["code"] == "NEW_BOGO",
                "is_claimable": "trigger" not in data and data["code"] != "NEW_BOGO",
            },
        )


def _effect(data: dict[str, Any]) -> dict[str, Any] | None:
    """Return a template's effect in the evaluator's form.

    "Second cup half price" in the file takes the percentage off the nth cup of each group.
    """
    once = {"max_applications": 1}
    effects: dict[str, Callable[[], dict[str, Any]]] = {
        "bogo": lambda: {"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1} | once,
        "amount_off": lambda: {"kind": "fixed_off", "amount_cents": data["amount_fen"]},
        "percent_off": lambda: {
            "kind": "percent_off",
            "percent_bp": data["percent_off"] * 100,
            "max_discount_cents": data["cap_fen"],
        },
        "nth_percent": lambda: (
            {
                "kind": "nth_item_percent",
                "nth": data["nth"],
                "percent_bp": data["percent_off"] * 100,
            }
            | once
        ),
        "free_topping": lambda: {
            "kind": "free_topping",
            "max_value_cents": data["max_value_fen"],
        },
        "free_upsize": lambda: {"kind": "free_upsize"},
    }
    kind = data["kind"]
    return effects[kind]() if kind in effects else None


def _load_voucher_deals() -> None:
    """Load what the vouchers that the sandbox sells give here."""
    for platform, number, name_zh, name_en, code, rule in DEALS:
        names = {"name_zh": name_zh, "name_en": name_en}
        definition, _is_new = CouponDefinition.objects.update_or_create(
            code=code,
            defaults=names
            | {
                "rule": {"version": 1, "stacking": "always", **rule},
                "status": CouponDefinition.Status.ACTIVE,
                "valid_days": 1,
            },
        )
        VoucherDeal.objects.update_or_create(
            platform=platform, deal_ref=number, defaults=names | {"coupon_definition": definition}
        )


def _load_programmes(rules: dict[str, Any]) -> None:
    LoyaltyProgramme.objects.update_or_create(
        pk=1,
        defaults={
            "points_per_yuan": rules["points_per_yuan"],
            "qualifying_per_yuan": rules["growth_per_yuan"],
            "qualifying_window_days": rules["growth_window_days"],
        },
    )
    ReferralProgramme.objects.get_or_create(pk=1)
    Reward.objects.update_or_create(
        code="FREE_DRINK",
        defaults={
            "name_zh": "任意饮品一杯",
            "name_en": "Any drink",
            "cost_points": Points(rules["redeem_free_drink_points"]),
            "max_value_cents": Cents(2000),
        },
    )
