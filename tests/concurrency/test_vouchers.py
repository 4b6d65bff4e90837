"""One voucher in many hands: used once, paid with once, given back once."""

from functools import partial

import pytest

from campaigns.models import Voucher
from shop.config.sandbox.server import STALL, Sandbox
from shop.models import Payment
from shop.storefront import voucher_desk
from tests import make
from tests.concurrency.crowd import answers, at_once
from tests.vouchers.till import DOUYIN, look, settle, verified, verify


@pytest.fixture(autouse=True)
def _platforms(sandbox: Sandbox) -> None:
    """Have the platforms' stand-ins."""


class TestOneVoucher:
    def test_on_two_tills_at_once_is_used_on_one(self, sandbox: Sandbox) -> None:
        """The unique key (platform, fingerprint) of claimed vouchers holds it: both tills looked at
        it, and without the key both would ask the platform. The other is shown the first use.
        """
        tills = [make.till("SH001"), make.till("SH002")]
        looks = [look(till) for till in tills]
        sandbox.trouble("/verify/", STALL, STALL)

        said = at_once(
            [partial(verify, till, voucher) for till, voucher in zip(tills, looks, strict=True)]
        )

        refused = [response for response in said if response.status_code == 409]
        assert sorted(response.status_code for response in said) == [200, 409]
        assert refused[0].json()["code"] == "voucher-used"
        assert refused[0].json()["first_use"]["voucher"] in looks
        calls = [asked for asked in sandbox.asked if asked.path.endswith("/verify/")]
        assert len(calls) == 1

    def test_verified_by_ten_requests_with_keys_of_their_own_is_asked_for_once(
        self, sandbox: Sandbox
    ) -> None:
        """The row lock of `verifications.claim`; without it several find the voucher unclaimed."""
        till = make.till()
        voucher = look(till)

        said = answers([partial(verify, till, voucher) for _ in range(10)])

        calls = [asked for asked in sandbox.asked if asked.path.endswith("/verify/")]
        assert said == {"200": 1, "409 voucher-used": 9}
        assert len(calls) == 1

    def test_pays_for_one_of_ten_orders(self) -> None:
        """The guarded update of `vouchers.attach`; without it only the unique key of payments
        stops the second order, and the voucher may point at an order that it did not pay.
        """
        till = make.till()
        voucher = verified(till)
        sales = [
            partial(settle, till, 1200, voucher, pos_order_no=f"V-{number}") for number in range(10)
        ]

        said = answers(sales)

        assert said == {"201": 1, "409 voucher-not-usable": 9}
        assert Payment.objects.get().amount_cents == 1200

    def test_is_given_back_or_pays_but_not_both(self, sandbox: Sandbox) -> None:
        """The row lock of `begin_cancel` and the guard of `attach`, which both ask for a voucher
        that is verified and pays for nothing.
        """
        till = make.till()
        voucher = verified(till)
        pay = partial(settle, till, 1200, voucher)
        cancel = partial(till.post, f"/vouchers/{voucher}/cancel")

        paid, given_back = at_once([pay, cancel])

        is_used = sandbox.shelf.sold["douyin", DOUYIN].used_at is not None
        assert (paid.status_code == 201) == is_used
        assert (given_back.status_code == 200) != is_used

    def test_that_waits_is_asked_about_by_one_of_several_workers(self, sandbox: Sandbox) -> None:
        """The lease of `lease_due`: SKIP LOCKED and the moved time; without it each asks."""
        voucher = make.looked_at(now=make.NOON)
        Voucher.objects.filter(pk=voucher.pk).update(
            status="unknown", claimed_at=make.NOON, next_check_at=make.NOON
        )

        rounds = at_once([partial(voucher_desk.resolve, now=make.NOON)] * 4)

        assert sorted(rounds) == [0, 0, 0, 1]
