"""A guest's receipt, claimed afterwards: what paying as a member would have given, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Conversion, Referral
from loyalty.models import LoyaltyProgramme, PointsAccount, ReceiptClaim, Visit
from shop.kernel.money import Cents
from shop.models import Member, Order
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def bought(**fields: Any) -> Order:
    """Return a guest's paid order of two cups (¥24)."""
    what = make.basket(lines=[make.line(quantity=2)])
    return make.paid(what=what, total=2400, now=fields.pop("now", NOW)).order


def claim(who: Member, order: Order, **fields: Any) -> Any:
    body = {"receipt": order.number, "store": "SH001", "amount_cents": 2400} | fields
    return make.phone_of(who).post("/receipt-claims", body)


def refund(order: Order, cents: int | None = None) -> None:
    amount = None if cents is None else Cents(cents)
    refunds.refund_order(
        number=order.number, request=RefundRequest(amount_cents=amount), actor="test", now=NOW
    )


def balances(who: Member) -> dict[str, int]:
    return dict(PointsAccount.objects.filter(member=who).values_list("wallet", "balance"))


def ensure_books_balance() -> None:
    broken = suite.check_all(now=NOW).broken
    assert broken == [], "\n".join(f"{found.name}: {found.examples}" for found in broken)


class TestClaim:
    def test_gives_what_paying_as_a_member_would_have(self) -> None:
        make.earning_rule(kind="item", points=3, products=["MT01"])
        order, who = bought(), make.member(now=NOW)

        answer = claim(who, order).json()

        assert (answer["order"], answer["points_earned"]) == (order.number, 24 + 6)
        assert balances(who) == {"points": 30, "qualifying": 24}
        assert Visit.objects.get(member=who).order == order
        assert Conversion.objects.get(order=order, kind="order").member == who
        ensure_books_balance()

    def test_is_taken_once(self) -> None:
        order, who = bought(), make.member(now=NOW)

        answers = [claim(who, order), claim(who, order), claim(make.member(now=NOW), order)]

        assert [answer.status_code for answer in answers] == [201, 409, 409]
        assert answers[1].json()["code"] == "order-not-claimable"
        assert ReceiptClaim.objects.get().points == 24

    def test_by_the_tills_own_number_is_as_good(self) -> None:
        order, who = bought(), make.member(now=NOW)
        named = {"member": str(who.public_id), "receipt": order.pos_order_no, "amount_cents": 2400}

        elsewhere = make.till("SH002").post("/receipt-claims", named)
        here = make.till("SH001").post("/receipt-claims", named)

        assert (elsewhere.status_code, here.status_code) == (404, 201)

    @pytest.mark.parametrize(
        "wrong", [{"amount_cents": 2399}, {"store": "SH002"}, {"receipt": "260101XXXXXXXXX"}]
    )
    def test_needs_number_store_and_amount_and_says_not_which_is_wrong(
        self, wrong: dict[str, Any]
    ) -> None:
        answer = claim(make.member(now=NOW), bought(), **wrong)

        assert (answer.status_code, answer.json()["code"]) == (404, "receipt-unknown")

    def test_is_taken_for_some_days_only(self) -> None:
        LoyaltyProgramme.objects.update(claim_days=3)
        who = make.member(now=NOW)
        young = bought(now=NOW - timedelta(days=3) + timedelta(minutes=5))
        old = bought(now=NOW - timedelta(days=3))

        assert (claim(who, young).status_code, claim(who, old).status_code) == (201, 404)

    def test_is_guessed_ten_times_an_hour(self) -> None:
        who, order = make.member(now=NOW), bought()

        wrong = [claim(who, order, amount_cents=number).status_code for number in range(1, 11)]

        assert set(wrong) == {404}
        assert claim(who, order).status_code == 429


class TestRefunds:
    def test_before_a_claim_and_after_it_leave_what_they_would_have(self) -> None:
        """¥8 back before: 24 − 8 = 16 are left; the rest back after: none."""
        order, who = bought(), make.member(now=NOW)
        refund(order, 800)

        answer = claim(who, order).json()
        ensure_books_balance()
        left = balances(who)
        refund(order)

        assert answer["points_earned"] == 16
        assert left == {"points": 16, "qualifying": 16}
        assert balances(who) == {"points": 0, "qualifying": 0}
        assert Visit.objects.get(member=who).reversed_at is not None
        ensure_books_balance()

    def test_of_everything_leave_nothing_to_claim(self) -> None:
        order = bought()
        refund(order)

        answer = claim(make.member(now=NOW), order).json()

        assert (answer["code"], answer["reason"]) == ("order-not-claimable", "refunded")


class TestFriend:
    def test_who_bought_before_joining_brings_nobody_a_reward(self) -> None:
        order = bought(now=NOW - timedelta(days=1))
        friend = make.referred(make.member(now=NOW), now=NOW)

        claim(friend, order)

        assert Referral.objects.get(referee=friend).status == "registered"

    def test_who_forgot_to_say_who_they_are_brings_one(self) -> None:
        friend = make.referred(make.member(now=NOW), now=NOW - timedelta(days=1))

        claim(friend, bought())

        assert Referral.objects.get(referee=friend).status == "qualified"
        ensure_books_balance()
