"""Offers in plain words: a golden sentence for every effect and condition, and nothing unsaid."""

from dataclasses import fields, replace
from datetime import time, timedelta
from typing import Any

import pytest

from campaigns.pricing import (
    EFFECTS,
    BundlePart,
    BundlePrice,
    BuyXGetY,
    CheapestFree,
    Conditions,
    FixedOff,
    FixedOffEach,
    FixedTier,
    FreeDelivery,
    FreeItem,
    FreeTopping,
    FreeUpsize,
    GiftCoupon,
    GiftItem,
    Hours,
    Limits,
    Match,
    Measured,
    NthItemPercent,
    PercentBase,
    PercentOff,
    PercentTier,
    PointsBoost,
    Portion,
    PriceOrder,
    Rule,
    Scope,
    Stacking,
    TieredFixedOff,
    TieredPercentOff,
    UnitPrice,
)
from campaigns.summaries import Caps, Names, Text, summarize
from shop.kernel.money import Cents, Points
from tests.campaigns.samples import NOON

NAMES = Names(
    known={
        ("category", "milk_tea"): Text(zh="奶茶", en="milk tea"),
        ("product", "SN01"): Text(zh="曲奇", en="Biscuit"),
        ("store", "SH001"): Text(zh="南京路店", en="Nanjing Road"),
        ("option", "pudding"): Text(zh="布丁", en="Pudding"),
        ("tier", "gold"): Text(zh="金卡", en="Gold"),
    }
)
MILK_TEA = Scope(categories=frozenset({"milk_tea"}))
BISCUIT = Scope(products=frozenset({"SN01"}))


def tell(rule: Rule, **more: Any) -> tuple[str, str]:
    text = summarize(rule, timezone="Asia/Shanghai", names=NAMES, **more)
    return text.zh, text.en


EFFECT_SENTENCES = [
    (Rule(effect=PercentOff(percent_bp=1200)), "打8.8折。", "12% off."),
    (
        Rule(
            effect=PercentOff(
                percent_bp=2000, max_discount_cents=Cents(800), base=PercentBase.ORIGINAL
            ),
            scope=MILK_TEA,
        ),
        "奶茶打8折，最多减¥8，按原价计算。",
        "20% off on milk tea, at most ¥8 off, of the price before other offers.",
    ),
    (Rule(effect=FixedOff(amount_cents=Cents(550))), "减¥5.50。", "¥5.50 off."),
    (
        Rule(effect=FixedOffEach(amount_cents=Cents(200)), scope=MILK_TEA),
        "奶茶每件减¥2。",
        "¥2 off each item on milk tea.",
    ),
    (
        Rule(effect=UnitPrice(price_cents=Cents(990)), scope=BISCUIT),
        "曲奇每件¥9.90。",
        "¥9.90 each on Biscuit.",
    ),
    (
        Rule(effect=FreeItem(max_value_cents=Cents(2000), quantity=2)),
        "免费2件：任意商品，每件最多¥20。",
        "2 free of anything, each up to ¥20.",
    ),
    (
        Rule(effect=CheapestFree(free_quantity=1, percent_bp=5000, max_applications=2)),
        "任意商品最便宜的1件打5折，每单最多2次。",
        "the 1 cheapest of anything 50% off, at most 2 times per order.",
    ),
    (
        Rule(effect=CheapestFree(group_quantity=3), scope=MILK_TEA),
        "奶茶每3件，最便宜的1件免费。",
        "for every 3 of milk tea, the 1 cheapest free.",
    ),
    (
        Rule(effect=NthItemPercent(nth=2, percent_bp=5000)),
        "任意商品第2件打5折。",
        "item no. 2 of anything 50% off.",
    ),
    (
        Rule(
            effect=NthItemPercent(
                nth=2,
                percent_bp=5000,
                group_quantity=4,
                group_order=PriceOrder.CHEAPEST_FIRST,
                item_order=PriceOrder.CART_ORDER,
                is_pooled=True,
                max_applications=1,
            )
        ),
        "任意商品第2件打5折，每4件一组，价低者先成组，组内按下单顺序计数，全部合并计数，每单最多1次。",
        "item no. 2 of anything 50% off, in groups of 4, grouped from the cheapest up,"
        " counted in the order of the cart, counted over all groups together,"
        " once per order.",
    ),
    (
        Rule(effect=BuyXGetY(buy_quantity=1, get_quantity=1), scope=MILK_TEA),
        "买1件，送1件：奶茶，送最便宜的。",
        "buy 1, get 1 free: milk tea, the cheapest are given.",
    ),
    (
        Rule(
            effect=BuyXGetY(
                buy_spend_cents=Cents(3000),
                get_quantity=1,
                percent_bp=5000,
                buy_scope=MILK_TEA,
                get_order=PriceOrder.DEAREST_FIRST,
                require_full_get=True,
                max_applications=2,
            ),
            scope=BISCUIT,
        ),
        "买满¥30（奶茶），得1件打5折：曲奇，送最贵的，须凑满整组，每单最多2次。",
        "spend ¥30 of milk tea, get 1 50% off: Biscuit, the dearest are given,"
        " only full sets count, at most 2 times per order.",
    ),
    (
        Rule(
            effect=BundlePrice(
                parts=(
                    BundlePart(scope=MILK_TEA, quantity=1),
                    BundlePart(scope=BISCUIT, quantity=2),
                ),
                price_cents=Cents(2500),
                pick=PriceOrder.CHEAPEST_FIRST,
                max_applications=1,
            )
        ),
        "套餐¥25：奶茶×1＋曲奇×2，价低者先，每单最多1次。",
        "1 × milk tea + 2 × Biscuit together for ¥25, from the cheapest up, once per order.",
    ),
    (
        Rule(
            effect=TieredFixedOff(
                tiers=(
                    FixedTier(threshold=5000, amount_cents=Cents(1000)),
                    FixedTier(threshold=10000, amount_cents=Cents(2500)),
                )
            )
        ),
        "满¥50减¥10、满¥100减¥25。",
        "¥10 off from ¥50, ¥25 off from ¥100.",
    ),
    (
        Rule(
            effect=TieredPercentOff(
                tiers=(PercentTier(threshold=3, percent_bp=1000),), by=Measured.QUANTITY
            ),
            scope=MILK_TEA,
        ),
        "奶茶满3件打9折。",
        "10% off from 3 items on milk tea.",
    ),
    (
        Rule(
            effect=FreeTopping(
                toppings=frozenset({"pudding"}), max_value_cents=Cents(400), quantity=2
            )
        ),
        "免费加料2份（布丁），每件最多¥4。",
        "2 free topping(s) (Pudding), each up to ¥4.",
    ),
    (Rule(effect=FreeUpsize()), "免费升杯1杯。", "1 larger cup(s) at no charge."),
    (Rule(effect=FreeDelivery()), "免配送费。", "free delivery."),
    (
        Rule(effect=FreeDelivery(), scope=MILK_TEA),
        "买奶茶免配送费。",
        "free delivery with milk tea.",
    ),
    (
        Rule(effect=GiftItem(product="SN01", quantity=1, buy_quantity=2, max_applications=None)),
        "每买2件（任意商品）送曲奇×1，每单不限次数。",
        "for every 2 of anything, 1 × Biscuit as a gift, as often as it fits into an order.",
    ),
    (
        Rule(effect=PointsBoost(multiplier_percent=250, bonus_points=Points(30)), scope=MILK_TEA),
        "奶茶2.5倍积分，另赠30积分。",
        "2.5 times the points on milk tea, 30 points on top.",
    ),
    (
        Rule(effect=GiftCoupon(coupon="NEXT5", quantity=2)),
        "买任意商品后送券“NEXT5”2张。",
        "after buying anything, 2 × coupon “NEXT5”.",
    ),
]


@pytest.mark.parametrize(("rule", "zh", "en"), EFFECT_SENTENCES)
def test_each_effect_has_its_sentence(rule: Rule, zh: str, en: str) -> None:
    assert tell(rule) == (zh, en)


def test_there_is_a_sentence_for_every_effect() -> None:
    assert {type(rule.effect) for rule, _zh, _en in EFFECT_SENTENCES} == set(EFFECTS.values())


CONDITION_SENTENCES = [
    ({"starts_at": NOON}, "2026-06-18 12:00起", "from 2026-06-18 12:00"),
    ({"ends_at": NOON + timedelta(hours=1)}, "2026-06-18 13:00止", "until 2026-06-18 13:00"),
    ({"members_only": True}, "仅限会员", "members only"),
    ({"tiers": frozenset({"gold"})}, "限金卡会员", "for Gold members"),
    ({"segments": frozenset({"asleep"})}, "限人群：asleep", "for the segments asleep"),
    ({"channels": frozenset({"flyer"})}, "限来自flyer的会员", "for members who came by flyer"),
    ({"first_order_only": True}, "仅限首单", "first order only"),
    ({"nth_order": 3}, "仅限第3单", "only for order number 3"),
    ({"birthday_within_days": 0}, "仅限生日当天", "on the birthday"),
    ({"birthday_within_days": 7}, "生日前后7天内", "within 7 days of the birthday"),
    ({"birthday_month": True}, "仅限生日月", "in the month of the birthday"),
    ({"joined_within_days": 30}, "入会30天内", "within 30 days of joining"),
    ({"stores": frozenset({"SH001"})}, "限门店：南京路店", "at Nanjing Road"),
    ({"cities": frozenset({"Shanghai"})}, "限城市：Shanghai", "in Shanghai"),
    ({"order_types": frozenset({"pickup", "dine_in"})}, "限堂食、自取", "for dine-in, pickup"),
    ({"payment_methods": frozenset({"wechat"})}, "限用wechat付款", "when paying by wechat"),
    (
        {"hours": (Hours(starts=time(14), ends=time(16), weekdays=frozenset({1, 5})),)},
        "限周一、周五14:00–16:00",
        "Mon, Fri 14:00–16:00",
    ),
    (
        {"hours": (Hours(starts=time(22), ends=time(2)), Hours(starts=time(0), ends=time(0)))},
        "限每天22:00–次日02:00或每天全天",
        "daily 22:00–02:00 the next day or daily all day",
    ),
    ({"contains": BISCUIT}, "须购买曲奇", "with Biscuit in the order"),
    (
        {"contains": BISCUIT, "contains_match": Match.NONE},
        "订单不可含曲奇",
        "without Biscuit in the order",
    ),
    (
        {"contains": BISCUIT, "contains_match": Match.ONLY},
        "订单只可含曲奇",
        "with nothing but Biscuit in the order",
    ),
    (
        {"contains": BISCUIT, "contains_match": Match.ALL},
        "须同时购买每一种：曲奇",
        "with each of Biscuit in the order",
    ),
    (
        {"scope": MILK_TEA, "min_spend_cents": Cents(2500)},
        "订单满¥25可用（只计奶茶）",
        "for orders from ¥25 (counting milk tea)",
    ),
    ({"max_spend_cents": Cents(9900)}, "订单不超过¥99", "for orders up to ¥99"),
    ({"min_quantity": 3}, "满3件可用", "from 3 items on"),
    ({"min_distinct_products": 2}, "至少2种不同商品", "with at least 2 different products"),
]


@pytest.mark.parametrize(("asked", "zh", "en"), CONDITION_SENTENCES)
def test_each_condition_has_its_words(asked: dict[str, Any], zh: str, en: str) -> None:
    rule = Rule(effect=FixedOff(amount_cents=Cents(100)), conditions=Conditions(**asked))
    assert tell(rule) == (f"减¥1；{zh}。", f"¥1 off; {en}.")


def test_there_are_words_for_every_condition() -> None:
    told = {name for asked, _zh, _en in CONDITION_SENTENCES for name in asked}
    assert told == {field.name for field in fields(Conditions)}


SCOPES = {
    "products": frozenset({"SN01"}),
    "categories": frozenset({"milk_tea"}),
    "exclude_products": frozenset({"SN01"}),
    "exclude_categories": frozenset({"milk_tea"}),
    "min_price_cents": Cents(1000),
    "max_price_cents": Cents(2000),
    "portion": Portion.WITHOUT_TOPPINGS,
    "options": frozenset({"hot"}),
    "exclude_reduced": True,
}
LIMITS: dict[str, Any] = {
    "max_discount_cents": Cents(800),
    "max_items": 2,
    "max_items_per_line": 1,
    "max_lines": 3,
    "item_order": PriceOrder.DEAREST_FIRST,
}
RULE: dict[str, Any] = {
    "stacking": Stacking.EXCLUSIVE,
    "exclusive_group": "coupon",
    "priority": 10,
    "best_deal": True,
}
CAPS: dict[str, Any] = {field.name: 7 for field in fields(Caps)}
PLAIN = Rule(effect=PercentOff(percent_bp=1000), limits=Limits(max_items=5))


class TestNothingIsUnsaid:
    @pytest.mark.parametrize("name", [field.name for field in fields(Scope)])
    def test_about_the_goods(self, name: str) -> None:
        scope = Scope(**{name: SCOPES[name]})
        changed = replace(PLAIN, scope=scope)
        asked = replace(PLAIN, conditions=Conditions(contains=scope))
        for rule in (changed, asked):
            zh, en = tell(rule)
            assert zh != tell(PLAIN)[0]
            assert en != tell(PLAIN)[1]

    @pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
    def test_about_limits(self, name: str) -> None:
        changed = replace(PLAIN, limits=replace(PLAIN.limits, **{name: LIMITS[name]}))
        assert all(a != b for a, b in zip(tell(changed), tell(PLAIN), strict=True))

    @pytest.mark.parametrize("name", sorted(RULE))
    def test_about_stacking(self, name: str) -> None:
        changed = replace(PLAIN, **{name: RULE[name]})
        assert all(a != b for a, b in zip(tell(changed), tell(PLAIN), strict=True))

    @pytest.mark.parametrize("name", sorted(CAPS))
    def test_about_caps(self, name: str) -> None:
        capped = tell(PLAIN, caps=Caps(**{name: CAPS[name]}))
        assert all(a != b for a, b in zip(capped, tell(PLAIN), strict=True))

    def test_about_anything_a_rule_can_hold(self) -> None:
        parts = {"effect", "scope", "conditions", "limits"}
        assert {field.name for field in fields(Rule)} == parts | set(RULE)

    @pytest.mark.parametrize("rule", [rule for rule, _zh, _en in EFFECT_SENTENCES])
    def test_about_the_fields_of_an_effect(self, rule: Rule) -> None:
        """Whatever is not at its default is said: back at its default, the sentence is another."""
        effect: Any = rule.effect
        for field in fields(effect):
            value = getattr(effect, field.name)
            if isinstance(value, bool | str) or not isinstance(value, int):
                continue
            other = value - 1 if value == 10_000 else value + 1
            plainer = replace(rule, effect=replace(effect, **{field.name: other}))
            assert all(a != b for a, b in zip(tell(plainer), tell(rule), strict=True)), field.name


def test_the_toppings_alone() -> None:
    rule = Rule(effect=PercentOff(percent_bp=5000), scope=Scope(portion=Portion.TOPPINGS))
    assert tell(rule) == (
        "任意商品（只计加料）打5折。",
        "50% off on anything (the toppings alone).",
    )


def test_caps_read_like_this() -> None:
    assert tell(PLAIN, caps=Caps(total=100, per_member=1, budget_cents=Cents(500000))) == (
        "打9折；最多5件；每人限1次；共100次；优惠总额¥5,000用完为止。",
        "10% off; on at most 5 items; at most 1 per member; 100 in all;"
        " until ¥5,000 have been given.",
    )
