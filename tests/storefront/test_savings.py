"""The wallet at the till: what each coupon would save on this basket, the best first."""

from typing import Any

import pytest
from django.utils import timezone

from shop.models import Member
from shop.storefront import savings
from tests import make

pytestmark = pytest.mark.django_db


def rule(cents: int, *, above: int = 0, stacking: str = "common") -> dict[str, Any]:
    return {
        "version": 1,
        "effect": {"kind": "fixed_off", "amount_cents": cents},
        "conditions": {"min_spend_cents": above},
        "stacking": stacking,
    }


def wallet(who: Member, quantity: int) -> dict[str, Any]:
    lines = [{"product": "MT01", "quantity": quantity, "options": make.MILK_TEA}]
    answer = make.phone_of(who).post("/quotes/wallet", {"store": "SH001", "lines": lines}, key=None)
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def guest() -> Member:
    make.definition("NEW_BOGO", is_welcome_gift=False)
    return make.member()


def test_sorts_coupons_by_what_they_save_and_says_why_not(guest: Member) -> None:
    make.definition("FULL25_5", rule=rule(500, above=2500))
    make.definition("WINBACK_6", rule=rule(600, above=1500))
    five, six = (make.coupon(guest, code, now=timezone.now()) for code in ("FULL25_5", "WINBACK_6"))

    found = wallet(guest, quantity=2)

    assert found["total_cents"] == 2400
    assert [(row["code"], row["saves_cents"]) for row in found["coupons"]] == [
        (six.code, 600),
        (five.code, 0),
    ]
    refusal = found["coupons"][1]["refusal"]
    assert (refusal["reason"], refusal["short"]) == ("min-spend-not-met", 100)
    assert found["best"] == {"coupons": [six.code], "saves_cents": 600, "total_cents": 1800}


def test_puts_together_what_stacks(guest: Member) -> None:
    make.definition("FULL25_5", rule=rule(500))
    make.definition("WINBACK_6", rule=rule(600))
    names = ("FULL25_5", "WINBACK_6")
    codes = [make.coupon(guest, name, now=timezone.now()).code for name in names]

    best = wallet(guest, quantity=2)["best"]

    assert best == {"coupons": sorted(codes), "saves_cents": 1100, "total_cents": 1300}


def test_chooses_one_that_stands_alone_only_if_it_is_better(guest: Member) -> None:
    make.definition("FULL25_5", rule=rule(500))
    make.definition("WINBACK_6", rule=rule(600))
    make.definition("NEW_BOGO", rule=rule(1000, stacking="exclusive"))
    names = ("FULL25_5", "WINBACK_6", "NEW_BOGO")
    five, six, alone = (make.coupon(guest, name, now=timezone.now()).code for name in names)

    found = wallet(guest, quantity=2)

    assert [row["code"] for row in found["coupons"]] == [alone, six, five]
    assert found["best"]["coupons"] == sorted([five, six])
    assert found["best"]["saves_cents"] == 1100


def test_best_is_what_an_order_with_these_codes_costs(guest: Member) -> None:
    for name, cents in (("FULL25_5", 500), ("WINBACK_6", 600)):
        make.definition(name, rule=rule(cents))
        make.coupon(guest, name, now=timezone.now())
    make.promotion({"kind": "percent_off", "percent_bp": 1000})

    best = wallet(guest, quantity=2)["best"]
    lines = [{"product": "MT01", "quantity": 2, "options": make.MILK_TEA}]
    body = {"store": "SH001", "lines": lines, "coupons": best["coupons"]}
    quote = make.phone_of(guest).post("/quotes", body, key=None).json()

    assert quote["total_cents"] == best["total_cents"]


def test_of_an_empty_wallet_saves_nothing(guest: Member) -> None:
    found = wallet(guest, quantity=1)

    assert found["coupons"] == []
    assert found["best"] == {"coupons": [], "saves_cents": 0, "total_cents": 1200}


def test_asks_for_a_member(guest: Member) -> None:
    body = {"lines": [{"product": "MT01", "options": make.MILK_TEA}]}

    refused = make.till().post("/quotes/wallet", body, key=None)

    assert refused.json()["code"] == "member-required"


def test_takes_no_codes(guest: Member) -> None:
    lines = [{"product": "MT01", "options": make.MILK_TEA}]
    body = {"store": "SH001", "lines": lines, "coupons": []}

    assert make.phone_of(guest).post("/quotes/wallet", body, key=None).status_code == 400


def test_costs_as_many_statements_with_twenty_coupons_as_with_one(
    guest: Member, django_assert_num_queries: Any
) -> None:
    make.definition("FULL25_5", rule=rule(500), per_member_limit=99)
    make.coupon(guest)
    what = make.basket(who=guest)
    savings.on(what, now=make.NOON)

    with django_assert_num_queries(3):
        savings.on(what, now=make.NOON)
    for _each in range(19):
        make.coupon(guest)
    with django_assert_num_queries(3):
        savings.on(what, now=make.NOON)
