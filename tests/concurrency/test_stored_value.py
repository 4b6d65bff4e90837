"""Money paid in advance, reached for by many at once."""

from functools import partial

from django.utils import timezone

from loyalty.models import MoneyAccount
from shop import accounts
from tests import make
from tests.concurrency.crowd import answers, at_once, told

CUP = {
    "lines": [{"product": "MT01", "options": make.MILK_TEA}],
    "expected_total_cents": 1200,
}


class TestLastMoneyOfACard:
    def test_buys_one_cup_at_two_tills(self) -> None:
        """The row locks of `gift_cards.lock` and `money.lock`; without both the two tills sell, and
        the balance is what the second of them read. RELIABILITY rows 7, 15.
        """
        make.stored_value_on()
        for number in range(3):
            card, code = make.gift_card(1200)
            sale = CUP | {"tenders": [{"method": "gift_card", "amount_cents": 1200, "code": code}]}

            said = at_once(
                [
                    partial(
                        make.till().post,
                        "/pos/settle",
                        sale | {"pos_order_no": f"C{number}-{index}"},
                    )
                    for index in range(2)
                ]
            )

            assert sorted(map(told, said)) == ["201", "409 not-enough-stored-value"]
            assert MoneyAccount.objects.get(card=card).balance_cents == 0


class TestWallet:
    def test_pays_out_its_principal_once_however_many_ask(self) -> None:
        """The row lock of `money.lock`; without it the money goes out more than once."""
        make.stored_value_on()
        who = make.topped_up(make.member(), 5000, gift=500)
        till = make.till()
        path = f"/members/{who.public_id}/stored-value/payouts"

        accounts.freeze(who, reason="phone lost", actor="test", now=make.NOON)  # needs no code

        said = answers([partial(till.post, path, {"method": "cash"}) for _ in range(6)])

        assert said == {"201": 1, "409 nothing-to-pay-out": 5}

    def test_gives_money_once_for_a_code_that_three_tills_were_shown(self) -> None:
        """The guarded update of `pay_codes.use`; without it each till pays out."""
        make.stored_value_on()
        who = make.topped_up(make.member(), 5000)
        code = make.pay_code(who, now=timezone.now())
        body = {"method": "cash", "amount_cents": 1200, "code": code}
        path = f"/members/{who.public_id}/stored-value/payouts"

        said = answers([partial(make.till().post, path, body) for _ in range(3)])

        assert said == {"201": 1, "409 pay-code-wrong": 2}
        assert MoneyAccount.objects.get(member=who).balance_cents == 3800

    def test_is_not_topped_up_by_a_payment_that_bought_tea(self) -> None:
        """The unique key of `PaidNumber`; without it each of the two tables lets the number in."""
        make.stored_value_on()
        who, till = make.member(), make.till()
        tenders = [{"method": "wechat", "amount_cents": 1200, "provider_ref": "WX-1"}]
        top_up = {"amount_cents": 1200, "tenders": tenders}
        sale = CUP | {"tenders": tenders, "pos_order_no": "P-1"}
        path = f"/members/{who.public_id}/stored-value/top-ups"

        said = answers([partial(till.post, path, top_up), partial(till.post, "/pos/settle", sale)])

        assert said == {"201": 1, "409 payment-ref-taken": 1}

    def test_is_never_topped_up_beyond_its_cap(self) -> None:
        """The lock of the member in `stored_value.top_up` and that of the accounts; without both
        each reads the same sum.
        """
        make.stored_value_on(wallet_cap_cents=1000)
        who = make.member()
        till = make.till()
        body = {"amount_cents": 400, "tenders": [{"method": "cash", "amount_cents": 400}]}
        path = f"/members/{who.public_id}/stored-value/top-ups"

        said = answers([partial(till.post, path, body) for _ in range(6)])

        assert said == {"201": 2, "409 stored-value-cap-exceeded": 4}
