"""Returning a part of an order: what the rest keeps of its discount, by the terms of the offer.

MT01 costs ¥12.00; FULL25_5 takes ¥5 off from ¥25.
"""

from collections.abc import Sequence

import pytest

from shop.kernel.money import Cents
from shop.models import Order
from shop.refunds import RefundRequest, RefundTooLarge
from shop.storefront import quotes, refunds
from tests import make

pytestmark = pytest.mark.django_db


def bought(*quantities: int, coupon: str = "") -> Order:
    """Return a paid order of so many MT01 per line, with a coupon if one is named."""
    who = make.member()
    codes = [make.coupon(who, coupon).code] if coupon else []
    lines = [make.line(quantity=n) for n in quantities]
    basket = make.basket(who=who, lines=lines, coupon_codes=codes)
    total = quotes.quote(basket, now=make.NOON).total_cents
    return make.paid(what=basket, total=total).order


def give_back(order: Order, *, amount: int | None = None, **pieces: int) -> tuple[int, int]:
    """Return what a refund of pieces (`line1=2`), or of an amount, gives and what it keeps."""
    request = RefundRequest(
        quantities={int(name.removeprefix("line")): n for name, n in pieces.items()},
        amount_cents=None if amount is None else Cents(amount),
    )
    refund = refunds.refund_order(number=order.number, request=request, actor="test", now=make.NOON)
    return refund.amount_cents, refund.kept_back_cents


class TestKeep:
    def test_leaves_the_rest_its_share_of_the_discount(self) -> None:
        order = bought(3, coupon="FULL25_5")  # 36 − 5 = 31

        assert give_back(order, line1=2) == (2066, 0)
        assert give_back(order, line1=1) == (1034, 0)


class TestReprice:
    @pytest.fixture(autouse=True)
    def _terms(self) -> None:
        make.definition(partial_return="reprice")

    def test_below_the_threshold_the_rest_costs_its_full_price(self) -> None:
        order = bought(3, coupon="FULL25_5")

        assert give_back(order, line1=2) == (3100 - 1200, 166)

    def test_above_the_threshold_the_rest_keeps_the_whole_discount(self) -> None:
        """Four cups for 43: the three that stay cost 31, as if bought so; but no one is given more
        off than at the sale, so the guest gets 43 × ¼."""
        order = bought(4, coupon="FULL25_5")

        assert give_back(order, line1=1) == (1075, 0)

    def test_what_was_kept_comes_back_with_the_rest(self) -> None:
        order = bought(3, coupon="FULL25_5")

        amounts = [give_back(order, line1=1), give_back(order, line1=1), give_back(order, line1=1)]

        # 24 is below 25 already: two cups cost 24, 31 was paid; then one costs 12.
        assert amounts == [(700, 333), (1200, 166), (1200, 0)]

    def test_is_spread_over_the_lines_that_came_back(self) -> None:
        order = bought(1, 1, 1, coupon="FULL25_5")

        amounts = [give_back(order, line1=1, line2=1), give_back(order, line3=1)]

        assert [amount for amount, _kept in amounts] == [1900, 1200]
        order.refresh_from_db()
        assert (order.status, order.refunded_cents) == ("refunded", 3100)

    def test_never_asks_the_guest_for_money(self) -> None:
        """¥25 off from ¥48: three of four cups alone cost more than all four did."""
        make.definition(
            rule={
                "version": 1,
                "effect": {"kind": "fixed_off", "amount_cents": 2500},
                "conditions": {"min_spend_cents": 4800},
            }
        )
        order = bought(4, coupon="FULL25_5")  # 48 − 25 = 23

        steps = [give_back(order, line1=1)[0] for _cup in range(4)]

        assert steps == [0, 0, 1100, 1200]

    def test_goes_with_amounts_and_whole_refunds(self) -> None:
        order = bought(3, coupon="FULL25_5")

        steps = [give_back(order, line1=1)[0], give_back(order, amount=500)[0], give_back(order)[0]]

        assert steps == [700, 500, 1900]
        order.refresh_from_db()
        assert order.status == "refunded"

    def test_takes_no_pieces_that_are_not_there(self) -> None:
        order = bought(3, coupon="FULL25_5")

        with pytest.raises(RefundTooLarge):
            give_back(order, line1=4)

    @pytest.mark.parametrize(
        ("effect", "quantity", "paid", "after_one"),
        [
            ({"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1}, 2, 1200, 0),
            ({"kind": "percent_off", "percent_bp": 2500}, 2, 1800, 900),
            ({"kind": "nth_item_percent", "nth": 2, "percent_bp": 5000}, 2, 1800, 600),
        ],
    )
    def test_prices_the_rest_by_the_same_rule(
        self, effect: dict[str, object], quantity: int, paid: int, after_one: int
    ) -> None:
        """Of "buy one, get one" and "the second at half price" one cup costs what one cup costs."""
        make.definition(rule={"version": 1, "effect": effect})
        order = bought(quantity, coupon="FULL25_5")

        assert order.paid_cents == paid
        assert give_back(order, line1=1)[0] == after_one

    def test_asks_only_for_what_a_return_changes(self) -> None:
        """The first order stays the first order, happy hour was then."""
        make.definition(
            rule={
                "version": 1,
                "effect": {"kind": "percent_off", "percent_bp": 5000},
                "conditions": {"first_order_only": True, "ends_at": "2026-06-18T12:01:00+08:00"},
            }
        )
        order = bought(2, coupon="FULL25_5")

        assert give_back(order, line1=1) == (600, 0)


class TestPromotions:
    LADDER: Sequence[dict[str, int]] = (
        {"threshold": 2400, "amount_cents": 300},
        {"threshold": 4800, "amount_cents": 1000},
    )

    def test_fall_to_the_step_of_the_ladder_that_the_rest_reaches(self) -> None:
        effect = {"kind": "tiered_fixed_off", "tiers": list(self.LADDER)}
        make.promotion(effect, partial_return="reprice")
        order = bought(4)  # 48 − 10 = 38

        # Two cups alone: 24 − 3 = 21, so 17 comes back; one: 12, so 9 more.
        assert [give_back(order, line1=n)[0] for n in (2, 1, 1)] == [1700, 900, 1200]

    def test_go_by_the_rule_of_the_sale(self) -> None:
        promotion = make.promotion(
            {"kind": "fixed_off", "amount_cents": 600},
            conditions={"min_spend_cents": 2400},
            partial_return="reprice",
        )
        order = bought(2)  # 24 − 6 = 18
        promotion.rule = {"version": 1, "effect": {"kind": "fixed_off", "amount_cents": 1}}
        promotion.partial_return = "keep"
        promotion.save()

        assert give_back(order, line1=1) == (600, 300)
