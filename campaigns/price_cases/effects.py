"""The types of promotions that cases know, as our effects."""

from collections.abc import Callable, Mapping
from itertools import dropwhile
from typing import Any

from campaigns.price_cases.words import NotExpressible, basis_points, scope_of
from campaigns.pricing import (
    BundlePart,
    BundlePrice,
    BuyXGetY,
    CheapestFree,
    Effect,
    FixedOff,
    FixedOffEach,
    FixedTier,
    GiftItem,
    Measured,
    NthItemPercent,
    PercentOff,
    PercentTier,
    PriceOrder,
    Scope,
    TieredFixedOff,
    TieredPercentOff,
    UnitPrice,
)
from shop.kernel.cases import Case
from shop.kernel.money import Cents

ORDERS = {"price_asc": PriceOrder.CHEAPEST_FIRST, "price_desc": PriceOrder.DEAREST_FIRST}


def effect_of(promotion: Case) -> Effect:
    """Return what a promotion gives.

    Raises:
        NotExpressible: a tier that takes back what a lower one gives.
        InvalidRule: it gives nothing, such as a share or an amount of zero.
    """
    return EFFECTS[promotion["type"]](promotion)


def scope_words(promotion: Case) -> Case:
    """Return the scope of what is discounted, or, for a gift, of what must be bought."""
    words: Case = promotion.get("scope", {"all": True})
    if promotion["type"] == "buy_x_get_y":
        words = promotion["get"].get("scope", words)
    if promotion["type"] == "gift_item":
        words = promotion["buy"].get("scope", words)
    return words


def _max_applications(promotion: Case) -> int | None:
    applications: int | None = promotion.get("limits", {}).get("max_applications")
    return applications


def _percent(promotion: Case) -> Effect:
    return PercentOff(percent_bp=basis_points(promotion["value"]))


def _fixed_order(promotion: Case) -> Effect:
    return FixedOff(amount_cents=Cents(promotion["value"]))


def _fixed_per_item(promotion: Case) -> Effect:
    return FixedOffEach(amount_cents=Cents(promotion["value"]))


def _set_unit_price(promotion: Case) -> Effect:
    return UnitPrice(price_cents=Cents(promotion["value"]))


def _tiers(promotion: Case) -> list[tuple[int, Any]]:
    """Return thresholds with their values; one that gives nothing before the others is no tier.

    Raises:
        NotExpressible: one that gives nothing after another that does.
    """
    tiers = {0: promotion.get("base_value", 0), **dict(promotion["tiers"])}
    giving = list(dropwhile(lambda tier: not tier[1], sorted(tiers.items())))
    if not all(value for _threshold, value in giving):
        raise NotExpressible("a tier that takes back what a lower one gives")
    return giving


def _measured(promotion: Case) -> Measured:
    return Measured.QUANTITY if promotion.get("tier_by") == "qty" else Measured.SPEND


def _tiered_percent(promotion: Case) -> Effect:
    return TieredPercentOff(
        tiers=tuple(
            PercentTier(threshold=threshold, percent_bp=basis_points(value))
            for threshold, value in _tiers(promotion)
        ),
        by=_measured(promotion),
    )


def _tiered_fixed_order(promotion: Case) -> Effect:
    return TieredFixedOff(
        tiers=tuple(
            FixedTier(threshold=threshold, amount_cents=Cents(value))
            for threshold, value in _tiers(promotion)
        ),
        by=_measured(promotion),
    )


def _buy_x_get_y(promotion: Case) -> Effect:
    buy, get = promotion["buy"], promotion["get"]
    return BuyXGetY(
        buy_quantity=buy.get("qty"),
        buy_spend_cents=buy.get("spend_minor"),
        get_quantity=get.get("qty", 1),
        percent_bp=basis_points(get.get("percent", 100)),
        buy_scope=scope_of(buy.get("scope", {"all": True})),
        require_full_get=bool(promotion["semantics"].get("require_full_get", False)),
        max_applications=_max_applications(promotion),
    )


def _gift_item(promotion: Case) -> Effect:
    once = 1 if not promotion.get("repeat") else None
    return GiftItem(
        product=promotion["get"]["sku"],
        quantity=promotion["get"].get("qty", 1),
        buy_quantity=promotion["buy"].get("qty", 1),
        max_applications=once or _max_applications(promotion),
    )


def _nth_item_percent(promotion: Case) -> Effect:
    """Without a size of groups the units are counted off in the order of the cart."""
    counts_off = "group_qty" not in promotion
    in_cart = PriceOrder.CART_ORDER
    return NthItemPercent(
        nth=promotion["n"],
        percent_bp=basis_points(promotion["value"]),
        group_quantity=promotion.get("group_qty"),
        group_order=in_cart if counts_off else ORDERS[promotion.get("group_order", "price_asc")],
        item_order=in_cart if counts_off else ORDERS[promotion.get("item_order", "price_asc")],
        is_pooled=promotion.get("pick") == "pooled",
        max_applications=_max_applications(promotion),
    )


def _bundle_price(promotion: Case) -> Effect:
    pick = promotion["semantics"].get("bundle_pick", "dearest_first")
    return BundlePrice(
        parts=tuple(
            BundlePart(
                scope=scope_of(part["scope"]) if "scope" in part else Scope(), quantity=part["qty"]
            )
            for part in promotion["components"]
        ),
        price_cents=Cents(promotion["value"]),
        pick=PriceOrder(promotion.get("bundle_pick", pick)),
        max_applications=_max_applications(promotion),
    )


def _cheapest_free(promotion: Case) -> Effect:
    free, group = promotion.get("free_qty", 1), promotion.get("group_qty")
    return CheapestFree(
        free_quantity=free if group is None else min(free, group),  # no more than there are in it
        percent_bp=basis_points(promotion.get("percent", 100)),
        group_quantity=group,
        max_applications=_max_applications(promotion),
    )


EFFECTS: Mapping[str, Callable[[Case], Effect]] = {
    "percent": _percent,
    "fixed_order": _fixed_order,
    "fixed_per_item": _fixed_per_item,
    "set_unit_price": _set_unit_price,
    "buy_x_get_y": _buy_x_get_y,
    "gift_item": _gift_item,
    "nth_item_percent": _nth_item_percent,
    "bundle_price": _bundle_price,
    "cheapest_free": _cheapest_free,
    "tiered_percent": _tiered_percent,
    "tiered_fixed_order": _tiered_fixed_order,
}
