"""Member prices: what a tier or a plan makes cheaper, month by month, told to the guest."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import definitions, loss_guard, pricing
from campaigns.models import CouponDefinition, Promotion
from campaigns.pricing import Cart, CartLine
from loyalty.models import Benefit, MembershipPlan, Tier
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Cents
from shop.models import Member, OrderDiscount, Product, ProductOption, StoreProduct
from shop.refunds import RefundRequest
from shop.storefront import benefit_grants, member_prices, quotes, refunds
from shop.storefront.invariants import suite
from shop.storefront.member_prices import MemberPrice
from tests import make
from tests.storefront.test_benefits import bought

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
DAY = timedelta(days=1)
database = pytest.mark.django_db


def cheaper(amount: int, *, code: str = "TEA", level: int | None = 1, **fields: Any) -> Benefit:
    """Return a benefit by which everything, or what is named, costs so much less from June on."""
    row = Benefit.objects.create(
        code=code,
        name_zh="会员价",
        name_en="Member price",
        kind="member_price",
        tier=Tier.objects.get(level=level) if level else None,
        plan=fields.pop("plan", None),
    )
    append(row, JUNE, amount_cents=amount, **fields)
    return row


def append(row: Benefit, month: date, **what: Any) -> None:
    benefit_grants.append_version(row, month=month, actor="test", now=make.NOON, **what)


def price_of(who: Member | None, *, days: int = 0, **fields: Any) -> int:
    basket = make.basket(who=who, **fields)
    return quotes.quote(basket, now=make.NOON + days * DAY).total_cents


@database
class TestQuote:
    def test_is_less_for_each_piece_and_says_why(self) -> None:
        cheaper(200)
        who, till = make.member(), make.till()
        lines = [{"product": "MT01", "options": make.MILK_TEA, "quantity": 2}]

        own = till.post("/quotes", {"member": str(who.public_id), "lines": lines}).json()
        chinese = till.post(
            "/quotes",
            {"member": str(who.public_id), "lines": lines},
            headers={"Accept-Language": "zh-hans"},
        ).json()
        guests = till.post("/quotes", {"lines": lines}).json()

        assert (own["total_cents"], guests["total_cents"]) == (2000, 2400)
        assert own["applied"] == [
            {
                "kind": "member_price",
                "code": "TEA",
                "name": "Member price, ¥2 less each",
                "discount_cents": 400,
            }
        ]
        assert chinese["applied"][0]["name"] == "会员价，每件优惠¥2"
        assert (own["refusals"], guests["applied"]) == ([], [])

    def test_changes_with_the_month_and_with_the_tier(self) -> None:
        row = cheaper(200, level=2)
        append(row, JULY, amount_cents=300)
        who = make.member()

        low = price_of(who)
        who.membership.tier = Tier.objects.get(level=2)
        who.membership.save()

        assert (low, price_of(who), price_of(who, days=15)) == (1200, 1000, 900)

    def test_of_tier_and_plan_is_the_better_for_each_product(self) -> None:
        plan = MembershipPlan.objects.create(
            code="MONTH", name_zh="月卡", name_en="Card", price_cents=Cents(1990), days=30
        )
        cheaper(100)
        cheaper(300, code="CARD", level=None, plan=plan, products=["MT01"])
        who = make.member()
        bought(who)
        lines = [make.line(), make.line("MT02")]
        listed = price_of(None, lines=lines)

        assert price_of(who, lines=lines) == listed - 300 - 100
        assert price_of(who, lines=lines, days=31) == listed - 2 * 100

    def test_goes_before_coupons_and_with_exclusive_ones(self) -> None:
        cheaper(200)
        who = make.member()
        make.definition(
            "FULL25_5",
            rule={
                "version": 1,
                "effect": {"kind": "percent_off", "percent_bp": 5000},
                "stacking": "exclusive",
            },
        )
        coupon = make.coupon(who)

        assert price_of(who, coupon_codes=[coupon.code]) == (1200 - 200) // 2

    def test_names_only_what_there_is(self) -> None:
        with pytest.raises(InvalidInput):
            cheaper(100, products=["NONE"])
        with pytest.raises(InvalidInput):
            cheaper(0, code="NOTHING")


@database
class TestLossGuard:
    """A milk tea of ¥12 with a floor of ¥5 at half price: ¥6, unless a member pays less anyway."""

    @pytest.fixture(autouse=True)
    def only_ours(self) -> None:
        CouponDefinition.objects.update(status="ended")
        Product.objects.exclude(code="MT01").update(is_active=False)
        Product.objects.update(base_price_cents=1200, floor_price_cents=500)
        ProductOption.objects.filter(option__price_delta_cents__gt=0).delete()
        StoreProduct.objects.all().delete()

    def half(self, **conditions: Any) -> Promotion:
        effect = {"kind": "percent_off", "percent_bp": 5000}
        return make.promotion(effect, code="HALF", status="draft", conditions=conditions)

    def worst(self, offer: Promotion) -> tuple[int, list[str]]:
        said = definitions.as_json(loss_guard.check(offer, now=make.NOON)[0])
        return said["unit_cents"], said["offers"]

    def test_an_offer_comes_on_top_of_what_members_pay_less(self) -> None:
        offer = self.half()
        assert self.worst(offer) == (600, ["HALF"])

        cheaper(300, level=2)

        assert self.worst(offer) == (450, ["Member price, ¥3 less each", "HALF"])
        with pytest.raises(definitions.ApprovalNeeded):
            definitions.activate(offer, now=make.NOON)

    def test_the_best_price_of_a_tier_and_of_the_plans_counts_and_they_do_not_add_up(self) -> None:
        cheaper(300, level=2)
        plan = MembershipPlan.objects.create(
            code="MONTH", name_zh="月卡", name_en="Month", price_cents=990, days=30
        )
        cheaper(100, code="PLAN", level=None, plan=plan)
        assert self.worst(self.half())[0] == 450

    def test_a_price_that_begins_next_month_counts_already(self) -> None:
        append(cheaper(100, level=2), JULY, amount_cents=400)
        assert self.worst(self.half())[0] == 400

    def test_a_price_of_another_tier_is_not_met(self) -> None:
        cheaper(300, level=2)
        first = Tier.objects.get(level=1)
        assert self.worst(self.half(tiers=[first.code])) == (600, ["HALF"])


@database
class TestOrder:
    def test_keeps_the_member_price_and_gives_back_what_was_paid(self) -> None:
        cheaper(200)
        who = make.member()
        two = make.basket(who=who, lines=[make.line(quantity=2)])

        receipt = make.paid(what=two, total=2000)
        refund = refunds.refund_order(
            number=receipt.order.number,
            request=RefundRequest(quantities={1: 1}),
            actor="test",
            now=make.NOON,
        )

        discount = OrderDiscount.objects.get()
        assert (discount.kind, discount.code, discount.amount_cents) == ("member_price", "TEA", 400)
        assert (refund.amount_cents, receipt.points_earned) == (1000, 20)
        assert suite.check_all(now=make.NOON).broken == []


GOODS = [("A", "tea"), ("B", "tea"), ("C", "food")]
prices = st.builds(
    MemberPrice,
    code=st.sampled_from("XYZ"),
    amount_cents=st.integers(1, 3000),
    products=st.frozensets(st.sampled_from("ABC")),
    categories=st.frozensets(st.sampled_from(["tea", "food"])),
)
lines = st.lists(
    st.tuples(st.sampled_from(GOODS), st.integers(0, 2000), st.integers(1, 4)),
    min_size=1,
    max_size=4,
)


@given(st.lists(prices, max_size=3, unique_by=lambda price: price.code), lines)
def test_no_member_pays_more_than_the_list_price_of_any_line(
    own: list[MemberPrice], bought: list[tuple[tuple[str, str], int, int]]
) -> None:
    cart = Cart(
        lines=tuple(
            CartLine(
                position=position,
                product=product,
                category=category,
                sku=product,
                unit_price_cents=Cents(cents),
                quantity=quantity,
            )
            for position, ((product, category), cents, quantity) in enumerate(bought, start=1)
        ),
        store="S",
        city="上海",
        order_type="pickup",
        local_time=make.NOON,
    )

    priced = pricing.evaluate(
        cart, pricing.Facts(), member_prices.offers(own, goods=GOODS), make.NOON
    )

    for line, ((product, category), cents, quantity) in zip(priced.lines, bought, strict=True):
        best = max((p.amount_cents for p in own if p.is_for(product, category)), default=0)
        assert line.net_cents == quantity * max(cents - best, 0)
