"""What offers may give or ask beside money off a line: floors, toppings, gifts, the best deal."""

import json
from datetime import date
from typing import Any

import pytest

from campaigns.pricing import (
    AppliedOffer,
    BuyXGetY,
    CheapestFree,
    Conditions,
    CouponReward,
    Effect,
    Facts,
    FixedOff,
    FixedOffEach,
    FreeDelivery,
    FreeItem,
    FreeTopping,
    FreeUpsize,
    Gift,
    GiftCoupon,
    GiftItem,
    InvalidCart,
    Limits,
    Match,
    NthItemPercent,
    PercentBase,
    PercentOff,
    PointsBoost,
    PointsReward,
    PriceOrder,
    Reason,
    Refusal,
    Scope,
    Stacking,
    Topping,
    UnitPrice,
    Uses,
)
from shop.kernel.money import Cents, Points
from tests.campaigns.samples import cart, cups, discounts, line, offer, price

PEARLS = Topping(code="pearls", price_cents=Cents(200))
PUDDING = Topping(code="pudding", price_cents=Cents(300))
FOAM = Topping(code="foam", price_cents=Cents(500))
HALF = PercentOff(percent_bp=5000)
TENTH = PercentOff(percent_bp=1000)
SNACK = Scope(categories=frozenset({"snack"}))
TEA = Scope(categories=frozenset({"milk_tea"}))


def drink(position: int, base: int, *toppings: Topping, quantity: int = 1, **more: Any) -> Any:
    extra = sum(topping.price_cents for topping in toppings)
    return line(
        position,
        base + extra,
        quantity,
        toppings=toppings,
        toppings_cents=Cents(extra),
        **more,
    )


class TestLowestPrice:
    """A unit with `min_unit_price_cents` gives what it can; what that means depends on the rule."""

    FLOOR = line(1, 5000, min_unit_price_cents=Cents(4500))

    @pytest.mark.parametrize(
        ("effect", "expected"),
        [
            (HALF, [500, 1000]),
            (FixedOffEach(amount_cents=Cents(1000)), [500, 1000]),
            (UnitPrice(price_cents=Cents(1000)), [500, 1000]),
            (FreeItem(quantity=2), [500, 2000]),
            (CheapestFree(free_quantity=2), [500, 2000]),
        ],
    )
    def test_is_kept_by_each_unit_for_itself(self, effect: Effect, expected: list[int]) -> None:
        assert discounts(price(cart(self.FLOOR, line(2, 2000)), offer(effect))) == expected

    def test_leaves_its_share_of_an_amount_to_the_others(self) -> None:
        basket = cart(
            line(1, 5000, 2, min_unit_price_cents=Cents(4500)), line(2, 2000, 2), line(3, 4000)
        )

        pricing = price(basket, offer(FixedOff(amount_cents=Cents(2700))))

        assert discounts(pricing) == [1000, 850, 850]

    def test_may_leave_an_amount_unused(self) -> None:
        pricing = price(cart(self.FLOOR), offer(FixedOff(amount_cents=Cents(2700))))

        assert discounts(pricing) == [500]

    def test_holds_over_all_offers_together(self) -> None:
        pricing = price(cart(self.FLOOR), offer(TENTH, "A"), offer(TENTH, "B"))

        assert discounts(pricing) == [500]
        assert pricing.refusals == (Refusal(key="B", reason=Reason.NO_DISCOUNT_LEFT),)

    def test_may_be_above_the_price_itself(self) -> None:
        pricing = price(cart(line(1, 400, min_unit_price_cents=Cents(500))), offer(HALF))

        assert discounts(pricing) == [0]

    def test_does_not_use_up_an_item_limit(self) -> None:
        basket = cart(line(1, 400, min_unit_price_cents=Cents(400)), line(2, 900))

        assert discounts(price(basket, offer(HALF, limits=Limits(max_items=1)))) == [0, 450]

    def test_lets_the_unit_be_bought_all_the_same(self) -> None:
        basket = cart(line(1, 1200, min_unit_price_cents=Cents(1200)), line(2, 900))
        bogo = offer(BuyXGetY(buy_quantity=1, get_quantity=1))

        assert discounts(price(basket, bogo)) == [0, 900]


class TestFreeTopping:
    def test_frees_the_dearest_topping(self) -> None:
        basket = cart(drink(1, 1200, PEARLS, PUDDING), drink(2, 1500, FOAM))

        assert discounts(price(basket, offer(FreeTopping()))) == [0, 500]

    def test_up_to_a_value_frees_the_one_that_is_free_altogether(self) -> None:
        basket = cart(drink(1, 1200, FOAM), drink(2, 1500, PUDDING))
        up_to_3 = FreeTopping(max_value_cents=Cents(300))

        assert discounts(price(basket, offer(up_to_3))) == [0, 300]

    def test_frees_several_in_one_cup_or_in_many(self) -> None:
        basket = cart(drink(1, 1200, PEARLS, PUDDING), drink(2, 1500, PEARLS, quantity=2))

        assert discounts(price(basket, offer(FreeTopping(quantity=3)))) == [500, 200]

    def test_may_be_about_some_toppings_only(self) -> None:
        basket = cart(drink(1, 1200, PEARLS, FOAM))
        pearls = FreeTopping(toppings=frozenset({"pearls"}))

        assert discounts(price(basket, offer(pearls))) == [200]

    def test_frees_no_more_than_earlier_offers_left(self) -> None:
        first = offer(FixedOff(amount_cents=Cents(1600)), priority=1)

        pricing = price(cart(drink(1, 1200, FOAM)), first, offer(FreeTopping(), "B"))

        assert [applied.discount_cents for applied in pricing.applied] == [1600, 100]

    def test_says_that_a_topping_is_missing(self) -> None:
        assert price(cups(1200), offer(FreeTopping())).refusals == (
            Refusal(key="A", reason=Reason.REQUIRED_ITEM_MISSING, needed=1, actual=0),
        )


class TestFreeUpsize:
    def test_takes_off_what_the_larger_size_costs_more(self) -> None:
        basket = cart(
            line(1, 1800, 2, upsize_cents=Cents(300)), line(2, 2400, upsize_cents=Cents(400))
        )

        assert discounts(price(basket, offer(FreeUpsize()))) == [0, 400]
        assert discounts(price(basket, offer(FreeUpsize(quantity=2)))) == [300, 400]

    def test_says_that_a_larger_size_is_missing(self) -> None:
        assert price(cups(1200), offer(FreeUpsize())).refusals == (
            Refusal(key="A", reason=Reason.REQUIRED_ITEM_MISSING, needed=1, actual=0),
        )


class TestFreeDelivery:
    DELIVERED = cart(
        line(1, 1200), line(2, 900), order_type="delivery", delivery_fee_cents=Cents(600)
    )

    def test_takes_off_the_fee_and_nothing_else(self) -> None:
        pricing = price(self.DELIVERED, offer(FreeDelivery()))

        assert discounts(pricing) == [0, 0]
        assert pricing.applied == (
            AppliedOffer(key="A", discount_cents=Cents(600), delivery_cents=Cents(600)),
        )
        assert pricing.delivery_discount_cents == 600
        assert pricing.total_cents == 2100

    def test_without_it_the_fee_is_paid(self) -> None:
        pricing = price(self.DELIVERED, offer(HALF))

        assert (pricing.subtotal_cents, pricing.discount_cents) == (2100, 1050)
        assert pricing.total_cents == 1650

    def test_may_be_limited(self) -> None:
        up_to_4 = offer(FreeDelivery(), limits=Limits(max_discount_cents=Cents(400)))

        assert price(self.DELIVERED, up_to_4).delivery_discount_cents == 400

    def test_spends_its_budget(self) -> None:
        pricing = price(self.DELIVERED, offer(FreeDelivery(), budget_left_cents=Cents(500)))

        assert pricing.refusals == (
            Refusal(key="A", reason=Reason.BUDGET_EXHAUSTED, needed=600, actual=500),
        )

    def test_is_given_even_when_the_goods_are_free(self) -> None:
        reward = offer(FreeItem(quantity=2), "R", priority=1)

        assert price(self.DELIVERED, reward, offer(FreeDelivery())).total_cents == 0

    def test_needs_a_fee_and_a_delivery(self) -> None:
        no_fee = cart(line(1, 1200), order_type="delivery")

        assert price(no_fee, offer(FreeDelivery())).refusals == (
            Refusal(key="A", reason=Reason.NO_DISCOUNT_LEFT),
        )
        assert price(cups(1200), offer(FreeDelivery())).refusals == (
            Refusal(key="A", reason=Reason.WRONG_ORDER_TYPE, needed=["delivery"], actual="pickup"),
        )


class TestGifts:
    def test_a_gift_is_listed_beside_the_lines(self) -> None:
        pricing = price(cups(1200, 1200, 1200), offer(GiftItem(product="SN01", buy_quantity=2)))

        assert pricing.gifts == (Gift(product="SN01", quantity=1),)
        assert pricing.discount_cents == 0
        assert [applied.key for applied in pricing.applied] == ["A"]

    def test_a_gift_may_repeat(self) -> None:
        every_two = GiftItem(product="SN01", buy_quantity=2, quantity=3, max_applications=None)

        assert price(cart(line(1, 1200, 5)), offer(every_two)).gifts == (
            Gift(product="SN01", quantity=6),
        )

    def test_a_gift_says_how_much_must_be_bought(self) -> None:
        assert price(cups(1200), offer(GiftItem(product="SN01", buy_quantity=3))).refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=3, actual=1),
        )

    def test_points_are_boosted_for_what_is_in_scope(self) -> None:
        double = PointsBoost(multiplier_percent=200, bonus_points=Points(10))
        basket = cart(line(1, 1200), line(2, 900, 2, category="snack"))

        assert price(basket, offer(double, scope=SNACK)).rewards == (
            PointsReward(positions=(2,), multiplier_percent=200, bonus_points=Points(10)),
        )

    def test_a_coupon_is_promised(self) -> None:
        pricing = price(cups(1200), offer(GiftCoupon(coupon="NEXT5", quantity=2)))

        assert pricing.rewards == (CouponReward(coupon="NEXT5", quantity=2),)

    def test_nothing_is_given_for_goods_that_are_free_already(self) -> None:
        free = offer(FreeItem(), priority=1)

        for effect in (GiftCoupon(coupon="NEXT5"), PointsBoost(bonus_points=Points(5))):
            assert price(cups(1200), free, offer(effect, "B")).refusals == (
                Refusal(key="B", reason=Reason.NO_DISCOUNT_LEFT),
            )

    def test_gifts_and_discounts_stack(self) -> None:
        pricing = price(cups(1200), offer(HALF), offer(GiftCoupon(coupon="NEXT5"), "B"))

        assert (pricing.discount_cents, len(pricing.rewards)) == (600, 1)

    def test_the_trace_tells_of_them(self) -> None:
        pricing = price(
            cups(1200),
            offer(GiftItem(product="SN01"), "A"),
            offer(PointsBoost(multiplier_percent=150), "B"),
            offer(GiftCoupon(coupon="NEXT5"), "C"),
        )

        told = [each["effect"] for each in json.loads(json.dumps(pricing.trace))["offers"]]
        assert told[0]["gifts"] == [{"product": "SN01", "quantity": 1}]
        assert told[1]["rewards"] == [
            {"kind": "points", "positions": [1], "multiplier_percent": 150, "bonus_points": 0}
        ]
        assert told[2]["rewards"] == [{"kind": "coupon", "coupon": "NEXT5", "quantity": 1}]


class TestBuyXGetYOptions:
    def test_by_spend_applies_once(self) -> None:
        spend_20 = offer(BuyXGetY(buy_spend_cents=Cents(2000), get_quantity=1))

        assert discounts(price(cups(1900, 1200, 1100, 1000, 900), spend_20)) == [0, 0, 0, 0, 900]

    def test_by_spend_counts_undiscounted_prices_of_its_scope(self) -> None:
        first = offer(FixedOffEach(amount_cents=Cents(500)), "A", priority=1)
        spend_24 = offer(
            BuyXGetY(buy_spend_cents=Cents(2400), get_quantity=1, buy_scope=TEA), "B", scope=SNACK
        )
        basket = cart(line(1, 1200, 2), line(2, 900, category="snack"))

        assert discounts(price(basket, first, spend_24)) == [1000, 900]

    @pytest.mark.parametrize(
        ("prices", "reason", "needed", "actual"),
        [
            ([1200], Reason.MIN_SPEND_NOT_MET, 2000, 1200),
            ([1200, 900], Reason.MIN_QTY_NOT_MET, 1, 0),
        ],
    )
    def test_by_spend_says_what_is_missing(
        self, prices: list[int], reason: Reason, needed: int, actual: int
    ) -> None:
        spend_20 = offer(BuyXGetY(buy_spend_cents=Cents(2000), get_quantity=1))

        assert price(cups(*prices), spend_20).refusals == (
            Refusal(key="A", reason=reason, needed=needed, actual=actual),
        )

    def test_may_need_the_whole_get(self) -> None:
        effect = BuyXGetY(buy_quantity=2, get_quantity=2, require_full_get=True)

        assert price(cups(1000, 1000, 900), offer(effect)).refusals == (
            Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=4, actual=3),
        )
        assert discounts(price(cups(1000, 1000, 900, 800), offer(effect))) == [0, 0, 900, 800]
        assert price(
            cart(line(1, 1000, 4), line(2, 900, category="snack")),
            offer(
                BuyXGetY(buy_quantity=2, get_quantity=2, require_full_get=True, buy_scope=TEA),
                scope=SNACK,
            ),
        ).refusals == (Refusal(key="A", reason=Reason.MIN_QTY_NOT_MET, needed=2, actual=1),)

    def test_may_give_the_dearest(self) -> None:
        effect = BuyXGetY(buy_quantity=2, get_quantity=1, get_order=PriceOrder.DEAREST_FIRST)

        assert discounts(price(cups(1900, 1200, 900), offer(effect))) == [1900, 0, 0]

    def test_may_go_by_the_order_of_the_cart(self) -> None:
        effect = BuyXGetY(buy_quantity=1, get_quantity=1, get_order=PriceOrder.CART_ORDER)

        assert discounts(price(cups(1900, 1200, 900), offer(effect))) == [0, 1200, 0]


class TestOptions:
    def test_a_percentage_may_be_of_the_original_price(self) -> None:
        original = PercentOff(percent_bp=1000, base=PercentBase.ORIGINAL)

        pricing = price(cups(10000), offer(TENTH, "A"), offer(original, "B"))

        assert [applied.discount_cents for applied in pricing.applied] == [1000, 1000]

    def test_a_percentage_of_the_original_price_never_exceeds_what_is_left(self) -> None:
        original = PercentOff(percent_bp=6000, base=PercentBase.ORIGINAL)

        assert price(cups(10000), offer(HALF, "A"), offer(original, "B")).total_cents == 0

    @pytest.mark.parametrize(
        ("limits", "expected"),
        [
            (Limits(max_items=2, item_order=PriceOrder.DEAREST_FIRST), [600, 0, 750]),
            (Limits(max_items=2, item_order=PriceOrder.CART_ORDER), [600, 450, 0]),
            (Limits(max_lines=1), [0, 900, 0]),
            (Limits(max_lines=1, item_order=PriceOrder.DEAREST_FIRST), [0, 0, 750]),
        ],
    )
    def test_a_limit_on_items_may_take_others_than_the_cheapest(
        self, limits: Limits, expected: list[int]
    ) -> None:
        basket = cart(line(1, 1200), line(2, 900, 2), line(3, 1500))

        assert discounts(price(basket, offer(HALF, limits=limits))) == expected

    def test_every_nth_may_be_counted_in_cart_order(self) -> None:
        every_second = NthItemPercent(
            nth=2,
            percent_bp=5000,
            group_order=PriceOrder.CART_ORDER,
            item_order=PriceOrder.CART_ORDER,
        )

        assert discounts(price(cups(900, 1900, 1200, 1000, 800), offer(every_second))) == [
            0,
            950,
            0,
            500,
            0,
        ]


class TestBestDeal:
    @pytest.fixture(params=["few", "many"], autouse=True)
    def offers(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        """Run each test as for few offers and as for many."""
        if request.param == "many":
            monkeypatch.setattr("campaigns.pricing.choice.MAX_COMBINATIONS", 0)

    def test_of_a_group_the_best_is_applied_instead_of_the_first(self) -> None:
        small = offer(TENTH, "A", exclusive_group="coupon")
        large = offer(HALF, "B", exclusive_group="coupon", best_deal=True)

        pricing = price(cups(10000), small, large)

        assert [applied.key for applied in pricing.applied] == ["B"]
        assert pricing.refusals == (Refusal(key="A", reason=Reason.NOT_STACKABLE, actual="B"),)

    def test_an_exclusive_offer_is_applied_only_if_it_is_better_alone(self) -> None:
        exclusive = offer(TENTH, "A", stacking=Stacking.EXCLUSIVE, best_deal=True)
        others = [offer(FixedOff(amount_cents=Cents(600)), key) for key in "BC"]

        assert [a.key for a in price(cups(10000), exclusive, *others).applied] == ["B", "C"]
        assert [a.key for a in price(cups(20000), exclusive, *others).applied] == ["A"]

    def test_an_offer_that_keeps_a_better_one_from_applying_is_left_out(self) -> None:
        small = offer(FreeItem(max_value_cents=Cents(100)), "A", priority=1)
        dearest = BuyXGetY(buy_quantity=1, get_quantity=1, get_order=PriceOrder.DEAREST_FIRST)

        pricing = price(cups(1000, 100), small, offer(dearest, "B", best_deal=True))

        assert discounts(pricing) == [1000, 0]
        assert pricing.refusals == (Refusal(key="A", reason=Reason.BETTER_WITHOUT),)
        assert price(cups(1000, 100), small, offer(dearest, "B")).discount_cents == 100

    def test_what_gives_nothing_by_itself_says_why(self) -> None:
        small = offer(TENTH, "A", exclusive_group="g")
        large = offer(HALF, "B", exclusive_group="g")
        nothing = offer(HALF, "C", exclusive_group="g", scope=SNACK)

        pricing = price(cups(1000), small, large, nothing, best_deal=True)

        assert [(refusal.key, refusal.reason) for refusal in pricing.refusals] == [
            ("A", Reason.NOT_STACKABLE),
            ("C", Reason.NO_MATCHING_ITEMS),
        ]

    def test_what_finds_nothing_left_says_so(self) -> None:
        groups = [offer(TENTH, "A", exclusive_group="g"), offer(HALF, "B", exclusive_group="g")]
        late = offer(UnitPrice(price_cents=Cents(700)), "C", priority=200)

        pricing = price(cups(1000), *groups, late, best_deal=True)

        assert [(refusal.key, refusal.reason) for refusal in pricing.refusals] == [
            ("A", Reason.NOT_STACKABLE),
            ("C", Reason.NO_DISCOUNT_LEFT),
        ]

    def test_the_caller_may_ask_for_it(self) -> None:
        offers = [offer(TENTH, "A", exclusive_group="g"), offer(HALF, "B", exclusive_group="g")]

        assert price(cups(10000), *offers).discount_cents == 1000
        assert price(cups(10000), *offers, best_deal=True).discount_cents == 5000

    def test_no_better_deal_leaves_the_choice_by_rank(self) -> None:
        offers = [offer(HALF, "A", best_deal=True), offer(HALF, "B")]

        assert [a.key for a in price(cups(10000), *offers).applied] == ["A", "B"]

    def test_a_reward_stays_whatever_is_better(self) -> None:
        reward = offer(FreeItem(), "R", stacking=Stacking.ALWAYS, priority=0)
        dearest = BuyXGetY(buy_quantity=1, get_quantity=1, get_order=PriceOrder.DEAREST_FIRST)

        pricing = price(cups(100, 100), reward, offer(dearest, "B"), best_deal=True)

        assert [applied.key for applied in pricing.applied] == ["R"]

    def test_of_equal_deals_the_one_with_more_offers_is_taken(self) -> None:
        exclusive = offer(HALF, "A", stacking=Stacking.EXCLUSIVE, best_deal=True)
        rest = [offer(HALF, "B"), offer(GiftCoupon(coupon="NEXT5"), "C")]

        assert [a.key for a in price(cups(1000), exclusive, *rest).applied] == ["B", "C"]


class TestConditions:
    @pytest.mark.parametrize(
        ("match", "products", "is_met"),
        [
            (Match.ANY, {"p1", "p9"}, True),
            (Match.ANY, {"p9"}, False),
            (Match.ALL, {"p1", "p2"}, True),
            (Match.ALL, {"p1", "p9"}, False),
            (Match.NONE, {"p9"}, True),
            (Match.NONE, {"p1"}, False),
            (Match.ONLY, {"p1", "p2", "p9"}, True),
            (Match.ONLY, {"p1"}, False),
        ],
    )
    def test_about_what_the_cart_contains(
        self, match: Match, products: set[str], is_met: bool
    ) -> None:
        asked = Conditions(contains=Scope(products=frozenset(products)), contains_match=match)

        assert bool(price(cups(1200, 900), offer(HALF, conditions=asked)).applied) == is_met

    def test_what_no_offer_discounts_may_be_asked_for(self) -> None:
        mug = Scope(products=frozenset({"mug"}))
        basket = cart(line(1, 1200), line(2, 5900, product="mug", is_discountable=False))

        asked = offer(HALF, conditions=Conditions(contains=mug))

        assert discounts(price(basket, asked)) == [600, 0]

    def test_all_categories_may_be_asked_for(self) -> None:
        both = Scope(categories=frozenset({"milk_tea", "snack"}))
        asked = offer(HALF, conditions=Conditions(contains=both, contains_match=Match.ALL))

        assert price(cart(line(1, 900), line(2, 600, category="snack")), asked).applied
        assert price(cups(1200), asked).refusals == (
            Refusal(key="A", reason=Reason.REQUIRED_ITEM_MISSING, needed=2, actual=1),
        )

    @pytest.mark.parametrize(
        ("conditions", "refusal"),
        [
            (
                Conditions(max_spend_cents=Cents(1199)),
                Refusal(key="A", reason=Reason.MAX_SPEND_EXCEEDED, needed=1199, actual=1200),
            ),
            (Conditions(max_spend_cents=Cents(1200)), None),
            (
                Conditions(min_distinct_products=2),
                Refusal(key="A", reason=Reason.MIN_PRODUCTS_NOT_MET, needed=2, actual=1),
            ),
            (Conditions(min_distinct_products=1), None),
            (
                Conditions(payment_methods=frozenset({"wechat"})),
                Refusal(key="A", reason=Reason.WRONG_PAYMENT_METHOD, needed=["wechat"]),
            ),
            (
                Conditions(birthday_month=True),
                Refusal(key="A", reason=Reason.NOT_BIRTHDAY_MONTH, needed=6),
            ),
        ],
    )
    def test_about_the_rest(self, conditions: Conditions, refusal: Refusal | None) -> None:
        pricing = price(cups(1200), offer(HALF, conditions=conditions))

        assert pricing.refusals == (() if refusal is None else (refusal,))

    def test_about_the_month_of_birth_and_the_payment(self) -> None:
        basket = cart(line(1, 1200), payment_method="wechat")
        asked = Conditions(birthday_month=True, payment_methods=frozenset({"wechat", "cash"}))
        facts = Facts(member="m1", birthday=date(1999, 6, 30))

        assert price(basket, offer(HALF, conditions=asked), facts=facts).discount_cents == 600

    @pytest.mark.parametrize(
        "reason",
        [
            Reason.STORE_LIMIT_REACHED,
            Reason.DAILY_LIMIT_REACHED,
            Reason.WEEKLY_LIMIT_REACHED,
            Reason.MONTHLY_LIMIT_REACHED,
        ],
    )
    def test_about_uses_by_store_and_time(self, reason: Reason) -> None:
        some, none = Uses(reason=reason, used=1, most=2), Uses(reason=reason, used=2, most=2)

        assert price(cups(1200), offer(HALF, uses=(some,))).applied
        assert price(cups(1200), offer(HALF, uses=(none,))).refusals == (
            Refusal(key="A", reason=reason, needed=2, actual=2),
        )


class TestScope:
    @pytest.mark.parametrize(
        ("scope", "in_scope"),
        [
            (Scope(categories=frozenset({"summer"})), [1]),
            (Scope(exclude_categories=frozenset({"summer"})), [2, 3]),
            (Scope(options=frozenset({"oat", "soy"})), [2]),
            (Scope(exclude_reduced=True), [1, 2]),
        ],
    )
    def test_knows_seasons_options_and_sales(self, scope: Scope, in_scope: list[int]) -> None:
        basket = cart(
            line(1, 1200, other_categories=frozenset({"summer"})),
            line(2, 1000, options=frozenset({"L", "oat"})),
            line(3, 600, is_reduced=True),
        )

        pricing = price(basket, offer(HALF, scope=scope))

        assert [priced.position for priced in pricing.lines if priced.allocations] == in_scope


class TestCart:
    @pytest.mark.parametrize(
        ("values", "match"),
        [
            ({"toppings": (PEARLS,), "toppings_cents": Cents(300)}, "add up"),
            ({"upsize_cents": Cents(1300)}, "size"),
            ({"min_unit_price_cents": Cents(-1)}, "lowest"),
        ],
    )
    def test_a_line_must_make_sense(self, values: dict[str, Any], match: str) -> None:
        with pytest.raises(InvalidCart, match=match):
            line(1, 1200, **values)

    def test_a_topping_costs_no_less_than_nothing(self) -> None:
        with pytest.raises(InvalidCart, match="pearls"):
            Topping(code="pearls", price_cents=Cents(-1))

    @pytest.mark.parametrize(
        ("values", "match"),
        [
            ({"delivery_fee_cents": Cents(500)}, "only a delivery"),
            ({"order_type": "delivery", "delivery_fee_cents": Cents(-1)}, "negative"),
        ],
    )
    def test_a_delivery_fee_must_make_sense(self, values: dict[str, Any], match: str) -> None:
        with pytest.raises(InvalidCart, match=match):
            cart(line(1, 1200), **values)


class TestWorkedExamples:
    """Those of docs/pricing.md that are about what this file tests."""

    @pytest.mark.parametrize(("spend", "off"), [(10000, 1000), (6000, 800)])
    def test_the_better_of_two(self, spend: int, off: int) -> None:
        tenth = offer(TENTH, "A", exclusive_group="coupon", best_deal=True)
        from_50 = Conditions(min_spend_cents=Cents(5000))
        eight = FixedOff(amount_cents=Cents(800))

        pricing = price(
            cups(spend), tenth, offer(eight, "B", exclusive_group="coupon", conditions=from_50)
        )

        assert pricing.discount_cents == off

    def test_a_free_topping_up_to_4(self) -> None:
        pudding = Topping(code="pudding", price_cents=Cents(400))
        basket = cart(drink(1, 1400, PEARLS, FOAM), drink(2, 1200, pudding))
        up_to_4 = FreeTopping(max_value_cents=Cents(400))

        assert discounts(price(basket, offer(up_to_4))) == [0, 400]

    def test_free_delivery_up_to_6(self) -> None:
        basket = cart(line(1, 4200), order_type="delivery", delivery_fee_cents=Cents(800))
        up_to_6 = Limits(max_discount_cents=Cents(600))

        assert price(basket, offer(FreeDelivery(), limits=up_to_6)).total_cents == 4400
