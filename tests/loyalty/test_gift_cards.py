"""Gift cards: a code pays for whoever brings it, once for each yuan on it."""

from typing import Any

import pytest
from django.test import Client

from loyalty import gift_cards
from loyalty.models import GiftCard, MoneyEntry
from shop.models import Payment
from tests import make
from tests.admin.test_buttons import press
from tests.loyalty.test_stored_value import assert_books_balance, points_of, settle, till

pytestmark = pytest.mark.django_db
__all__ = ["till"]

SALE = {"face_value_cents": 2000, "tenders": [{"method": "cash", "amount_cents": 2000}]}


def by_card(code: str, amount: int = 1200) -> dict[str, Any]:
    return {"method": "gift_card", "amount_cents": amount, "code": code}


class TestSale:
    def test_tells_the_code_once_and_keeps_none(self, till: make.Api) -> None:
        sold = till.post("/gift-cards", SALE, key="card-sale-1")
        again = till.post("/gift-cards", SALE, key="card-sale-1")

        code = sold.json()["code"]
        assert (sold.status_code, again.json()["code"]) == (201, code)
        assert GiftCard.objects.get().last4 == code[-4:]
        assert len(code) == 16
        assert_books_balance()

    def test_stops_at_what_an_anonymous_card_may_hold(self, till: make.Api) -> None:
        tenders = [{"method": "cash", "amount_cents": 100_001}]

        answer = till.post("/gift-cards", {"face_value_cents": 100_001, "tenders": tenders})

        assert answer.json()["code"] == "stored-value-cap-exceeded"

    def test_by_head_office_comes_in_numbers(self, till: make.Api) -> None:
        office = make.staff(group="Head office")
        body = {"count": 3, "face_value_cents": 5000, "is_paid": False, "note": "raffle"}

        answer = office.post("/gift-cards/issues", body)

        assert answer.status_code == 201, answer.json()
        assert len({card["code"] for card in answer.json()["cards"]}) == 3
        assert {card["balance_cents"] for card in answer.json()["cards"]} == {5000}


class TestSpending:
    def test_in_parts_by_guests_and_members_and_back_after_a_refund(self, till: make.Api) -> None:
        _card, code = make.gift_card(2000)
        who = make.member()

        first = settle(till, None, [by_card(f"{code[:4]}-{code[4:].lower()}")])
        second = settle(till, who, [by_card(code, 800), {"method": "cash", "amount_cents": 400}])
        looked_up = till.post("/gift-cards/lookup", {"code": code}).json()
        till.post(f"/orders/{first.json()['order']['number']}/refunds", {})
        back = till.post("/gift-cards/lookup", {"code": code}).json()

        assert (first.status_code, second.status_code) == (201, 201)
        assert (looked_up["balance_cents"], back["balance_cents"]) == (0, 1200)
        assert points_of(who) == 12
        assert not Payment.objects.filter(provider_ref__contains=code).exists()
        assert_books_balance()

    def test_beyond_its_balance_is_refused(self, till: make.Api) -> None:
        _card, code = make.gift_card(1199)

        assert settle(till, None, [by_card(code)]).json()["code"] == "not-enough-stored-value"

    def test_of_one_that_was_given_away_earns_nothing(self, till: make.Api) -> None:
        issued = gift_cards.issue(
            count=1,
            face_value_cents=2000,
            is_paid=False,
            note="",
            actor="test",
            now=make.NOON,
        )
        who = make.member()

        settle(till, who, [by_card(issued[0][1])])

        assert points_of(who) == 0

    def test_stops_while_it_is_frozen(self, till: make.Api) -> None:
        card, code = make.gift_card(2000)
        office: Client = make.staff(group="Head office").client

        press(office, "loyalty_giftcard_freeze", card)
        frozen = settle(till, None, [by_card(code)])
        press(office, "loyalty_giftcard_thaw", card)
        thawed = settle(till, None, [by_card(code)])

        said = frozen.json()
        assert (said["code"], said["reason"]) == ("gift-card-not-usable", "frozen")
        assert thawed.status_code == 201

    def test_names_a_card_once(self, till: make.Api) -> None:
        _card, code = make.gift_card(2000)

        assert settle(till, None, [by_card(code, 600), by_card(code, 600)]).status_code == 400
        assert MoneyEntry.objects.filter(kind="spend").count() == 0


class TestGuessing:
    def test_learns_nothing_and_does_not_go_on_for_long(self, till: make.Api) -> None:
        codes = [f"{number:016d}" for number in range(12)]

        answers = [till.post("/gift-cards/lookup", {"code": code}) for code in codes]

        assert [a.status_code for a in answers] == [404] * 10 + [429] * 2
        assert answers[0].json()["code"] == "gift-card-unknown"
