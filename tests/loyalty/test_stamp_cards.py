"""Stamp cards: a stamp for every cup, a free cup for ten; docs/points.md tells it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from loyalty import promises
from loyalty.models import (
    EarningGain,
    LoyaltyProgramme,
    PendingPoints,
    PointsAccount,
    PointsLot,
    Reward,
)
from shop.kernel.money import Cents, Points
from shop.models import Member, Order
from shop.refunds import RefundRequest
from shop.storefront import merging, refunds
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _card() -> None:
    """A stamp for every milk tea, a drink of up to ¥20 for three."""
    make.earning_rule("CARD", kind="stamp", points=1, products=["MT01"])
    Reward.objects.create(
        code="CUP",
        name_zh="第四杯免费",
        name_en="Fourth cup free",
        kind="drink",
        wallet="stamps",
        cost_points=Points(3),
        max_value_cents=Cents(2000),
    )


def bought(who: Member, quantity: int = 3, **fields: Any) -> Order:
    basket = make.basket(who=who, lines=[make.line(quantity=quantity)], **fields)
    return make.paid(what=basket, total=1200 * quantity, now=NOW).order


def card(who: Member) -> tuple[int, int] | None:
    account = PointsAccount.objects.filter(member=who, wallet="stamps").first()
    return (account.balance, account.held) if account else None


def taken(who: Member) -> Any:
    return make.phone_of(who).post("/rewards/CUP/redemptions", {})


class TestStamp:
    def test_comes_with_every_cup_beside_the_points(self) -> None:
        who = make.member(now=NOW)
        line = {"product": "MT01", "options": make.MILK_TEA, "quantity": 2}
        body = {"member": str(who.public_id), "lines": [line]}

        quote = make.till().post("/quotes", body).json()
        bought(who, 2)

        assert (quote["stamps_to_earn"], quote["points_to_earn"]) == (2, 24)
        assert card(who) == (2, 0)
        assert make.phone_of(who).get("/me").json()["stamps_available"] == 2
        (entry,) = make.phone_of(who).get("/me/points/entries", wallet="stamps").json()["results"]
        assert (entry["points"], entry["lot"]) == (2, {"remaining": 2, "expires_at": None})
        assert not suite.check_all(now=NOW).broken

    def test_is_none_for_guests_and_for_what_the_rule_does_not_name(self) -> None:
        who = make.member(now=NOW)

        make.paid(what=make.basket(lines=[make.line()]), total=1200, now=NOW)
        make.earning_rule("NEVER", kind="stamp", points=1, products=["MT02"])
        bought(who, 1)

        assert card(who) == (1, 0)
        assert EarningGain.objects.get().rule.code == "CARD"

    def test_is_neither_boosted_nor_displaced_by_a_rule_that_counts_alone(self) -> None:
        make.earning_rule("DOUBLE", kind="boost", percent=200)
        make.earning_rule("ALONE", kind="visit", points=7, is_stackable=False)
        who = make.member(now=NOW)

        bought(who, 2)

        assert card(who) == (2, 0)
        assert PointsAccount.objects.get(member=who, wallet="points").balance == 7

    def test_is_capped_by_the_day(self) -> None:
        make.earning_rule("CAPPED", kind="stamp", points=1, max_points_per_day=3)
        who = make.member(now=NOW)

        bought(who, 2)
        bought(who, 2)

        assert card(who) == (4 + 3, 0)
        assert not suite.check_all(now=NOW).broken

    def test_comes_with_an_order_that_is_paid_later_and_with_a_claimed_receipt(self) -> None:
        who = make.member(now=NOW)
        order = make.placed(who=who, now=NOW)
        before = card(who)

        make.pay(order, now=NOW)
        guests = make.paid(what=make.basket(lines=[make.line()]), total=1200, now=NOW).order
        claim = {"receipt": guests.number, "store": "SH001", "amount_cents": 1200}
        claimed = make.phone_of(who).post("/receipt-claims", claim)

        assert (before, claimed.status_code, card(who)) == (None, 201, (2, 0))
        assert not suite.check_all(now=NOW).broken

    def test_waits_as_points_do_and_never_expires(self) -> None:
        LoyaltyProgramme.objects.update(points_wait_for="days", points_wait_days=7)
        who = make.member(now=NOW)
        order = bought(who)
        refunds.refund_order(
            number=order.number,
            request=RefundRequest(reason="x", quantities={1: 1}),
            actor="test",
            now=NOW,
        )
        (promise,) = PendingPoints.objects.filter(account__wallet="stamps")
        later = NOW + timedelta(days=8)

        promises.release(promise.pk, now=later, expires_at=later)

        assert card(who) == (2, 0)
        assert PointsLot.objects.get(account__wallet="stamps").expires_at is None
        assert not suite.check_all(now=NOW).broken


class TestRefund:
    @pytest.mark.parametrize("parts", [[{1: 1}, {1: 2}], [{1: 2}, {1: 1}], [{}]], ids=str)
    def test_takes_stamps_back_cup_by_cup_as_the_whole_would(self, parts: list[Any]) -> None:
        who = make.member(now=NOW)
        order = bought(who)

        left = []
        for quantities in parts:
            request = RefundRequest(reason="x", quantities=quantities)
            refunds.refund_order(number=order.number, request=request, actor="test", now=NOW)
            left.append(card(who))

        first = 3 - sum((parts[0] or {1: 3}).values())
        assert (left[0], left[-1]) == ((first, 0), (0, 0))
        assert not suite.check_all(now=NOW).broken

    def test_of_stamps_that_were_spent_makes_debt_that_the_next_cups_repay(self) -> None:
        who = make.member(now=NOW)
        order = bought(who)
        code = taken(who).json()["code"]
        make.paid(what=make.basket(who=who, reward_code=code), total=0, now=NOW)

        request = RefundRequest(reason="x", quantities={1: 2})
        refunds.refund_order(number=order.number, request=request, actor="test", now=NOW)
        owing = card(who)
        bought(who)

        assert (owing, card(who)) == ((-2, 0), (1, 0))
        assert not suite.check_all(now=NOW).broken


class TestReward:
    def test_is_bought_with_stamps_and_earns_none(self) -> None:
        """Two cups at ¥12 of which one is free: ¥12 to pay, one stamp."""
        who = make.member(now=NOW)
        bought(who)
        row = taken(who).json()
        held = card(who)

        basket = make.basket(who=who, lines=[make.line(quantity=2)], reward_code=row["code"])
        order = make.paid(what=basket, total=1200, now=NOW).order
        spent = card(who)
        refunds.refund_order(
            number=order.number, request=RefundRequest(reason="x"), actor="test", now=NOW
        )

        assert (row["wallet"], row["points"]) == ("stamps", 3)
        assert (held, spent, card(who)) == ((3, 3), (1, 0), (3, 0))
        assert not suite.check_all(now=NOW).broken

    def test_is_refused_without_a_card_and_with_too_few(self) -> None:
        who = make.member(now=NOW)
        make.give_points(who, 1000, now=NOW)

        nothing = taken(who).json()
        bought(who, 2)
        too_few = taken(who).json()

        assert (nothing["code"], nothing["available_points"]) == ("not-enough-points", 0)
        assert (too_few["needed_points"], too_few["available_points"]) == (3, 2)

    def test_given_back_unused_frees_the_stamps(self) -> None:
        who = make.member(now=NOW)
        bought(who)
        code = taken(who).json()["code"]

        answer = make.phone_of(who).post(f"/redemptions/{code}/cancellation", {})

        assert (answer.json()["status"], card(who)) == ("returned", (3, 0))


def test_stamps_go_with_a_merge_and_later_refunds_find_them() -> None:
    source, target = make.member(now=NOW), make.member(now=NOW)
    order = bought(source)

    merging.merge_members(source, into=target, reason="one person", actor="test", now=NOW)
    merged = card(target)
    request = RefundRequest(reason="x", quantities={1: 2})
    refunds.refund_order(number=order.number, request=request, actor="test", now=NOW)

    assert (merged, card(target)) == ((3, 0), (1, 0))
    assert not suite.check_all(now=NOW).broken
