"""Money paid in advance, reached for by many at once."""

from functools import partial

from loyalty.models import MoneyAccount
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

        said = answers([partial(till.post, path, {"method": "cash"}) for _ in range(6)])

        assert said == {"201": 1, "409 nothing-to-pay-out": 5}

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
