"""Limits of coupons by place and time: so many a day, a week, a month, at each store."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns import redemptions
from campaigns.models import Coupon, CouponDefinition, UsageCounter
from shop.models import Member
from shop.refunds import RefundRequest
from shop.storefront import checkout, quotes, refunds, savings
from shop.storefront.baskets import Basket
from tests import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def limited(**fields: Any) -> CouponDefinition:
    """Return the definition of ¥5 from ¥25, limited like this."""
    definition = make.definition("FULL25_5")
    for name, value in fields.items():
        setattr(definition, name, value)
    definition.per_member_limit = 5
    definition.save()
    redemptions.recount(definition)
    return definition


def basket(who: Member, *held: Coupon, at: str = "SH001") -> Basket:
    """Return three cups of ¥12 (¥10 at SH002) with these coupons."""
    codes = [coupon.code for coupon in held]
    return make.basket(who=who, at=at, lines=[make.line(quantity=3)], coupon_codes=codes)


def refusals(what: Basket, *, after: timedelta = timedelta(0)) -> list[tuple[str, Any, Any]]:
    found = quotes.quote(what, now=make.NOON + after).refusals
    return [(str(each.reason), each.needed, each.actual) for each in found]


def used() -> dict[str, int]:
    return {f"{row.dimension}": row.used for row in UsageCounter.objects.all()}


class TestLimit:
    @pytest.mark.parametrize(
        ("column", "reason"),
        [
            ("uses_per_store", "store-limit-reached"),
            ("uses_per_day", "daily-limit-reached"),
            ("uses_per_week", "weekly-limit-reached"),
            ("uses_per_month", "monthly-limit-reached"),
        ],
    )
    def test_lets_one_through_and_then_says_which(self, column: str, reason: str) -> None:
        limited(**{column: 1})
        who, other = make.member(), make.member()
        make.paid(what=basket(who, make.coupon(who)), total=3100)

        assert refusals(basket(other, make.coupon(other))) == [(reason, 1, 1)]

    def test_of_a_day_is_over_with_the_day(self) -> None:
        limited(uses_per_day=1)
        who = make.member()
        make.paid(what=basket(who, make.coupon(who)), total=3100)

        assert refusals(basket(who, make.coupon(who)), after=DAY) == []

    def test_of_a_store_is_the_stores_own(self) -> None:
        limited(uses_per_store=1)
        who = make.member()
        make.paid(what=basket(who, make.coupon(who)), total=3100)

        assert refusals(basket(who, make.coupon(who), at="SH002")) == []

    def test_that_does_not_exist_counts_nothing(self) -> None:
        who = make.member()
        make.paid(what=basket(who, make.coupon(who)), total=3100)

        assert used() == {}

    def test_that_comes_later_counts_what_was_used_before(self) -> None:
        who = make.member()
        make.paid(what=basket(who, make.coupon(who)), total=3100)

        limited(uses_per_store=5)

        assert used() == {"store": 1}

    def test_is_told_in_the_wallet_too(self) -> None:
        limited(uses_per_day=1)
        who = make.member()
        make.paid(what=basket(who, make.coupon(who)), total=3100)
        mine = make.coupon(who).code

        found = {each.coupon.code: each for each in savings.on(basket(who), now=make.NOON).coupons}

        refusal = found[mine].refusal
        assert refusal is not None
        assert refusal.reason == "daily-limit-reached"


class TestUse:
    def test_counts_from_the_moment_an_order_is_placed_and_not_again_when_it_is_paid(self) -> None:
        limited(uses_per_day=5)
        who = make.member()
        order = make.placed(what=basket(who, make.coupon(who)), total=3100)
        assert used() == {"day": 1}

        make.pay(order)

        assert used() == {"day": 1}

    def test_of_a_cancelled_order_is_given_back(self) -> None:
        limited(uses_per_day=5)
        who = make.member()
        order = make.placed(what=basket(who, make.coupon(who)), total=3100)

        checkout.cancel_order(number=order.number, actor="test", now=make.NOON)

        assert used() == {"day": 0}

    def test_of_an_order_refunded_whole_is_given_back_to_its_day(self) -> None:
        limited(uses_per_day=5)
        who = make.member()
        order = make.paid(what=basket(who, make.coupon(who)), total=3100).order

        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON + 3 * DAY
        )

        assert used() == {"day": 0}

    def test_of_a_coupon_that_is_used_up_for_good_stays_counted(self) -> None:
        definition = limited(uses_per_day=5, after_refund="never")
        who = make.member()
        order = make.paid(what=basket(who, make.coupon(who)), total=3100).order

        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )
        redemptions.recount(definition)

        assert used() == {"day": 1}
