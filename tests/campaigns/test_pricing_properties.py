"""What must hold for every cart and every set of offers: the guarantees of docs/pricing.md."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.pricing import (
    EFFECTS,
    GUEST,
    BundlePart,
    BundlePrice,
    BuyXGetY,
    Cart,
    CartLine,
    CheapestFree,
    Conditions,
    Effect,
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
    Offer,
    PercentBase,
    PercentOff,
    PercentTier,
    PointsBoost,
    Portion,
    PriceOrder,
    Pricing,
    Rule,
    Scope,
    Stacking,
    TieredFixedOff,
    TieredPercentOff,
    Topping,
    UnitPrice,
    evaluate,
    offer_rule_to_json,
    parse_rule,
)
from shop.kernel.money import Cents, Points
from tests.campaigns.samples import NOON, SHANGHAI, cart, cups, line, offer, price

unhurried = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

PRODUCTS = ["MT01", "MT02", "FT01", "SN01"]
CATEGORIES = ["milk_tea", "fruit_tea", "snack"]
TOPPINGS = ["pearls", "pudding", "foam"]
PEARLS, PUDDING = (
    Topping(code="pearls", price_cents=Cents(200)),
    Topping(code="pudding", price_cents=Cents(300)),
)
TOPPING_CHOICES = [(), (), (PEARLS,), (PEARLS, PUDDING), (PUDDING, PUDDING)]
OPTIONS = [frozenset[str](), frozenset({"L"}), frozenset({"L", "oat"})]

amounts = st.integers(1, 5000).map(Cents)
shares = st.integers(1, 10_000)
few = st.integers(1, 4)
up_to = st.none() | few


def some(names: Sequence[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(names), max_size=2)


@st.composite
def cart_lines(draw: st.DrawFn, position: int) -> CartLine:
    toppings = draw(st.sampled_from(TOPPING_CHOICES))
    upsize = draw(st.sampled_from([0, 300]))
    toppings_cents = sum(topping.price_cents for topping in toppings)
    unit_price = toppings_cents + upsize + draw(st.integers(0, 3000))
    return line(
        position,
        unit_price,
        draw(st.integers(1, 4)),
        product=draw(st.sampled_from(PRODUCTS)),
        category=draw(st.sampled_from(CATEGORIES)),
        other_categories=draw(st.sampled_from([frozenset[str](), frozenset({"summer"})])),
        options=draw(st.sampled_from(OPTIONS)),
        toppings=toppings,
        toppings_cents=Cents(toppings_cents),
        upsize_cents=Cents(upsize),
        min_unit_price_cents=Cents(draw(st.sampled_from([0, 0, 500, 2000]))),
        is_discountable=draw(st.sampled_from([True, True, True, False])),
        is_reduced=draw(st.booleans()),
    )


@st.composite
def carts(draw: st.DrawFn) -> Cart:
    count = draw(st.integers(0, 5))
    lines = [draw(cart_lines(position)) for position in range(1, count + 1)]
    order_type = draw(st.sampled_from(["pickup", "delivery"]))
    fee = draw(st.integers(0, 800)) if order_type == "delivery" else 0
    return cart(*lines, order_type=order_type, delivery_fee_cents=Cents(fee))


scopes = st.just(Scope()) | st.builds(
    Scope,
    products=some(PRODUCTS),
    categories=some([*CATEGORIES, "summer"]),
    exclude_products=some(PRODUCTS),
    exclude_categories=some(CATEGORIES),
    max_price_cents=st.none() | st.integers(500, 3000).map(Cents),
    portion=st.sampled_from(Portion),
    options=st.sampled_from([frozenset(), frozenset(), frozenset({"L"})]),
    exclude_reduced=st.booleans(),
)


@st.composite
def nth_items(draw: st.DrawFn) -> NthItemPercent:
    nth = draw(few)
    return NthItemPercent(
        nth=nth,
        percent_bp=draw(shares),
        group_quantity=draw(st.none() | st.integers(nth, 5)),
        group_order=draw(st.sampled_from(PriceOrder)),
        item_order=draw(st.sampled_from(PriceOrder)),
        is_pooled=draw(st.booleans()),
        max_applications=draw(up_to),
    )


@st.composite
def buys(draw: st.DrawFn) -> BuyXGetY:
    by_spend = draw(st.booleans())
    return BuyXGetY(
        buy_quantity=None if by_spend else draw(few),
        buy_spend_cents=draw(amounts) if by_spend else None,
        get_quantity=draw(few),
        percent_bp=draw(shares),
        buy_scope=draw(st.none() | scopes),
        get_order=draw(st.sampled_from(PriceOrder)),
        require_full_get=draw(st.booleans()),
        max_applications=draw(up_to),
    )


@st.composite
def cheapest(draw: st.DrawFn) -> CheapestFree:
    free = draw(few)
    group = draw(st.none() | st.integers(free, 5))
    return CheapestFree(free_quantity=free, percent_bp=draw(shares), group_quantity=group)


def tiers(cls: Any, values: dict[str, st.SearchStrategy[int]]) -> st.SearchStrategy[Any]:
    return st.lists(
        st.builds(cls, threshold=st.integers(0, 6000), **values),
        min_size=1,
        max_size=3,
        unique_by=lambda tier: tier.threshold,
    ).map(lambda found: tuple(sorted(found, key=lambda tier: tier.threshold)))


EFFECT_STRATEGIES: dict[str, st.SearchStrategy[Any]] = {
    "percent_off": st.builds(
        PercentOff,
        percent_bp=shares,
        max_discount_cents=st.none() | amounts,
        base=st.sampled_from(PercentBase),
    ),
    "fixed_off": st.builds(FixedOff, amount_cents=amounts),
    "fixed_off_each": st.builds(FixedOffEach, amount_cents=amounts),
    "unit_price": st.builds(UnitPrice, price_cents=amounts),
    "free_item": st.builds(FreeItem, max_value_cents=st.none() | amounts, quantity=few),
    "cheapest_free": cheapest(),
    "nth_item_percent": nth_items(),
    "buy_x_get_y": buys(),
    "bundle_price": st.builds(
        BundlePrice,
        parts=st.lists(
            st.builds(BundlePart, scope=scopes, quantity=st.integers(1, 2)), min_size=1, max_size=2
        ).map(tuple),
        price_cents=amounts,
        pick=st.sampled_from(PriceOrder),
        max_applications=up_to,
    ),
    "tiered_percent_off": st.builds(
        TieredPercentOff,
        tiers=tiers(PercentTier, {"percent_bp": shares}),
        by=st.sampled_from(Measured),
        base=st.sampled_from(PercentBase),
    ),
    "tiered_fixed_off": st.builds(
        TieredFixedOff,
        tiers=tiers(FixedTier, {"amount_cents": amounts}),
        by=st.sampled_from(Measured),
    ),
    "free_topping": st.builds(
        FreeTopping,
        toppings=some(TOPPINGS),
        max_value_cents=st.none() | st.sampled_from([Cents(100), Cents(250)]),
        quantity=few,
    ),
    "free_upsize": st.builds(FreeUpsize, quantity=few),
    "free_delivery": st.builds(FreeDelivery),
    "gift_item": st.builds(
        GiftItem,
        product=st.sampled_from(PRODUCTS),
        quantity=few,
        buy_quantity=few,
        max_applications=up_to,
    ),
    "points_boost": st.builds(
        PointsBoost,
        multiplier_percent=st.integers(100, 300),
        bonus_points=st.integers(1, 50).map(Points),
    ),
    "gift_coupon": st.builds(GiftCoupon, coupon=st.sampled_from(["NEXT5", "NEXT10"]), quantity=few),
}
effects: st.SearchStrategy[Effect] = st.one_of(*EFFECT_STRATEGIES.values())


@st.composite
def limits(draw: st.DrawFn, effect: Effect) -> Limits:
    items = st.none() if effect.chooses_units else up_to
    return Limits(
        max_discount_cents=draw(st.none() | amounts) if effect.gives_money else None,
        max_items=draw(items),
        max_items_per_line=draw(items),
        max_lines=draw(items),
        item_order=draw(st.sampled_from(PriceOrder)),
    )


hours = st.builds(
    Hours,
    starts=st.times(),
    ends=st.times(),
    weekdays=st.frozensets(st.integers(1, 7)),
)
moments = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(SHANGHAI),
)
conditions = st.builds(
    Conditions,
    starts_at=st.none() | moments,
    stores=some(["SH001", "BJ001"]),
    hours=st.lists(hours, max_size=2).map(tuple),
    contains=st.none() | scopes,
    contains_match=st.sampled_from(Match),
    scope=st.none() | scopes,
    min_spend_cents=st.integers(0, 3000).map(Cents),
    max_spend_cents=st.none() | st.integers(3000, 9000).map(Cents),
    min_quantity=st.integers(0, 4),
    min_distinct_products=st.integers(0, 2),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    effect = draw(effects)
    scope = draw(scopes)
    return Rule(
        effect=effect,
        scope=replace(scope, portion=Portion.WHOLE) if effect.chooses_portion else scope,
        conditions=draw(st.just(Conditions()) | st.just(Conditions()) | conditions),
        limits=draw(limits(effect)),
        stacking=draw(st.sampled_from(Stacking)),
        exclusive_group=draw(st.sampled_from([None, None, "g1"])),
        priority=draw(st.integers(0, 2)),
        best_deal=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def offer_lists(draw: st.DrawFn) -> list[Offer]:
    keys = draw(st.lists(st.sampled_from("ABCDEF"), unique=True, max_size=5))
    return [
        Offer(
            key=key,
            name=key,
            rule=draw(rules()),
            budget_left_cents=draw(st.none() | st.integers(0, 5000).map(Cents)),
        )
        for key in keys
    ]


def test_every_effect_is_tried() -> None:
    assert EFFECT_STRATEGIES.keys() == EFFECTS.keys()


@pytest.mark.parametrize("kind", EFFECTS)
@unhurried
@given(data=st.data(), prices=st.lists(st.integers(1, 3000), min_size=1, max_size=8))
def test_each_effect_alone_stays_within_the_price(
    kind: str, data: st.DataObject, prices: list[int]
) -> None:
    effect: Effect = data.draw(EFFECT_STRATEGIES[kind])

    pricing = price(cups(*prices), offer(effect))

    for priced in pricing.lines:
        assert 0 <= priced.discount_cents <= priced.subtotal_cents
    assert len(pricing.applied) + len(pricing.refusals) == 1


@unhurried
@given(cart=carts(), offers=offer_lists())
def test_discounts_are_never_negative_nor_beyond_the_price(cart: Cart, offers: list[Offer]) -> None:
    pricing = price(cart, *offers)

    for priced in pricing.lines:
        assert 0 <= priced.discount_cents <= priced.subtotal_cents
        assert priced.net_cents == priced.subtotal_cents - priced.discount_cents
        assert all(allocation.amount_cents > 0 for allocation in priced.allocations)
    on_lines = sum(priced.discount_cents for priced in pricing.lines)
    assert pricing.discount_cents == on_lines + pricing.delivery_discount_cents
    assert 0 <= pricing.delivery_discount_cents <= cart.delivery_fee_cents
    assert pricing.subtotal_cents == sum(line.subtotal_cents for line in cart.lines)
    assert pricing.total_cents >= 0
    given = {each.key: each.discount_cents - each.delivery_cents for each in pricing.applied}
    assert _given(pricing) == {key: cents for key, cents in given.items() if cents}
    for each in pricing.applied:
        assert each.discount_cents or each.gifts or each.rewards


@unhurried
@given(cart=carts(), offers=offer_lists())
def test_no_unit_is_sold_below_its_lowest_price(cart: Cart, offers: list[Offer]) -> None:
    pricing = price(cart, *offers)

    for sold, priced in zip(cart.lines, pricing.lines, strict=True):
        lowest = min(sold.min_unit_price_cents, sold.unit_price_cents)
        assert priced.net_cents >= lowest * sold.quantity


def _given(pricing: Pricing) -> Counter[str]:
    """Return what the allocations of all lines add up to, by offer."""
    given: Counter[str] = Counter()
    for priced in pricing.lines:
        for allocation in priced.allocations:
            given[allocation.offer_key] += allocation.amount_cents
    return given


@unhurried
@given(cart=carts(), offers=offer_lists(), data=st.data())
def test_the_order_of_entry_does_not_matter(
    cart: Cart, offers: list[Offer], data: st.DataObject
) -> None:
    other_cart = replace(cart, lines=tuple(data.draw(st.permutations(cart.lines))))

    other = price(other_cart, *data.draw(st.permutations(offers)))

    assert other == price(cart, *offers)


@unhurried
@given(cart=carts(), offers=offer_lists())
def test_every_offer_is_told_of_and_keeps_its_limits(cart: Cart, offers: list[Offer]) -> None:
    pricing = price(cart, *offers)

    gave = {applied.key: applied.discount_cents for applied in pricing.applied}
    told = [*gave, *(refusal.key for refusal in pricing.refusals)]
    assert sorted(told) == sorted(each.key for each in offers)
    for each in offers:
        limits = each.rule.limits.max_discount_cents, each.budget_left_cents
        assert all(gave.get(each.key, 0) <= limit for limit in limits if limit is not None)
    assert json.loads(json.dumps(pricing.trace)) == pricing.trace


@unhurried
@given(cart=carts(), offers=offer_lists())
def test_an_exclusive_offer_shares_an_order_only_with_those_that_always_stack(
    cart: Cart, offers: list[Offer]
) -> None:
    rules = {each.key: each.rule for each in offers}
    applied = [rules[applied.key] for applied in price(cart, *offers).applied]

    stacking = Counter(rule.stacking for rule in applied)
    assert stacking[Stacking.EXCLUSIVE] <= 1
    assert not (stacking[Stacking.EXCLUSIVE] and stacking[Stacking.COMMON])
    groups = Counter(rule.exclusive_group for rule in applied if rule.exclusive_group)
    assert all(count == 1 for count in groups.values())


@unhurried
@given(cart=carts(), offers=offer_lists())
def test_the_best_deal_is_the_best_of_all_combinations(cart: Cart, offers: list[Offer]) -> None:
    """Tried one by one: every choice of offers, each applied by rank."""
    by_rank = [replace(each, rule=replace(each.rule, best_deal=False)) for each in offers]
    kept = [each for each in by_rank if _is_always(each)]
    optional = [each for each in by_rank if not _is_always(each)]
    choices = [
        [*kept, *some]
        for count in range(len(optional) + 1)
        for some in combinations(optional, count)
    ]

    best = evaluate(cart, GUEST, by_rank, NOON, best_deal=True)

    assert best.discount_cents == max(price(cart, *choice).discount_cents for choice in choices)
    assert best.discount_cents >= price(cart, *by_rank).discount_cents


def _is_always(offer: Offer) -> bool:
    return offer.rule.stacking is Stacking.ALWAYS and offer.rule.exclusive_group is None


@unhurried
@given(cart=carts(), offers=offer_lists())
def test_the_best_deal_of_many_offers_is_never_worse_than_by_rank(
    cart: Cart, offers: list[Offer]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("campaigns.pricing.choice.MAX_COMBINATIONS", 0)
        best = evaluate(cart, GUEST, offers, NOON, best_deal=True)
    by_rank = [replace(each, rule=replace(each.rule, best_deal=False)) for each in offers]

    assert best.discount_cents >= price(cart, *by_rank).discount_cents
    told = [each.key for each in best.applied] + [each.key for each in best.refusals]
    assert sorted(told) == sorted(each.key for each in offers)


@unhurried
@given(rule=rules())
def test_a_rule_survives_its_json_form(rule: Rule) -> None:
    assert parse_rule(json.loads(json.dumps(offer_rule_to_json(rule)))) == rule


@given(cart=carts(), amount=amounts)
def test_a_fixed_amount_is_given_to_the_last_cent(cart: Cart, amount: Cents) -> None:
    discountable = sum(
        max(0, line.unit_price_cents - line.min_unit_price_cents) * line.quantity
        for line in cart.lines
        if line.is_discountable
    )

    pricing = price(cart, offer(FixedOff(amount_cents=amount)))

    assert pricing.discount_cents == min(amount, discountable)


prices = st.lists(st.integers(1, 3000), min_size=1, max_size=9)


@given(prices=prices, cup=st.integers(1, 3000), nth=st.integers(2, 4))
def test_a_second_cup_discount_never_shrinks_with_another_cup(
    prices: list[int], cup: int, nth: int
) -> None:
    second_cup = offer(NthItemPercent(nth=nth, percent_bp=5000))

    fewer = price(cups(*prices), second_cup)

    assert price(cups(*prices, cup), second_cup).discount_cents >= fewer.discount_cents


@given(prices=prices, buy=st.integers(1, 3), get=st.integers(1, 3))
def test_buying_and_getting_in_one_scope_frees_the_cheapest(
    prices: list[int], buy: int, get: int
) -> None:
    full, rest = divmod(len(prices), buy + get)
    free = full * get + max(0, rest - buy)

    pricing = price(cups(*prices), offer(BuyXGetY(buy_quantity=buy, get_quantity=get)))

    assert pricing.discount_cents == sum(sorted(prices)[:free])


@given(hours=hours, moment=moments)
def test_hours_begin_in_the_future_and_open_then(hours: Hours, moment: datetime) -> None:
    start = hours.next_start(moment)

    assert moment < start
    assert hours.include(start)
    assert start.time() == hours.starts


def test_a_day_of_hours_has_no_gap() -> None:
    morning, night = (
        Hours(starts=time(6), ends=time(22)),
        Hours(starts=time(22), ends=time(6)),
    )

    for hour in range(24):
        at = NOON.replace(hour=hour)
        assert morning.include(at) != night.include(at)
