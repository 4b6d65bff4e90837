"""What an effect gives, in plain words: one sentence for each of them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from campaigns.pricing import (
    BundlePrice,
    BuyXGetY,
    CheapestFree,
    FixedOff,
    FixedOffEach,
    FreeDelivery,
    FreeItem,
    FreeTopping,
    FreeUpsize,
    GiftCoupon,
    GiftItem,
    Measured,
    NthItemPercent,
    PercentBase,
    PercentOff,
    PointsBoost,
    PriceOrder,
    Rule,
    TieredFixedOff,
    TieredPercentOff,
    UnitPrice,
)
from campaigns.summaries.phrases import Names, Text, joined, listed, money, percent_off, say
from campaigns.summaries.scopes import EVERYTHING, is_everything
from campaigns.summaries.scopes import tell as goods_of

Tell = Callable[[Any, Rule, Names], list[Text]]
ORIGINAL = say("按原价计算", "of the price before other offers")


def tell(rule: Rule, names: Names) -> Text:
    """Return what the rule's effect gives, on which goods."""
    parts = TELL[type(rule.effect)](rule.effect, rule, names)
    return joined(parts, zh="，", en=", ")


def _on(rule: Rule, names: Names) -> Text:
    """Return the goods before which a discount is put; nothing for everything."""
    if is_everything(rule.scope):
        return say("", "")
    return say("{g}", " on {g}", g=goods_of(rule.scope, names))


def _goods(rule: Rule, names: Names) -> Text:
    return EVERYTHING if is_everything(rule.scope) else goods_of(rule.scope, names)


def _times(most: int | None) -> list[Text]:
    if most is None:
        return []
    if most == 1:
        return [say("每单最多1次", "once per order")]
    return [say("每单最多{n}次", "at most {n} times per order", n=most)]


def _base(base: PercentBase) -> list[Text]:
    return [ORIGINAL] if base is PercentBase.ORIGINAL else []


def _worth(most: int | None) -> list[Text]:
    return [] if most is None else [say("每件最多{m}", "each up to {m}", m=money(most))]


def _percent_off(effect: PercentOff, rule: Rule, names: Names) -> list[Text]:
    off = percent_off(effect.percent_bp)
    parts = [say("{g}{off}", "{off}{g}", g=_on(rule, names), off=off)]
    if effect.max_discount_cents is not None:
        parts.append(say("最多减{m}", "at most {m} off", m=money(effect.max_discount_cents)))
    return [*parts, *_base(effect.base)]


def _fixed_off(effect: FixedOff, rule: Rule, names: Names) -> list[Text]:
    return [say("{g}减{m}", "{m} off{g}", g=_on(rule, names), m=money(effect.amount_cents))]


def _fixed_off_each(effect: FixedOffEach, rule: Rule, names: Names) -> list[Text]:
    amount = money(effect.amount_cents)
    return [say("{g}每件减{m}", "{m} off each item{g}", g=_on(rule, names), m=amount)]


def _unit_price(effect: UnitPrice, rule: Rule, names: Names) -> list[Text]:
    price = money(effect.price_cents)
    return [say("{g}每件{m}", "{m} each{g}", g=_on(rule, names), m=price)]


def _free_item(effect: FreeItem, rule: Rule, names: Names) -> list[Text]:
    free = say("免费{n}件：{g}", "{n} free of {g}", n=effect.quantity, g=_goods(rule, names))
    return [free, *_worth(effect.max_value_cents)]


def _cheapest_free(effect: CheapestFree, rule: Rule, names: Names) -> list[Text]:
    values = {
        "g": _goods(rule, names),
        "f": effect.free_quantity,
        "off": percent_off(effect.percent_bp),
        "n": effect.group_quantity,
    }
    if effect.group_quantity is None:
        first = say("{g}最便宜的{f}件{off}", "the {f} cheapest of {g} {off}", **values)
    else:
        first = say(
            "{g}每{n}件，最便宜的{f}件{off}",
            "for every {n} of {g}, the {f} cheapest {off}",
            **values,
        )
    return [first, *_times(effect.max_applications)]


def _nth_item(effect: NthItemPercent, rule: Rule, names: Names) -> list[Text]:
    values = {"g": _goods(rule, names), "n": effect.nth, "off": percent_off(effect.percent_bp)}
    parts = [say("{g}第{n}件{off}", "item no. {n} of {g} {off}", **values)]
    if effect.group_quantity is not None:
        parts.append(say("每{n}件一组", "in groups of {n}", n=effect.group_quantity))
    if effect.group_order is not PriceOrder.DEAREST_FIRST:
        order = GROUP_ORDERS[effect.group_order]
        parts.append(say("{o}成组", "grouped {o}", o=order))
    if effect.item_order is not PriceOrder.DEAREST_FIRST:
        order = GROUP_ORDERS[effect.item_order]
        parts.append(say("组内{o}计数", "counted {o}", o=order))
    if effect.is_pooled:
        parts.append(say("全部合并计数", "counted over all groups together"))
    return [*parts, *_times(effect.max_applications)]


GROUP_ORDERS: Mapping[PriceOrder, Text] = {
    PriceOrder.DEAREST_FIRST: say("价高者先", "from the dearest down"),
    PriceOrder.CHEAPEST_FIRST: say("价低者先", "from the cheapest up"),
    PriceOrder.CART_ORDER: say("按下单顺序", "in the order of the cart"),
}


def _buy_x_get_y(effect: BuyXGetY, rule: Rule, names: Names) -> list[Text]:
    bought = goods_of(effect.buy_scope, names) if effect.buy_scope else None
    got = _goods(rule, names)
    if effect.buy_quantity is not None:
        buy = say("买{n}件", "buy {n}", n=effect.buy_quantity)
    else:
        buy = say("买满{m}", "spend {m}", m=money(effect.buy_spend_cents or 0))
    if bought is not None:
        buy = say("{b}（{g}）", "{b} of {g}", b=buy, g=bought)
    percent = percent_off(effect.percent_bp)
    get = say("送{n}件", "get {n} free", n=effect.get_quantity)
    if percent.en != "free":
        get = say("得{n}件{off}", "get {n} {off}", n=effect.get_quantity, off=percent)
    parts = [say("{b}，{g}：{of}", "{b}, {g}: {of}", b=buy, g=get, of=got)]
    if effect.get_order is PriceOrder.DEAREST_FIRST:
        parts.append(say("送最贵的", "the dearest are given"))
    elif effect.get_order is PriceOrder.CART_ORDER:
        parts.append(say("按下单顺序送", "given in the order of the cart"))
    else:
        parts.append(say("送最便宜的", "the cheapest are given"))
    if effect.require_full_get:
        parts.append(say("须凑满整组", "only full sets count"))
    return [*parts, *_times(effect.max_applications)]


def _bundle(effect: BundlePrice, rule: Rule, names: Names) -> list[Text]:
    contents = joined(
        [
            say("{g}×{n}", "{n} × {g}", g=goods_of(part.scope, names), n=part.quantity)
            for part in effect.parts
        ],
        zh="＋",
        en=" + ",
    )
    price = money(effect.price_cents)
    parts = [say("套餐{m}：{c}", "{c} together for {m}", m=price, c=contents)]
    if not is_everything(rule.scope):
        parts.append(say("限{g}", "from {g}", g=goods_of(rule.scope, names)))
    if effect.pick is not PriceOrder.DEAREST_FIRST:
        parts.append(GROUP_ORDERS[effect.pick])
    return [*parts, *_times(effect.max_applications)]


def _threshold(threshold: int, by: Measured) -> Text:
    if by is Measured.QUANTITY:
        return say("满{n}件", "from {n} items", n=threshold)
    return say("满{m}", "from {m}", m=money(threshold))


def _tiered_percent(effect: TieredPercentOff, rule: Rule, names: Names) -> list[Text]:
    steps = [
        say(
            "{t}{off}",
            "{off} {t}",
            t=_threshold(tier.threshold, effect.by),
            off=percent_off(tier.percent_bp),
        )
        for tier in effect.tiers
    ]
    return [*_steps(steps, rule, names), *_base(effect.base)]


def _tiered_fixed(effect: TieredFixedOff, rule: Rule, names: Names) -> list[Text]:
    steps = [
        say(
            "{t}减{m}",
            "{m} off {t}",
            t=_threshold(tier.threshold, effect.by),
            m=money(tier.amount_cents),
        )
        for tier in effect.tiers
    ]
    return _steps(steps, rule, names)


def _steps(steps: list[Text], rule: Rule, names: Names) -> list[Text]:
    ladder = joined(steps, zh="、", en=", ")
    if is_everything(rule.scope):
        return [ladder]
    return [say("{g}{l}", "{l} on {g}", l=ladder, g=goods_of(rule.scope, names))]


def _free_topping(effect: FreeTopping, rule: Rule, names: Names) -> list[Text]:
    which = listed(names.of("option", code) for code in sorted(effect.toppings))
    kinds = say("（{w}）", " ({w})", w=which) if effect.toppings else say("", "")
    free = say(
        "{g}免费加料{n}份{k}",
        "{n} free topping(s){k}{g}",
        n=effect.quantity,
        k=kinds,
        g=_on(rule, names),
    )
    return [free, *_worth(effect.max_value_cents)]


def _free_upsize(effect: FreeUpsize, rule: Rule, names: Names) -> list[Text]:
    return [
        say(
            "{g}免费升杯{n}杯",
            "{n} larger cup(s) at no charge{g}",
            n=effect.quantity,
            g=_on(rule, names),
        )
    ]


def _free_delivery(_effect: FreeDelivery, rule: Rule, names: Names) -> list[Text]:
    if is_everything(rule.scope):
        return [say("免配送费", "free delivery")]
    goods = goods_of(rule.scope, names)
    return [say("买{g}免配送费", "free delivery with {g}", g=goods)]


def _gift_item(effect: GiftItem, rule: Rule, names: Names) -> list[Text]:
    gift = names.of("product", effect.product)
    each = say(
        "每买{b}件（{g}）送{p}×{n}",
        "for every {b} of {g}, {n} × {p} as a gift",
        b=effect.buy_quantity,
        g=_goods(rule, names),
        p=gift,
        n=effect.quantity,
    )
    if effect.max_applications is None:
        return [each, say("每单不限次数", "as often as it fits into an order")]
    return [each, *_times(effect.max_applications)]


def _points_boost(effect: PointsBoost, rule: Rule, names: Names) -> list[Text]:
    parts = []
    if effect.multiplier_percent > 100:
        times = f"{Decimal(effect.multiplier_percent) / 100:f}"
        parts.append(say("{g}{t}倍积分", "{t} times the points{g}", t=times, g=_on(rule, names)))
    if effect.bonus_points:
        on = say("", "") if parts else _on(rule, names)
        parts.append(say("{g}另赠{n}积分", "{n} points on top{g}", n=effect.bonus_points, g=on))
    return parts


def _gift_coupon(effect: GiftCoupon, rule: Rule, names: Names) -> list[Text]:
    return [
        say(
            "买{g}后送券“{c}”{n}张",
            "after buying {g}, {n} × coupon “{c}”",
            g=_goods(rule, names),
            c=names.of("coupon", effect.coupon),
            n=effect.quantity,
        )
    ]


TELL: Mapping[type, Tell] = {
    PercentOff: _percent_off,
    FixedOff: _fixed_off,
    FixedOffEach: _fixed_off_each,
    UnitPrice: _unit_price,
    FreeItem: _free_item,
    CheapestFree: _cheapest_free,
    NthItemPercent: _nth_item,
    BuyXGetY: _buy_x_get_y,
    BundlePrice: _bundle,
    TieredPercentOff: _tiered_percent,
    TieredFixedOff: _tiered_fixed,
    FreeTopping: _free_topping,
    FreeUpsize: _free_upsize,
    FreeDelivery: _free_delivery,
    GiftItem: _gift_item,
    PointsBoost: _points_boost,
    GiftCoupon: _gift_coupon,
}
