"""Wallets of money: off until switched on, topped up, spent, given back, paid out."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from loyalty import proportions, stored_value
from loyalty.models import MoneyAccount, MoneyEntry, PointsAccount, StoredValuePlan
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.models import Member, Order
from shop.orders import Tender
from shop.refunds import RefundRequest
from shop.storefront import checkout, departures, refunds
from shop.storefront.invariants import suite
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

MINUTE = timedelta(seconds=60)
CUPS = {"lines": [{"product": "MT01", "options": make.MILK_TEA, "quantity": 1}]}


@pytest.fixture
def till() -> Api:
    make.stored_value_on()
    return make.till()


def plan(pay: int = 10000, gift: int = 1000, days: int | None = 90) -> StoredValuePlan:
    return StoredValuePlan.objects.create(
        code=f"pay{pay}",
        name_zh="充值有礼",
        name_en="Top up",
        pay_cents=pay,
        gift_cents=gift,
        gift_valid_days=days,
    )


def top_up(till: Api, who: Member, amount: int, **fields: Any) -> Any:
    body = {"tenders": [{"method": "cash", "amount_cents": amount}], **fields}
    if "plan" not in fields:
        body["amount_cents"] = amount
    return till.post(f"/members/{who.public_id}/stored-value/top-ups", body)


def pay_out(till: Api, who: Member, **fields: Any) -> Any:
    body = {"method": "cash", "code": make.pay_code(who, now=timezone.now()), **fields}
    return till.post(f"/members/{who.public_id}/stored-value/payouts", body)


def settle(till: Api, who: Member | None, tenders: list[dict[str, Any]], total: int = 1200) -> Any:
    body = {**CUPS, "expected_total_cents": total, "pos_order_no": f"P{Order.objects.count()}"}
    if who is not None:
        body["member"] = str(who.public_id)
        tenders = [shown(tender, who) for tender in tenders]
    return till.post("/pos/settle", {**body, "tenders": tenders})


def wallet(amount: int = 1200) -> dict[str, Any]:
    return {"method": "stored_value", "amount_cents": amount}


def shown(tender: dict[str, Any], who: Member) -> dict[str, Any]:
    """Return a tender with the code that the member's phone shows, unless it has one."""
    if tender["method"] != "stored_value" or "code" in tender or who.status != "active":
        return tender
    return tender | {"code": make.pay_code(who, now=timezone.now())}


def held(till: Api, who: Member) -> tuple[int, int]:
    found = till.get(f"/members/{who.public_id}/stored-value").json()
    return found["principal_cents"], found["gift_cents"]


def points_of(who: Member) -> int:
    return int(PointsAccount.objects.get(member=who, wallet="points").balance)


def assert_books_balance() -> None:
    broken = suite.check_all(now=timezone.now()).broken
    assert broken == [], [(found.name, found.examples) for found in broken]


class TestSwitchedOff:
    def test_takes_and_spends_nothing_and_still_shows_and_pays_out(self, till: Api) -> None:
        who = make.topped_up(make.member(), 5000)
        make.stored_value_on(has_stored_value=False, has_gift_cards=False)

        refused = [
            top_up(till, who, 100),
            settle(till, who, [wallet()]),
            till.post(
                "/gift-cards",
                {
                    "face_value_cents": 100,
                    "tenders": [{"method": "cash", "amount_cents": 100}],
                },
            ),
        ]
        paid_out = pay_out(till, who)

        assert [answer.json()["code"] for answer in refused] == ["stored-value-off"] * 3
        assert (paid_out.status_code, paid_out.json()["paid_out_cents"]) == (201, 5000)
        assert make.phone_of(who).get("/me/stored-value").json()["is_on"] is False
        assert not Order.objects.exists()

    def test_is_how_a_chain_begins(self) -> None:
        assert top_up(make.till(), make.member(), 100).json()["code"] == "stored-value-off"


class TestTheLaw:
    @pytest.mark.parametrize(
        "beyond",
        [
            {"wallet_cap_cents": 500_001},
            {"gift_card_cap_cents": 100_001},
            {"gift_card_valid_months": 35},
        ],
    )
    def test_is_kept_by_the_database(self, beyond: dict[str, Any]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            make.stored_value_on(**beyond)


class TestTopUp:
    def test_keeps_principal_and_gift_apart(self, till: Api) -> None:
        who = make.member()
        plan()

        answer = top_up(till, who, 10000, plan="pay10000")

        assert answer.status_code == 201
        found = answer.json()["statement"]
        assert (found["principal_cents"], found["gift_cents"]) == (10000, 1000)
        assert found["gifts"][0]["expires_at"] is not None
        entries = make.phone_of(who).get("/me/stored-value/entries").json()["results"]
        assert [(e["part"], e["kind"], e["cents"]) for e in entries] == [
            ("gift", "gift", 1000),
            ("principal", "top_up", 10000),
        ]
        assert points_of(who) == 0
        assert_books_balance()

    def test_stops_at_the_cap_gift_included(self, till: Api) -> None:
        who = make.topped_up(make.member(), 480_000)
        plan(pay=19_500, gift=1000)

        over = top_up(till, who, 19_500, plan="pay19500")
        within = top_up(till, who, 20_000)

        assert (over.status_code, over.json()["code"]) == (409, "stored-value-cap-exceeded")
        assert within.status_code == 201

    def test_needs_tenders_that_add_up_and_were_not_taken_before(self, till: Api) -> None:
        who = make.member()
        paid = [{"method": "wechat", "amount_cents": 500, "provider_ref": "WX-7"}]

        assert top_up(till, who, 600, tenders=paid).json()["code"] == "payment-mismatch"
        assert top_up(till, who, 500, tenders=paid).status_code == 201
        assert top_up(till, who, 500, tenders=paid).json()["code"] == "payment-ref-taken"
        assert held(till, who) == (500, 0)

    def test_is_not_paid_with_stored_value(self, till: Api) -> None:
        who = make.topped_up(make.member(), 1000)

        assert top_up(till, who, 500, tenders=[wallet(500)]).status_code == 400


class TestSpending:
    def test_takes_principal_and_gift_in_proportion_and_earns_for_principal(
        self, till: Api
    ) -> None:
        """110.00 in the wallet, 10.00 of it gift: of 12.00 the gift pays ⌊1200 × 1000/11000⌋."""
        who = make.topped_up(make.member(), 10000, gift=1000)

        answer = settle(till, who, [wallet()])

        assert answer.status_code == 201, answer.json()
        assert held(till, who) == (10000 - 1091, 1000 - 109)
        assert points_of(who) == 10  # ¥10.91 of one's own
        assert_books_balance()

    def test_of_gift_alone_earns_nothing(self, till: Api) -> None:
        who = make.topped_up(make.member(), 1, gift=5000)
        settle(till, who, [wallet()])

        assert points_of(who) == 0
        assert_books_balance()

    def test_goes_with_other_tenders_and_pays_placed_orders(self, till: Api) -> None:
        who = make.topped_up(make.member(), 1000)
        order = make.placed(who=who, now=timezone.now())
        tenders = [shown(wallet(1000), who), {"method": "cash", "amount_cents": 200}]

        answer = till.post(f"/orders/{order.number}/payment", {"tenders": tenders})
        again = till.post(f"/orders/{order.number}/payment", {"tenders": tenders})

        assert (answer.status_code, again.json()["code"]) == (200, "order-not-payable")
        assert held(till, who) == (0, 0)

    def test_beyond_what_there_is_sells_nothing(self, till: Api) -> None:
        who = make.topped_up(make.member(), 1199)

        answer = settle(till, who, [wallet()])

        assert (answer.status_code, answer.json()["code"]) == (409, "not-enough-stored-value")
        assert answer.json()["short_cents"] == 1
        assert not Order.objects.exists()
        assert held(till, who) == (1199, 0)

    def test_needs_an_active_member(self, till: Api) -> None:
        who = make.topped_up(make.member(), 5000)
        order = make.placed(who=who, now=timezone.now())
        Member.objects.filter(pk=who.pk).update(status="frozen")

        nobody = settle(till, None, [wallet()])
        frozen = till.post(f"/orders/{order.number}/payment", {"tenders": [wallet()]})

        assert nobody.json()["code"] == "stored-value-needs-member"
        assert frozen.json()["code"] == "member-not-active"

    @pytest.mark.parametrize(
        "tender",
        [
            {"method": "cash", "amount_cents": 1200, "code": "ABCD"},
            wallet() | {"provider_ref": "X"},
            {"method": "gift_card", "amount_cents": 1200},
        ],
    )
    def test_is_named_as_it_is_taken(self, till: Api, tender: dict[str, Any]) -> None:
        assert settle(till, make.member(), [tender]).status_code == 400

    def test_needs_the_code_on_the_phone_of_this_member_and_now(self, till: Api) -> None:
        who, other = make.topped_up(make.member(), 5000), make.topped_up(make.member(), 5000)
        now = timezone.now()
        replaced, old = make.pay_code(who, now=now), make.pay_code(other, now=now - MINUTE)
        code = make.phone_of(who).post("/me/stored-value/code").json()["code"]
        wrong = ["0", "812345678901", replaced, code[:-1]]

        refused = [settle(till, who, [wallet() | {"code": typed}]) for typed in wrong]
        refused += [settle(till, other, [wallet() | {"code": typed}]) for typed in (code, old)]
        paid = settle(till, who, [wallet() | {"code": code}])
        again = settle(till, who, [wallet() | {"code": code}])

        assert {answer.json()["code"] for answer in [*refused, again]} == {"pay-code-wrong"}
        assert paid.status_code == 201
        assert held(till, who) == (3800, 0)

    def test_of_ones_own_order_needs_no_till(self, till: Api) -> None:
        who = make.topped_up(make.member(), 5000)
        order, other = (make.placed(who=who, now=timezone.now()) for _each in range(2))
        phone, cash = make.phone_of(who), {"method": "cash", "amount_cents": 1200}

        with_cash = phone.post(f"/orders/{other.number}/payment", {"tenders": [cash]})
        paid = phone.post(f"/orders/{order.number}/payment", {"tenders": [wallet()]})
        strange = make.phone_of(make.member()).post(
            f"/orders/{other.number}/payment", {"tenders": [wallet()]}
        )

        assert [a.status_code for a in (with_cash, paid, strange)] == [403, 200, 404]
        assert held(till, who) == (3800, 0)
        assert_books_balance()

    def test_names_the_wallet_once(self, till: Api) -> None:
        who = make.topped_up(make.member(), 5000)

        assert settle(till, who, [wallet(600), wallet(600)]).status_code == 400

    def test_uses_no_gift_that_has_expired(self, till: Api) -> None:
        who = make.topped_up(make.member(), 1000, gift=1000, days=1)

        assert settle(till, who, [wallet()]).json()["code"] == "not-enough-stored-value"


class TestRefund:
    def test_gives_back_to_the_parts_it_came_from_to_the_fen(self, till: Api) -> None:
        who = make.topped_up(make.member(), 10000, gift=1000)
        tenders = [wallet(1000), {"method": "cash", "amount_cents": 200}]
        number = settle(till, who, tenders).json()["order"]["number"]

        parts = [
            till.post(f"/orders/{number}/refunds", {"amount_cents": amount}).json()["stored_cents"]
            for amount in (333, 333, 534)
        ]

        assert sum(parts) == 1000
        assert parts[0] == 278  # 333 × 1000/1200, by largest remainder
        assert held(till, who) == (10000, 1000)
        assert points_of(who) == 0
        assert_books_balance()

    def test_brings_an_expiring_gift_back_for_a_month_at_least(self, till: Api) -> None:
        now = timezone.now()
        who = make.topped_up(make.member(now=now), 1, gift=5000, days=1, now=now)
        number = settle(till, who, [wallet()]).json()["order"]["number"]

        till.post(f"/orders/{number}/refunds", {})

        gift = MoneyAccount.objects.get(member=who, kind="gift")
        assert gift.expires_at is not None
        assert gift.expires_at > now + timedelta(days=29)


class TestPayout:
    def test_takes_the_gift_along_in_proportion_and_happens_once(self, till: Api) -> None:
        who = make.topped_up(make.member(), 10000, gift=1000)
        path = f"/members/{who.public_id}/stored-value/payouts"

        nobody = till.post(path, {"method": "cash"})
        half = pay_out(till, who, amount_cents=5000, reason="moves away")
        rest = pay_out(till, who)
        again = pay_out(till, who)

        assert nobody.json()["code"] == "pay-code-wrong"
        assert [half.json()[f] for f in ("paid_out_cents", "forfeited_cents")] == [5000, 500]
        assert [rest.json()[f] for f in ("paid_out_cents", "forfeited_cents")] == [5000, 500]
        assert (again.status_code, again.json()["code"]) == (409, "nothing-to-pay-out")
        assert held(till, who) == (0, 0)
        assert_books_balance()

    def test_of_more_than_there_is_is_refused(self, till: Api) -> None:
        who = make.topped_up(make.member(), 500, gift=1000)

        answer = pay_out(till, who, amount_cents=501)

        assert answer.json()["code"] == "not-enough-stored-value"

    def test_comes_before_the_end_of_a_membership(self, till: Api) -> None:
        who = make.topped_up(make.member(), 500, gift=1000)
        close = {"reason": "asked", "actor": "test", "now": make.NOON}

        with pytest.raises(stored_value.StoredValueLeft), transaction.atomic():
            departures.close_member(who, **close)
        pay_out(till, who, amount_cents=500)
        departures.close_member(who, **close)

        assert held(till, who) == (0, 0)


class TestExpiry:
    def test_takes_gifts_and_never_principal(self, till: Api) -> None:
        who = make.topped_up(make.member(), 1000, gift=500, days=1)
        later = make.NOON + timedelta(days=2)

        expired = [stored_value.expire_gifts(now=later, limit=10) for _run in range(2)]

        assert expired == [1, 0]
        assert held(till, who) == (1000, 0)


class TestLedger:
    def test_cannot_be_rewritten(self, till: Api) -> None:
        make.topped_up(make.member(), 1000)

        for write in (
            lambda: MoneyEntry.objects.update(cents=1),
            lambda: MoneyEntry.objects.all().delete(),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                write()


class TestFundsReport:
    def test_rolls_forward_to_what_is_owed(self, till: Api) -> None:
        now = timezone.now()
        who = make.topped_up(make.member(now=now), 10000, gift=1000, now=now)
        make.gift_card(5000, now=now)
        number = settle(till, who, [wallet()]).json()["order"]["number"]
        till.post(f"/orders/{number}/refunds", {"amount_cents": 600})
        pay_out(till, who, amount_cents=1000)

        (row,) = make.report_reader("SH001").get("/reports/stored-value").json()["rows"]

        owed = MoneyAccount.objects.filter(kind="principal")
        assert row["received_cents"] == 15000
        assert (row["spent_cents"], row["paid_out_cents"]) == (1091, 1000)
        assert row["closing_cents"] == sum(account.balance_cents for account in owed)
        assert row["closing_cents"] == 15000 - 1091 + row["returned_cents"] - 1000


class TestProportions:
    @given(
        st.integers(0, 10**6), st.lists(st.integers(1, 10**6), max_size=4), st.integers(0, 10**7)
    )
    def test_cover_the_amount_and_take_no_more_than_there_is(
        self, principal: int, gifts: list[int], amount: int
    ) -> None:
        amount = min(amount, principal + sum(gifts))

        part, parts = proportions.spend(
            Cents(amount), principal=Cents(principal), gifts=[Cents(gift) for gift in gifts]
        )

        assert part + sum(parts) == amount
        assert 0 <= part <= principal
        assert all(0 <= taken <= gift for taken, gift in zip(parts, gifts, strict=True))

    @given(st.integers(0, 10**6), st.integers(1, 10**6), st.data())
    def test_lose_no_less_in_two_payouts_than_in_one(
        self, gift: int, principal: int, data: st.DataObject
    ) -> None:
        first = data.draw(st.integers(1, principal))

        lost = proportions.forfeited(Cents(gift), paid_out=Cents(first), principal=Cents(principal))

        assert 0 <= lost <= gift
        assert lost * principal >= gift * first
        assert first < principal or lost == gift


def test_any_order_of_top_up_spend_and_refund_keeps_the_books(till: Api) -> None:
    """Random walks by hand: a database test of Hypothesis would be slower than it finds."""
    for seed in range(4):
        dice, who, open_orders = random.Random(seed), make.member(), []
        for _step in range(12):
            step = dice.choice(["top_up", "spend", "spend", "refund", "pay_out"])
            try:
                with transaction.atomic():
                    if step == "top_up":
                        make.topped_up(who, dice.randrange(1, 3000), gift=dice.randrange(0, 900))
                    elif step == "spend":
                        open_orders.append(_spend(who, dice.randrange(1, 1201)))
                    elif step == "refund" and open_orders:
                        request = RefundRequest(amount_cents=Cents(dice.randrange(1, 700)))
                        refunds.refund_order(
                            number=dice.choice(open_orders),
                            request=request,
                            actor="test",
                            now=make.NOON,
                        )
                    elif step == "pay_out":
                        stored_value.pay_out(
                            who,
                            amount_cents=Cents(dice.randrange(1, 500)),
                            note="",
                            desk=stored_value.Desk(store=who.store, till_id=None, actor="test"),
                            now=make.NOON,
                            code=make.pay_code(who),
                        )
            except DomainError:
                continue
    assert MoneyEntry.objects.filter(kind="give_back").exists()
    assert_books_balance()


def _spend(who: Member, amount: int) -> str:
    order = make.placed(who=who)
    tenders = [
        Tender(method="stored_value", amount_cents=Cents(amount), code=make.pay_code(who)),
        Tender(method="cash", amount_cents=Cents(1200 - amount)),
    ]
    checkout.pay_order(number=order.number, tenders=tenders, actor="test", now=make.NOON)
    return order.number
