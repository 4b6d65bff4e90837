"""The loss guard's search: docs/pricing.md, “The loss guard”."""

from datetime import time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import mixed_carts, occasions
from campaigns.losses import Article, Combination, Search
from campaigns.pricing import (
    BundlePart,
    BundlePrice,
    BuyXGetY,
    CheapestFree,
    Conditions,
    Effect,
    Facts,
    FixedOff,
    FixedOffEach,
    FixedTier,
    FreeItem,
    GiftItem,
    Hours,
    NthItemPercent,
    Offer,
    PercentOff,
    PointsBoost,
    Scope,
    Stacking,
    TieredFixedOff,
    UnitPrice,
    evaluate,
)
from shop.kernel.money import Cents
from tests.campaigns.samples import NOON, cart, line, offer

PLACES = [
    occasions.Place(store="SH001", city="Shanghai", timezone="Asia/Shanghai"),
    occasions.Place(store="HZ001", city="Hangzhou", timezone="Asia/Shanghai"),
]
WAYS = ("pickup", "dine_in")


def article(price: int = 1200, floor: int = 500, **more: Any) -> Article:
    return Article(
        line=line(1, price, product="tea", **more),
        floor_cents=Cents(floor),
        order_types=frozenset(WAYS),
    )


def worst(candidate: Offer, *others: Offer, what: Article | None = None) -> Combination | None:
    met = occasions.together(candidate, others, places=PLACES, order_types=WAYS, now=NOON)
    search = Search(
        candidate=candidate, articles=[what or article()], gift_floors={"biscuit": Cents(300)}
    )
    found = search.worst(met)
    return found[0] if found else None


def price_of(candidate: Offer, *others: Offer, what: Article | None = None) -> tuple[int, bool]:
    found = worst(candidate, *others, what=what)
    assert found is not None
    return found.unit_cents, found.is_loss


HALF = offer(PercentOff(percent_bp=5000), "half")
FIVE = offer(FixedOff(amount_cents=Cents(500)), "five", priority=50)


class TestWorst:
    def test_three_offers_together_sell_a_cup_of_12_for_1_20(self) -> None:
        # 12.00 − 5.00 = 7.00; half of it 3.50; − 2.30 = 1.20
        third = offer(FixedOff(amount_cents=Cents(230)), "third", priority=200)

        found = worst(third, HALF, FIVE)

        assert found is not None
        assert (found.unit_cents, found.loss_cents, found.is_loss) == (120, 380, True)
        assert found.offers == ("five", "half", "third")

    def test_an_offer_alone_may_be_too_much(self) -> None:
        assert price_of(offer(UnitPrice(price_cents=Cents(400)))) == (400, True)

    def test_an_offer_that_stays_above_the_floor_is_no_loss(self) -> None:
        assert price_of(HALF) == (600, False)

    def test_exactly_the_floor_is_no_loss(self) -> None:
        assert price_of(HALF, what=article(1000, 500)) == (500, False)

    def test_two_cups_where_one_is_free_cost_half_each(self) -> None:
        assert price_of(offer(BuyXGetY(buy_quantity=1, get_quantity=1))) == (600, False)

    def test_it_buys_as_many_as_the_offer_asks_for(self) -> None:
        # Five cups for 60.00 − 36.00 are 4.80 each.
        tiers = (FixedTier(threshold=6000, amount_cents=Cents(3600)),)
        assert price_of(offer(TieredFixedOff(tiers=tiers))) == (480, True)
        spend = Conditions(min_spend_cents=Cents(6000))
        assert price_of(offer(FixedOff(amount_cents=Cents(3600)), conditions=spend)) == (480, True)

    def test_exclusive_offers_do_not_meet_others(self) -> None:
        alone = offer(PercentOff(percent_bp=3000), "alone", stacking=Stacking.EXCLUSIVE)
        assert price_of(alone, HALF, FIVE) == (840, False)
        assert price_of(HALF, alone) == (600, False)

    def test_of_a_group_only_one_counts(self) -> None:
        first = offer(FixedOff(amount_cents=Cents(500)), "a", exclusive_group="coupon")
        second = offer(FixedOff(amount_cents=Cents(600)), "b", exclusive_group="coupon")
        assert price_of(first, second) == (700, False)
        assert price_of(HALF, first, second) == (300, True)  # half of 12.00 − 6.00

    def test_offers_at_other_stores_hours_tiers_and_periods_do_not_meet(self) -> None:
        mine = Conditions(
            stores=frozenset({"SH001"}),
            tiers=frozenset({"gold"}),
            hours=(Hours(starts=time(14), ends=time(16)),),
            ends_at=NOON + timedelta(days=3),
        )
        candidate = offer(PercentOff(percent_bp=5000), "half", conditions=mine)
        for theirs in (
            Conditions(stores=frozenset({"HZ001"})),
            Conditions(tiers=frozenset({"silver"})),
            Conditions(hours=(Hours(starts=time(16), ends=time(18)),)),
            Conditions(starts_at=NOON + timedelta(days=3)),
        ):
            apart = offer(FixedOff(amount_cents=Cents(500)), "five", conditions=theirs)
            assert price_of(candidate, apart) == (600, False), theirs
        both = offer(FixedOff(amount_cents=Cents(500)), "five", priority=1, conditions=mine)
        assert price_of(candidate, both) == (350, True)

    def test_windows_that_overlap_one_hour_a_week_are_found(self) -> None:
        early = Conditions(hours=(Hours(starts=time(14), ends=time(17), weekdays=frozenset({2})),))
        late = Conditions(hours=(Hours(starts=time(16), ends=time(20)),))
        candidate = offer(PercentOff(percent_bp=5000), "half", conditions=early)
        other = offer(FixedOff(amount_cents=Cents(500)), "five", priority=1, conditions=late)

        found = worst(candidate, other)

        assert found is not None
        local = found.occasion.local_time
        assert (found.unit_cents, local.isoweekday(), local.hour) == (350, 2, 16)

    def test_what_is_below_the_floor_without_the_offer_is_not_its_fault(self) -> None:
        free = offer(FreeItem(), "free", priority=1)
        a_fen = offer(FixedOff(amount_cents=Cents(1)), "a")
        # One cup is free anyway, and there is no fen left to take off; of two, one is paid for.
        assert not price_of(a_fen, free, what=article(1200, 500))[1]
        assert price_of(a_fen, free, what=article(1200, 600)) == (599, True)

    def test_what_another_hides_at_one_hour_is_found_at_the_others(self) -> None:
        """At 14:00 a cup costs ¥3 with or without; at other hours three cost ¥6, and 5 % less."""
        afternoon = Conditions(hours=(Hours(starts=time(14), ends=time(16)),))
        set_price = offer(UnitPrice(price_cents=Cents(300)), "C", conditions=afternoon)
        free = offer(FreeItem(quantity=2), "E", stacking=Stacking.ALWAYS)
        few = offer(PercentOff(percent_bp=500), "A", stacking=Stacking.ALWAYS, priority=10)

        found = worst(few, set_price, free, what=article(600, 500))

        assert found is not None
        assert (found.quantity, found.pays_cents, found.is_loss) == (3, 570, True)
        assert found.offers == ("A", "E")

    def test_a_gift_counts_with_its_floor_price(self) -> None:
        gift = offer(GiftItem(product="biscuit"), "gift")
        assert price_of(gift, HALF) == (300, True)  # 6.00 − 3.00

    def test_points_are_no_money_off(self) -> None:
        assert worst(offer(PointsBoost(multiplier_percent=300)), HALF) is None

    def test_an_offer_for_other_goods_meets_nothing(self) -> None:
        cake = offer(PercentOff(percent_bp=9000), scope=Scope(categories=frozenset({"cake"})))
        assert worst(cake) is None

    def test_an_offer_whose_period_is_over_meets_nothing(self) -> None:
        over = offer(UnitPrice(price_cents=Cents(0)), conditions=Conditions(ends_at=NOON))
        assert worst(over) is None


EFFECTS: st.SearchStrategy[Effect] = st.one_of(
    st.builds(PercentOff, percent_bp=st.sampled_from([500, 1500, 5000, 9000])),
    st.builds(FixedOff, amount_cents=st.sampled_from([Cents(100), Cents(700), Cents(2000)])),
    st.builds(FixedOffEach, amount_cents=st.sampled_from([Cents(100), Cents(500)])),
    st.builds(UnitPrice, price_cents=st.sampled_from([Cents(300), Cents(900)])),
    st.builds(FreeItem, quantity=st.integers(1, 2)),
    st.builds(CheapestFree, group_quantity=st.integers(2, 3)),
    st.builds(NthItemPercent, nth=st.integers(1, 3), percent_bp=st.sampled_from([5000, 10000])),
    st.builds(BuyXGetY, buy_quantity=st.integers(1, 2), get_quantity=st.integers(1, 2)),
)


@st.composite
def offers_(draw: st.DrawFn) -> list[Offer]:
    drawn = []
    for key in "ABCDE"[: draw(st.integers(1, 5))]:
        conditions = Conditions(
            min_quantity=draw(st.sampled_from([0, 0, 2])),
            min_spend_cents=draw(st.sampled_from([Cents(0), Cents(0), Cents(2500)])),
            stores=draw(st.sampled_from([frozenset(), frozenset({"SH001"}), frozenset({"HZ001"})])),
            tiers=draw(st.sampled_from([frozenset(), frozenset({"gold"})])),
            hours=draw(st.sampled_from([(), (Hours(starts=time(14), ends=time(16)),)])),
        )
        drawn.append(
            offer(
                draw(EFFECTS),
                key,
                conditions=conditions,
                stacking=draw(st.sampled_from(Stacking)),
                exclusive_group=draw(st.sampled_from([None, None, "coupon"])),
                priority=draw(st.sampled_from([10, 100])),
            )
        )
    return drawn


@settings(max_examples=150, deadline=None)
@given(offers=offers_(), price=st.sampled_from([600, 1200, 1900]), data=st.data())
def test_no_cart_of_the_article_is_sold_cheaper_than_the_guard_says(
    offers: list[Offer], price: int, data: st.DataObject
) -> None:
    candidate, *others = offers
    what = article(price, 500)
    entered = data.draw(st.lists(st.sampled_from(offers), unique_by=lambda o: o.key))
    quantity = data.draw(st.integers(1, 3))
    hour = data.draw(st.integers(0, 23))
    when = NOON.replace(hour=hour) + timedelta(days=1)
    bought = cart(
        line(1, price, quantity, product="tea"),
        store=data.draw(st.sampled_from(["SH001", "HZ001"])),
        local_time=when,
    )
    buyer = Facts(member="m", tier=data.draw(st.sampled_from([None, "gold"])))

    pricing = evaluate(bought, buyer, entered, when)

    without = evaluate(
        bought, buyer, [o for o in entered if o is not candidate], when, best_deal=True
    )
    if candidate.key in {applied.key for applied in pricing.applied}:
        found = worst(candidate, *others, what=what)
        assert found is not None
        is_cheaper = pricing.total_cents * found.quantity < found.pays_cents * quantity
        assert not is_cheaper or without.total_cents <= pricing.total_cents


class TestMixedCarts:
    """A tea of ¥20 with a floor of ¥9, a cake of ¥12 with a floor of ¥10."""

    def worst_of(self, candidate: Offer, *others: Offer) -> Combination:
        tea = Article(
            line=line(1, 2000, product="tea", category="drink"),
            floor_cents=Cents(900),
            order_types=frozenset(WAYS),
        )
        cake = Article(
            line=line(1, 1200, product="cake", category="bakery"),
            floor_cents=Cents(1000),
            order_types=frozenset(WAYS),
        )
        met = occasions.together(candidate, others, places=PLACES, order_types=WAYS, now=NOON)
        articles = [tea, cake, *mixed_carts.sets([candidate, *others], [tea, cake])]
        found = Search(candidate=candidate, articles=articles, gift_floors={}).worst(met)
        assert found
        return found[0]

    def set_for(self, price: int, key: str = "set") -> Offer:
        parts = (
            BundlePart(scope=Scope(products=frozenset({"tea"})), quantity=2),
            BundlePart(scope=Scope(categories=frozenset({"bakery"})), quantity=1),
        )
        return offer(BundlePrice(parts=parts, price_cents=Cents(price)), key)

    def test_a_set_is_sold_below_the_floors_of_its_parts(self) -> None:
        # Two teas and a cake must bring 9 + 9 + 10 = 28.00.
        assert not self.worst_of(self.set_for(2800)).is_loss
        found = self.worst_of(self.set_for(2500))
        assert (found.unit_cents, found.loss_cents, found.is_loss) == (2500, 300, True)
        assert found.article.list_cents == 5200

    def test_a_tenth_on_top_of_a_set_that_runs_already(self) -> None:
        # 30.00 − 3.00 = 27.00, one yuan below.
        tenth = offer(PercentOff(percent_bp=1000), "tenth", priority=200)
        found = self.worst_of(tenth, self.set_for(3000))
        assert (found.unit_cents, found.loss_cents, found.offers) == (2700, 100, ("set", "tenth"))

    def test_a_cake_free_for_a_tea(self) -> None:
        # 20.00 for what must bring 19.00; with 2 off 18.00.
        effect = BuyXGetY(
            buy_quantity=1, get_quantity=1, buy_scope=Scope(products=frozenset({"tea"}))
        )
        free = offer(effect, "free", scope=Scope(products=frozenset({"cake"})))
        two = offer(FixedOff(amount_cents=Cents(200)), "two", priority=200)
        assert not self.worst_of(free).is_loss
        assert (self.worst_of(free, two).unit_cents, self.worst_of(free, two).loss_cents) == (
            1800,
            100,
        )

    def test_half_off_a_cake_with_any_drink(self) -> None:
        # 20.00 + 6.00, of which 6.00 is for a cake that must bring 10.00: together 26.00 of 19.00.
        asked = Conditions(contains=Scope(categories=frozenset({"drink"})))
        half = offer(
            PercentOff(percent_bp=9000),
            "half",
            scope=Scope(products=frozenset({"cake"})),
            conditions=asked,
        )
        found = self.worst_of(half)
        assert (found.pays_cents, found.is_loss) == (2000 + 120, False)
