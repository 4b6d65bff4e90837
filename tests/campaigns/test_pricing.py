"""Worked examples of docs/pricing.md, by hand. Amounts are fen."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from campaigns.pricing import (
    Allocation,
    AppliedOffer,
    BundlePart,
    BundlePrice,
    BuyXGetY,
    Cart,
    CheapestFree,
    Conditions,
    Effect,
    Facts,
    FixedOff,
    FixedOffEach,
    FixedTier,
    FreeItem,
    Hours,
    InvalidCart,
    Limits,
    Measured,
    NthItemPercent,
    Offer,
    PercentOff,
    PercentTier,
    Portion,
    PriceOrder,
    Reason,
    Refusal,
    Scope,
    Stacking,
    TieredFixedOff,
    TieredPercentOff,
    UnitPrice,
    Uses,
    parse_rule,
)
from shop.kernel.money import Cents
from tests.campaigns.samples import (
    MEMBER,
    NOON,
    SHANGHAI,
    cart,
    cups,
    discounts,
    line,
    offer,
    price,
)

TEAS = frozenset({"milk_tea", "fresh_milk_tea", "fruit_tea"})


def demo_coupon(code: str, **rule: Any) -> Offer:
    return Offer(key=code, name=code, rule=parse_rule({"version": 1, **rule}))


NEW_BOGO = demo_coupon(
    "NEW_BOGO",
    effect={"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1, "max_applications": 1},
    scope={"categories": sorted(TEAS)},
    conditions={"first_order_only": True},
)
FULL25_5 = demo_coupon(
    "FULL25_5",
    effect={"kind": "fixed_off", "amount_cents": 500},
    conditions={"min_spend_cents": 2500},
)
SECOND_HALF = demo_coupon(
    "SECOND_HALF", effect={"kind": "nth_item_percent", "nth": 2, "percent_bp": 5000}
)
PCT88_CAP8 = demo_coupon(
    "PCT88_CAP8",
    effect={"kind": "percent_off", "percent_bp": 1200, "max_discount_cents": 800},
)
FREE_TOPPING = demo_coupon(
    "FREE_TOPPING",
    effect={"kind": "free_item", "max_value_cents": 400},
    scope={"portion": "toppings"},
)


class TestDemoCoupons:
    def test_buy_one_get_one_gives_the_cheapest_tea(self) -> None:
        basket = cart(
            line(1, 1900, category="fruit_tea"),
            line(2, 1200),
            line(3, 600, category="snack"),
        )

        pricing = price(basket, NEW_BOGO)

        assert discounts(pricing) == [0, 1200, 0]
        assert pricing.total_cents == 2500

    def test_buy_one_get_one_is_for_the_first_order(self) -> None:
        pricing = price(cups(1200, 1200), NEW_BOGO, facts=MEMBER)

        assert pricing.refusals == (
            Refusal(key="NEW_BOGO", reason=Reason.NOT_FIRST_ORDER, needed=1, actual=4),
        )
        assert pricing.refusals[0].short is None

    def test_buy_one_get_one_needs_a_second_cup(self) -> None:
        pricing = price(cups(1200), NEW_BOGO)

        assert pricing.refusals == (
            Refusal(key="NEW_BOGO", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),
        )

    def test_5_off_25_is_spread_by_price(self) -> None:
        pricing = price(cups(1200, 1300), FULL25_5)

        assert discounts(pricing) == [240, 260]
        assert pricing.total_cents == 2000

    def test_5_off_25_says_what_is_missing(self) -> None:
        pricing = price(cups(1200, 900), FULL25_5)

        assert pricing.total_cents == 2100
        (refusal,) = pricing.refusals
        assert refusal == Refusal(
            key="FULL25_5", reason=Reason.MIN_SPEND_NOT_MET, needed=2500, actual=2100
        )
        assert refusal.short == 400

    def test_second_cup_is_half_price_in_each_pair_from_the_dearest_down(self) -> None:
        pricing = price(cups(1200, 1900, 1500, 1600, 900), SECOND_HALF)

        assert discounts(pricing) == [600, 0, 0, 800, 0]  # pairs 19+16 and 15+12; 9 is alone

    def test_12_percent_off_rounds_each_line_half_up(self) -> None:
        pricing = price(cups(1254, 1250), PCT88_CAP8)

        assert discounts(pricing) == [150, 150]  # 150.48 and 150.00

    def test_12_percent_off_is_capped_at_8_yuan(self) -> None:
        pricing = price(cart(line(1, 1900, 3), line(2, 2200)), PCT88_CAP8)

        assert pricing.discount_cents == 800  # 12 % would be 684 + 264
        assert discounts(pricing) == [577, 223]

    def test_free_topping_takes_off_toppings_only(self) -> None:
        basket = cart(line(1, 2000, toppings_cents=Cents(300)), line(2, 2500))

        assert discounts(price(basket, FREE_TOPPING)) == [300, 0]
        assert price(cups(1200), FREE_TOPPING).refusals[0].reason == Reason.NO_DISCOUNT_LEFT


class TestPercentOff:
    def test_takes_a_share_of_what_is_left(self) -> None:
        tenth, fifth = PercentOff(percent_bp=1000), PercentOff(percent_bp=2000)

        pricing = price(cups(10000), offer(tenth, "A"), offer(fifth, "B"))

        assert pricing.applied == (
            AppliedOffer(key="A", discount_cents=Cents(1000)),
            AppliedOffer(key="B", discount_cents=Cents(1800)),
        )
        assert pricing.lines[0].allocations == (
            Allocation(offer_key="A", amount_cents=Cents(1000)),
            Allocation(offer_key="B", amount_cents=Cents(1800)),
        )
        assert pricing.lines[0].net_cents == 7200

    def test_rounds_once_per_line_not_per_unit(self) -> None:
        half = offer(PercentOff(percent_bp=5000))

        assert discounts(price(cart(line(1, 999, 2)), half)) == [999]
        assert discounts(price(cups(999, 999), half)) == [500, 500]


class TestFixedOff:
    def test_never_takes_more_than_its_scope_costs(self) -> None:
        snack = Scope(categories=frozenset({"snack"}))
        basket = cart(line(1, 600, category="snack"), line(2, 1200))

        pricing = price(basket, offer(FixedOff(amount_cents=Cents(1000)), scope=snack))

        assert discounts(pricing) == [600, 0]

    def test_gives_the_odd_cent_to_the_largest_remainder(self) -> None:
        pricing = price(cups(1000, 1000, 1000), offer(FixedOff(amount_cents=Cents(1000))))

        assert discounts(pricing) == [334, 333, 333]


class TestFixedOffEach:
    def test_takes_off_each_unit_but_not_below_zero(self) -> None:
        each = offer(FixedOffEach(amount_cents=Cents(500)))

        assert discounts(price(cart(line(1, 1200, 2), line(2, 300)), each)) == [1000, 300]


class TestUnitPrice:
    def test_leaves_cheaper_units_alone(self) -> None:
        member_price = offer(UnitPrice(price_cents=Cents(990)))

        pricing = price(cart(line(1, 1200, 2), line(2, 600)), member_price)

        assert discounts(pricing) == [420, 0]

    def test_is_refused_when_everything_is_cheaper(self) -> None:
        pricing = price(cups(600), offer(UnitPrice(price_cents=Cents(990))))

        assert pricing.refusals == (Refusal(key="A", reason=Reason.NO_DISCOUNT_LEFT),)


class TestFreeItem:
    def test_frees_the_drink_that_saves_most(self) -> None:
        birthday = offer(FreeItem(max_value_cents=Cents(2000)))

        assert discounts(price(cups(1200, 1900, 1500), birthday)) == [0, 1900, 0]

    def test_of_equal_savings_takes_the_one_that_is_free_altogether(self) -> None:
        birthday = offer(FreeItem(max_value_cents=Cents(2000)))

        assert discounts(price(cups(2200, 2000), birthday)) == [0, 2000]

    def test_takes_its_value_off_a_dearer_drink(self) -> None:
        birthday = offer(FreeItem(max_value_cents=Cents(2000)))

        assert discounts(price(cups(1800, 2200), birthday)) == [0, 2000]

    def test_may_free_several_of_any_price(self) -> None:
        assert discounts(price(cups(1200, 1900, 1500), offer(FreeItem(quantity=2)))) == [
            0,
            1900,
            1500,
        ]


class TestCheapestFree:
    def test_frees_the_cheapest(self) -> None:
        assert discounts(price(cups(1200, 900, 1500), offer(CheapestFree()))) == [0, 900, 0]

    def test_frees_so_many_per_full_group(self) -> None:
        three_for_two = offer(CheapestFree(group_quantity=3))

        pricing = price(cart(line(1, 1000, 5), line(2, 800), line(3, 900)), three_for_two)

        assert discounts(pricing) == [0, 800, 900]

    def test_says_how_many_are_missing(self) -> None:
        three_for_two = offer(CheapestFree(group_quantity=3))

        assert price(cups(1000, 900), three_for_two).refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=3, actual=2),
        )


class TestNthItemPercent:
    def test_stops_at_its_applications(self) -> None:
        once = offer(NthItemPercent(nth=2, percent_bp=5000, max_applications=1))

        assert discounts(price(cups(1000, 1000, 1000, 1000), once)) == [0, 500, 0, 0]

    def test_needs_a_full_group(self) -> None:
        assert price(cups(1000), SECOND_HALF).refusals == (
            Refusal(key="SECOND_HALF", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),
        )

    def test_may_group_from_the_cheapest_up(self) -> None:
        from_below = NthItemPercent(nth=2, percent_bp=5000, group_order=PriceOrder.CHEAPEST_FIRST)

        assert discounts(price(cups(1900, 1200, 900), offer(from_below))) == [0, 0, 450]

    def test_may_count_off_over_all_groups_together(self) -> None:
        pooled = NthItemPercent(nth=2, percent_bp=5000, is_pooled=True)

        assert discounts(price(cups(1900, 1600, 1500, 1200), offer(pooled))) == [0, 0, 750, 600]


class TestBuyXGetY:
    def test_repeats_with_the_dearest_bought_and_the_cheapest_got(self) -> None:
        bogo = offer(BuyXGetY(buy_quantity=1, get_quantity=1))

        assert discounts(price(cups(5000, 4000, 3000, 2000, 1000), bogo)) == [0, 0, 0, 2000, 1000]

    def test_stops_at_its_applications(self) -> None:
        once = offer(BuyXGetY(buy_quantity=1, get_quantity=1, max_applications=1))

        assert discounts(price(cups(5000, 4000, 3000, 2000), once)) == [0, 0, 0, 2000]

    def test_gives_a_last_incomplete_get(self) -> None:
        two_plus_two = offer(BuyXGetY(buy_quantity=2, get_quantity=2))

        assert discounts(price(cups(1000, 1000, 900), two_plus_two)) == [0, 0, 900]

    def test_may_take_a_share_off_what_is_got(self) -> None:
        half = offer(BuyXGetY(buy_quantity=2, get_quantity=1, percent_bp=5000))

        assert discounts(price(cups(1000, 1001, 901), half)) == [0, 0, 451]

    def test_buys_in_one_scope_and_gets_in_another(self) -> None:
        tea_then_cake = offer(
            BuyXGetY(
                buy_quantity=2,
                get_quantity=1,
                buy_scope=Scope(categories=frozenset({"milk_tea"})),
            ),
            scope=Scope(categories=frozenset({"snack"})),
        )
        basket = cart(line(1, 1200, 4), line(2, 900, 3, category="snack"))

        assert discounts(price(basket, tea_then_cake)) == [0, 1800]

    def test_buys_first_what_it_cannot_get(self) -> None:
        any_two_then_milk_tea = offer(
            BuyXGetY(buy_quantity=2, get_quantity=1, buy_scope=Scope()),
            scope=Scope(categories=frozenset({"milk_tea"})),
        )
        basket = cart(
            line(1, 1800), line(2, 1500, category="fruit_tea"), line(3, 900, category="fruit_tea")
        )

        assert discounts(price(basket, any_two_then_milk_tea)) == [1800, 0, 0]

    @pytest.mark.parametrize(("teas", "cakes", "needed", "actual"), [(1, 1, 2, 1), (1, 2, 2, 1)])
    def test_says_what_must_be_bought(
        self, teas: int, cakes: int, needed: int, actual: int
    ) -> None:
        tea_then_cake = offer(
            BuyXGetY(
                buy_quantity=2,
                get_quantity=1,
                buy_scope=Scope(categories=frozenset({"milk_tea"})),
            ),
            scope=Scope(categories=frozenset({"snack"})),
        )
        basket = cart(line(1, 1200, teas), line(2, 900, cakes, category="snack"))

        assert price(basket, tea_then_cake).refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=needed, actual=actual),
        )

    def test_says_that_nothing_is_left_to_get(self) -> None:
        any_then_milk_tea = offer(
            BuyXGetY(buy_quantity=1, get_quantity=1, buy_scope=Scope()),
            scope=Scope(categories=frozenset({"milk_tea"})),
        )

        assert price(cups(1800), any_then_milk_tea).refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),
        )

    def test_does_not_count_a_unit_that_is_free_already(self) -> None:
        reward = offer(FreeItem(), "R", stacking=Stacking.ALWAYS, priority=0)
        bogo = offer(BuyXGetY(buy_quantity=1, get_quantity=1))

        pricing = price(cups(1900, 1200), reward, bogo)

        assert discounts(pricing) == [1900, 0]
        assert pricing.refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),
        )


TEA = BundlePart(scope=Scope(categories=frozenset({"milk_tea"})), quantity=1)
ANYTHING = BundlePart(scope=Scope(), quantity=1)


class TestBundlePrice:
    def test_repeats_and_spreads_by_price(self) -> None:
        cake = BundlePart(scope=Scope(categories=frozenset({"snack"})), quantity=1)
        tea_and_cake = offer(BundlePrice(parts=(TEA, cake), price_cents=Cents(2000)))
        basket = cart(line(1, 1500, 3), line(2, 900, 2, category="snack"))

        pricing = price(basket, tea_and_cake)

        assert discounts(pricing) == [500, 300]

    def test_lets_the_narrower_part_choose_first(self) -> None:
        bundle = offer(BundlePrice(parts=(ANYTHING, TEA), price_cents=Cents(2000)))
        basket = cart(line(1, 1800), line(2, 1200, category="fruit_tea"))

        assert price(basket, bundle).total_cents == 2000

    def test_leaves_a_set_that_is_cheaper_already(self) -> None:
        pricing = price(
            cups(600, 600), offer(BundlePrice(parts=(TEA, TEA), price_cents=Cents(2000)))
        )

        assert pricing.refusals == (Refusal(key="A", reason=Reason.NO_DISCOUNT_LEFT),)

    def test_says_how_many_a_set_takes(self) -> None:
        pricing = price(cups(600), offer(BundlePrice(parts=(TEA, TEA), price_cents=Cents(900))))

        assert pricing.refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),
        )

    def test_may_take_the_cheapest_units(self) -> None:
        bundle = BundlePrice(
            parts=(TEA, TEA),
            price_cents=Cents(1000),
            pick=PriceOrder.CHEAPEST_FIRST,
            max_applications=1,
        )

        assert discounts(price(cups(1900, 800, 700), offer(bundle))) == [0, 267, 233]


class TestTiers:
    MORE_FOR_MORE = TieredFixedOff(
        tiers=(
            FixedTier(threshold=2500, amount_cents=Cents(500)),
            FixedTier(threshold=5000, amount_cents=Cents(1200)),
        )
    )

    @pytest.mark.parametrize(("spend", "off"), [(2500, 500), (4999, 500), (5000, 1200)])
    def test_the_highest_threshold_reached_decides(self, spend: int, off: int) -> None:
        assert price(cups(spend), offer(self.MORE_FOR_MORE)).discount_cents == off

    def test_says_how_far_the_lowest_is(self) -> None:
        assert price(cups(2100), offer(self.MORE_FOR_MORE)).refusals == (
            Refusal(key="A", reason=Reason.MIN_SPEND_NOT_MET, needed=2500, actual=2100),
        )

    def test_thresholds_count_undiscounted_prices(self) -> None:
        first = offer(FixedOff(amount_cents=Cents(1000)), "A", priority=1)

        pricing = price(cups(5000), first, offer(self.MORE_FOR_MORE, "B", priority=2))

        assert pricing.discount_cents == 2200

    def test_may_count_units(self) -> None:
        by_cups = TieredPercentOff(
            tiers=(
                PercentTier(threshold=2, percent_bp=500),
                PercentTier(threshold=3, percent_bp=1000),
            ),
            by=Measured.QUANTITY,
        )

        assert price(cups(1000, 1000, 1000), offer(by_cups)).discount_cents == 300
        assert price(cups(1000), offer(by_cups)).refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),
        )


HALF = PercentOff(percent_bp=5000)


class TestScope:
    @pytest.mark.parametrize(
        ("scope", "in_scope"),
        [
            (Scope(), [1, 2, 3]),
            (Scope(products=frozenset({"p1"})), [1]),
            (Scope(products=frozenset({"p1"}), categories=frozenset({"snack"})), [1, 3]),
            (Scope(exclude_products=frozenset({"p1"})), [2, 3]),
            (Scope(exclude_categories=frozenset({"milk_tea"})), [3]),
            (Scope(min_price_cents=Cents(1000), max_price_cents=Cents(1199)), [2]),
            (Scope(min_price_cents=Cents(1200), max_price_cents=Cents(1200)), [1]),
            (Scope(max_price_cents=Cents(1000)), [2, 3]),
        ],
    )
    def test_chooses_lines(self, scope: Scope, in_scope: list[int]) -> None:
        basket = cart(
            line(1, 1200),
            line(2, 1000),
            line(3, 600, category="snack"),
            line(4, 5900, category="merch", is_discountable=False),
        )

        pricing = price(basket, offer(HALF, scope=scope))

        assert [priced.position for priced in pricing.lines if priced.allocations] == in_scope

    def test_can_leave_toppings_to_pay(self) -> None:
        drink = Scope(portion=Portion.WITHOUT_TOPPINGS)
        basket = cart(line(1, 1800, toppings_cents=Cents(400)))

        assert discounts(price(basket, offer(FreeItem(), scope=drink))) == [1400]

    def test_counts_only_its_portion(self) -> None:
        drink = Scope(portion=Portion.WITHOUT_TOPPINGS)
        basket = cart(line(1, 1800, toppings_cents=Cents(400)))
        from_15 = Conditions(scope=drink, min_spend_cents=Cents(1500))

        assert price(basket, offer(HALF, conditions=from_15)).refusals[0].actual == 1400

    def test_without_a_match_is_refused(self) -> None:
        nothing = Scope(products=frozenset({"p9"}))

        assert price(cups(1200), offer(HALF, scope=nothing)).refusals == (
            Refusal(key="A", reason=Reason.NO_MATCHING_ITEMS),
        )

    def test_of_free_units_has_nothing_left(self) -> None:
        assert price(cups(0), offer(HALF)).refusals == (
            Refusal(key="A", reason=Reason.NO_DISCOUNT_LEFT),
        )


def refused(
    conditions: Conditions, *, cart: Cart | None = None, facts: Facts = MEMBER
) -> Refusal | None:
    """Return why an offer with these conditions is refused, None when it is not."""
    refusals = price(cart or cups(1200), offer(HALF, conditions=conditions), facts=facts).refusals
    return refusals[0] if refusals else None


class TestConditions:
    def test_a_period_includes_its_start_and_not_its_end(self) -> None:
        hour = timedelta(hours=1)

        assert refused(Conditions(starts_at=NOON, ends_at=NOON + hour)) is None
        assert refused(Conditions(starts_at=NOON + hour)) == Refusal(
            key="A",
            reason=Reason.NOT_STARTED,
            needed="2026-06-18T13:00:00+08:00",
            actual="2026-06-18T12:00:00+08:00",
        )
        assert refused(Conditions(ends_at=NOON)) == Refusal(
            key="A",
            reason=Reason.EXPIRED,
            needed="2026-06-18T12:00:00+08:00",
            actual="2026-06-18T12:00:00+08:00",
        )

    @pytest.mark.parametrize(
        ("conditions", "reason"),
        [
            (Conditions(members_only=True), Reason.MEMBERS_ONLY),
            (Conditions(tiers=frozenset({"T1"})), Reason.TIER_MISMATCH),
            (Conditions(segments=frozenset({"students"})), Reason.SEGMENT_MISMATCH),
            (Conditions(channels=frozenset({"flyer"})), Reason.CHANNEL_MISMATCH),
            (Conditions(nth_order=4), Reason.NTH_ORDER_MISMATCH),
            (Conditions(birthday_within_days=3), Reason.NOT_BIRTHDAY),
            (Conditions(joined_within_days=40), Reason.JOINED_TOO_LONG_AGO),
        ],
    )
    def test_about_the_buyer(self, conditions: Conditions, reason: Reason) -> None:
        insider = Facts(
            member="m1",
            order_count=3,
            tier="T1",
            acquisition_channel="flyer",
            birthday=date(1999, 6, 21),
            segments=frozenset({"students", "regulars"}),
            days_since_joined=40,
        )
        refusal = refused(conditions, facts=Facts())

        assert refused(conditions, facts=insider) is None
        assert refusal is not None
        assert refusal.reason == reason

    def test_a_guest_may_be_on_the_first_order(self) -> None:
        assert refused(Conditions(first_order_only=True), facts=Facts()) is None

    def test_segments_are_not_told_to_the_buyer(self) -> None:
        conditions = Conditions(segments=frozenset({"at-risk"}))

        assert refused(conditions) == Refusal(key="A", reason=Reason.SEGMENT_MISMATCH)

    @pytest.mark.parametrize(
        ("birthday", "within", "is_met"),
        [
            (date(1999, 6, 18), 0, True),
            (date(1999, 6, 19), 0, False),
            (date(1999, 6, 15), 3, True),
            (date(1999, 6, 22), 3, False),
        ],
    )
    def test_about_a_birthday(self, birthday: date, within: int, is_met: bool) -> None:
        facts = Facts(member="m1", birthday=birthday)

        refusal = refused(Conditions(birthday_within_days=within), facts=facts)

        assert (refusal is None) == is_met

    @pytest.mark.parametrize(
        ("today", "birthday"),
        [
            (date(2027, 2, 28), date(2000, 2, 29)),
            (date(2028, 2, 29), date(2000, 2, 29)),
            (date(2026, 12, 31), date(1999, 1, 1)),
            (date(2026, 1, 1), date(1999, 12, 31)),
        ],
    )
    def test_about_a_birthday_at_the_edges_of_the_calendar(
        self, today: date, birthday: date
    ) -> None:
        at = datetime.combine(today, time(12), tzinfo=SHANGHAI)
        basket = cart(line(1, 1200), local_time=at)
        facts = Facts(member="m1", birthday=birthday)

        assert refused(Conditions(birthday_within_days=1), cart=basket, facts=facts) is None

    @pytest.mark.parametrize(
        ("conditions", "reason", "needed", "actual"),
        [
            (Conditions(stores=frozenset({"BJ1"})), Reason.WRONG_STORE, ["BJ1"], "SH001"),
            (Conditions(cities=frozenset({"Beijing"})), Reason.WRONG_CITY, ["Beijing"], "Shanghai"),
            (
                Conditions(order_types=frozenset({"dine_in", "delivery"})),
                Reason.WRONG_ORDER_TYPE,
                ["delivery", "dine_in"],
                "pickup",
            ),
        ],
    )
    def test_about_the_place(
        self, conditions: Conditions, reason: Reason, needed: list[str], actual: str
    ) -> None:
        assert refused(conditions) == Refusal(key="A", reason=reason, needed=needed, actual=actual)

    def test_about_the_cart(self) -> None:
        snack = Scope(categories=frozenset({"snack"}))
        basket = cart(line(1, 1200), line(2, 600, category="snack"))

        assert refused(Conditions(contains=snack), cart=basket) is None
        assert refused(Conditions(contains=snack)) == Refusal(
            key="A", reason=Reason.REQUIRED_ITEM_MISSING, needed=1, actual=0
        )
        assert refused(Conditions(min_quantity=2), cart=basket) is None
        assert refused(Conditions(min_quantity=2, scope=snack), cart=basket) == Refusal(
            key="A", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1
        )

    def test_without_a_scope_goods_never_discounted_count_too(self) -> None:
        basket = cart(line(1, 1200), line(2, 5900, is_discountable=False))
        spend = Cents(7100)

        assert refused(Conditions(min_spend_cents=spend), cart=basket) is None
        assert refused(Conditions(min_spend_cents=spend, scope=Scope()), cart=basket) == Refusal(
            key="A", reason=Reason.MIN_SPEND_NOT_MET, needed=7100, actual=1200
        )

    def test_thresholds_are_measured_before_any_discount(self) -> None:
        first = offer(FixedOff(amount_cents=Cents(500)), "A", priority=1)
        second = offer(
            FixedOff(amount_cents=Cents(100)),
            "B",
            priority=2,
            conditions=Conditions(min_spend_cents=Cents(2500)),
        )

        assert price(cups(2500), first, second).discount_cents == 600

    def test_limits_that_are_used_up(self) -> None:
        total, member = Reason.USAGE_LIMIT_REACHED, Reason.PER_MEMBER_LIMIT_REACHED
        used_up = [
            offer(HALF, "A", uses=(Uses(reason=total, used=5, most=5),)),
            offer(
                HALF,
                "B",
                uses=(Uses(reason=total, used=4, most=5), Uses(reason=member, used=2, most=1)),
            ),
            offer(HALF, "C", budget_left_cents=Cents(0)),
        ]

        pricing = price(cups(1200), *used_up)

        assert pricing.refusals == (
            Refusal(key="A", reason=total, needed=5, actual=5),
            Refusal(key="B", reason=member, needed=1, actual=2),
            Refusal(key="C", reason=Reason.BUDGET_EXHAUSTED, needed=1, actual=0),
        )
        assert pricing.applied == ()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class TestHours:
    HAPPY = Hours(starts=time(14), ends=time(16))
    FRIDAY_NIGHT = Hours(starts=time(22), ends=time(2), weekdays=frozenset({5}))
    SUNDAYS = Hours(starts=time(0), ends=time(0), weekdays=frozenset({7}))

    @pytest.mark.parametrize(
        ("hours", "moment", "is_open"),
        [
            (HAPPY, "2026-06-18T13:59:59", False),
            (HAPPY, "2026-06-18T14:00:00", True),
            (HAPPY, "2026-06-18T16:00:00", False),
            (FRIDAY_NIGHT, "2026-06-19T21:59:00", False),
            (FRIDAY_NIGHT, "2026-06-19T22:00:00", True),
            (FRIDAY_NIGHT, "2026-06-20T01:59:00", True),
            (FRIDAY_NIGHT, "2026-06-20T02:00:00", False),
            (FRIDAY_NIGHT, "2026-06-20T23:00:00", False),
            (FRIDAY_NIGHT, "2026-06-19T01:00:00", False),
            (SUNDAYS, "2026-06-21T00:00:00", True),
            (SUNDAYS, "2026-06-21T23:59:00", True),
            (SUNDAYS, "2026-06-22T00:00:00", False),
        ],
    )
    def test_may_run_past_midnight(self, hours: Hours, moment: str, is_open: bool) -> None:
        assert hours.include(at(moment)) == is_open

    def test_the_refusal_says_when_it_opens(self) -> None:
        basket = cart(line(1, 1200), local_time=at("2026-06-20T02:00:00"))

        refusal = refused(Conditions(hours=(self.FRIDAY_NIGHT, self.SUNDAYS)), cart=basket)

        assert refusal == Refusal(
            key="A",
            reason=Reason.OUTSIDE_HOURS,
            needed="2026-06-21T00:00:00+08:00",
            actual="2026-06-20T02:00:00+08:00",
        )

    def test_the_next_start_is_a_week_away_on_the_day_itself(self) -> None:
        opening = at("2026-06-19T22:00:00")

        assert self.FRIDAY_NIGHT.next_start(opening) == at("2026-06-26T22:00:00")

    def test_one_window_of_several_is_enough(self) -> None:
        lunch = Hours(starts=time(11), ends=time(13))

        assert refused(Conditions(hours=(self.FRIDAY_NIGHT, lunch))) is None


class TestLimits:
    def test_an_item_limit_takes_the_cheapest_units(self) -> None:
        one = Limits(max_items=1)

        assert discounts(price(cups(1200, 900, 1500), offer(HALF, limits=one))) == [0, 450, 0]

    def test_an_item_limit_may_hold_for_each_line(self) -> None:
        one_each = Limits(max_items_per_line=1)
        basket = cart(line(1, 1200, 2), line(2, 900, 3))

        assert discounts(price(basket, offer(HALF, limits=one_each))) == [600, 450]

    def test_a_discount_limit_is_spread_over_what_it_cuts(self) -> None:
        cap = Limits(max_discount_cents=Cents(100))

        assert discounts(price(cups(1200, 600), offer(HALF, limits=cap))) == [67, 33]

    def test_an_application_over_budget_is_refused_whole(self) -> None:
        pricing = price(cups(1200), offer(HALF, budget_left_cents=Cents(599)))

        (refusal,) = pricing.refusals
        assert refusal == Refusal(key="A", reason=Reason.BUDGET_EXHAUSTED, needed=600, actual=599)
        assert refusal.short == 1

    def test_an_application_may_use_up_its_budget(self) -> None:
        assert price(cups(1200), offer(HALF, budget_left_cents=Cents(600))).discount_cents == 600


TENTH: Effect = PercentOff(percent_bp=1000)


class TestStacking:
    def test_common_offers_stack_by_priority_then_key(self) -> None:
        pricing = price(
            cups(10000), offer(TENTH, "C"), offer(TENTH, "B"), offer(TENTH, "Z", priority=1)
        )

        assert pricing.applied == (
            AppliedOffer(key="Z", discount_cents=Cents(1000)),
            AppliedOffer(key="B", discount_cents=Cents(900)),
            AppliedOffer(key="C", discount_cents=Cents(810)),
        )

    def test_an_exclusive_offer_wins_over_common_and_later_exclusive_ones(self) -> None:
        pricing = price(
            cups(10000),
            offer(TENTH, "A", priority=1),
            offer(HALF, "B", stacking=Stacking.EXCLUSIVE),
            offer(HALF, "C", stacking=Stacking.EXCLUSIVE),
        )

        assert pricing.applied == (AppliedOffer(key="B", discount_cents=Cents(5000)),)
        assert pricing.refusals == (
            Refusal(key="A", reason=Reason.NOT_STACKABLE, actual="B"),
            Refusal(key="C", reason=Reason.NOT_STACKABLE, actual="B"),
        )

    def test_an_exclusive_offer_that_gives_nothing_keeps_nobody_out(self) -> None:
        nothing = Scope(products=frozenset({"p9"}))

        pricing = price(
            cups(10000),
            offer(TENTH, "A"),
            offer(HALF, "B", stacking=Stacking.EXCLUSIVE, scope=nothing),
        )

        assert pricing.applied == (AppliedOffer(key="A", discount_cents=Cents(1000)),)
        assert pricing.refusals == (Refusal(key="B", reason=Reason.NO_MATCHING_ITEMS),)

    def test_an_offer_that_always_stacks_goes_beside_an_exclusive_one(self) -> None:
        reward = offer(FreeItem(), "R", stacking=Stacking.ALWAYS, priority=0)

        pricing = price(cups(1900, 1200), reward, offer(HALF, stacking=Stacking.EXCLUSIVE))

        assert discounts(pricing) == [1900, 600]

    def test_of_a_group_the_first_that_gives_anything_is_applied(self) -> None:
        nothing = Scope(products=frozenset({"p9"}))

        pricing = price(
            cups(10000),
            offer(HALF, "A", exclusive_group="coupon", scope=nothing),
            offer(TENTH, "B", exclusive_group="coupon"),
            offer(HALF, "C", exclusive_group="coupon"),
            offer(TENTH, "D"),
        )

        assert [applied.key for applied in pricing.applied] == ["B", "D"]
        assert pricing.refusals == (
            Refusal(key="A", reason=Reason.NO_MATCHING_ITEMS),
            Refusal(key="C", reason=Reason.NOT_STACKABLE, actual="B"),
        )

    def test_two_offers_may_not_share_a_key(self) -> None:
        with pytest.raises(ValueError, match="same key"):
            price(cups(1200), offer(HALF), offer(TENTH))


class TestPricing:
    def test_adds_up(self) -> None:
        pricing = price(cart(line(2, 1200, 2), line(1, 900)), FULL25_5)

        assert [priced.position for priced in pricing.lines] == [1, 2]
        assert pricing.subtotal_cents == 3300
        assert pricing.discount_cents == 500
        assert pricing.total_cents == 2800
        assert [priced.net_cents for priced in pricing.lines] == [764, 2036]

    def test_of_an_empty_cart_is_nothing(self) -> None:
        pricing = price(cart(), offer(HALF))

        assert pricing.total_cents == 0
        assert pricing.refusals == (Refusal(key="A", reason=Reason.NO_MATCHING_ITEMS),)

    def test_the_trace_tells_the_story_in_json(self) -> None:
        pricing = price(
            cups(1200, 1300),
            FULL25_5,
            offer(HALF, conditions=Conditions(segments=frozenset({"students"}))),
        )

        assert json.loads(json.dumps(pricing.trace)) == {
            "version": 1,
            "now": "2026-06-18T12:00:00+08:00",
            "local_time": "2026-06-18T12:00:00+08:00",
            "offers": [
                {
                    "key": "A",
                    "name": "Offer A",
                    "priority": 100,
                    "stacking": "common",
                    "conditions": [
                        {
                            "refuses_with": "segment-mismatch",
                            "passed": False,
                            "needed": ["students"],
                            "actual": [],
                        }
                    ],
                    "effect": {
                        "kind": "percent_off",
                        "discount_cents": 0,
                        "lines": [],
                        "delivery_cents": 0,
                        "gifts": [],
                        "rewards": [],
                    },
                    "refusal": {
                        "reason": "segment-mismatch",
                        "needed": None,
                        "actual": None,
                        "short": None,
                    },
                },
                {
                    "key": "FULL25_5",
                    "name": "FULL25_5",
                    "priority": 100,
                    "stacking": "common",
                    "conditions": [
                        {
                            "refuses_with": "min-spend-not-met",
                            "passed": True,
                            "needed": 2500,
                            "actual": 2500,
                        }
                    ],
                    "effect": {
                        "kind": "fixed_off",
                        "discount_cents": 500,
                        "lines": [
                            {"position": 1, "amount_cents": 240},
                            {"position": 2, "amount_cents": 260},
                        ],
                        "delivery_cents": 0,
                        "gifts": [],
                        "rewards": [],
                    },
                    "refusal": None,
                },
            ],
        }


class TestCart:
    def test_two_lines_may_not_share_a_position(self) -> None:
        with pytest.raises(InvalidCart, match="same position"):
            cart(line(1, 1200), line(1, 900))

    def test_a_line_has_at_least_one_unit(self) -> None:
        with pytest.raises(InvalidCart, match="quantity"):
            line(1, 1200, 0)

    def test_toppings_are_part_of_the_price(self) -> None:
        with pytest.raises(InvalidCart, match="toppings"):
            line(1, 300, toppings_cents=Cents(400))
