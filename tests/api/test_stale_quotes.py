"""Between quote and order the world may change: then the order is refused, and says what holds now.

Never a silent full price, never a price that the client named. Peer bugs 5, 9, 31, 34.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from shop import menu
from shop.models import Member, Order, StoreProduct
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def till() -> Api:
    """The till of SH001."""
    return make.till()


@pytest.fixture
def guest() -> Member:
    """A member with points."""
    who = make.member()
    make.give_points(who, 300)
    return who


def basket(who: Member, **fields: Any) -> dict[str, Any]:
    """Return three MT01 for a member."""
    line = {"product": "MT01", "quantity": 3, "options": make.MILK_TEA}
    return {"member": str(who.public_id), "lines": [line]} | fields


def order(till: Api, body: dict[str, Any], total: int) -> Any:
    """Return the answer to placing the quoted basket."""
    return till.post("/orders", body | {"expected_total_cents": total})


def sold_out() -> None:
    menu.set_sold_out(make.store(), "MT01", is_sold_out=True)


def dearer() -> None:
    product = menu.set_sold_out(make.store(), "MT01", is_sold_out=False).product
    StoreProduct.objects.filter(product=product).update(price_cents=1300)


class TestQuote:
    def test_that_still_holds_is_what_the_order_costs(self, till: Api, guest: Member) -> None:
        body = basket(guest, coupons=[make.coupon(guest, now=timezone.now()).code], points=100)
        quoted = till.post("/quotes", body).json()

        placed = order(till, body, quoted["total_cents"])

        assert placed.status_code == 201
        assert placed.json()["payable_cents"] == quoted["total_cents"] == 3600 - 500 - 200

    def test_of_a_coupon_that_another_order_took_is_refused(self, till: Api, guest: Member) -> None:
        body = basket(guest, coupons=[make.coupon(guest, now=timezone.now()).code])
        total = till.post("/quotes", body).json()["total_cents"]

        first, second = order(till, body, total), order(till, body, total)

        problem = second.json()
        assert first.status_code == 201
        assert (second.status_code, problem["code"]) == (409, "quote-changed")
        assert problem["quote"]["refusals"][0]["reason"] == "held-by-another-order"
        assert problem["quote"]["total_cents"] == problem["total_cents"] == 3600
        assert Order.objects.count() == 1

    def test_of_points_that_another_order_took_is_refused(self, till: Api, guest: Member) -> None:
        body = basket(guest, points=300)
        total = till.post("/quotes", body).json()["total_cents"]

        first, second = order(till, body, total), order(till, body, total)

        assert first.status_code == 201
        assert (second.status_code, second.json()["code"]) == (409, "quote-changed")

    @pytest.mark.parametrize(
        ("change", "code"), [(sold_out, "product-not-available"), (dearer, "quote-changed")]
    )
    def test_of_a_product_that_changed_is_refused(
        self, till: Api, guest: Member, change: Callable[[], None], code: str
    ) -> None:
        body = basket(guest)
        total = till.post("/quotes", body).json()["total_cents"]
        change()

        refused = order(till, body, total)

        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert not Order.objects.exists()

    def test_of_a_member_who_was_frozen_is_refused(self, till: Api, guest: Member) -> None:
        body = basket(guest)
        total = till.post("/quotes", body).json()["total_cents"]
        Member.objects.update(status=Member.Status.FROZEN)

        refused = order(till, body, total)

        assert (refused.status_code, refused.json()["code"]) == (409, "member-not-active")

    @pytest.mark.parametrize("total", [0, 1, 3599, 3601])
    def test_that_the_client_made_up_is_refused(self, till: Api, guest: Member, total: int) -> None:
        refused = order(till, basket(guest), total)

        assert (refused.status_code, refused.json()["code"]) == (409, "quote-changed")
        assert not Order.objects.exists()


class TestPayment:
    @pytest.mark.parametrize(
        "tenders",
        [
            [{"method": "cash", "amount_cents": 3599}],
            [{"method": "cash", "amount_cents": 3601}],
            [{"method": "cash", "amount_cents": 3600}, {"method": "card", "amount_cents": 1}],
            [{"method": "none", "amount_cents": 0}],
        ],
    )
    def test_of_another_amount_than_the_order_costs_is_refused(
        self, till: Api, guest: Member, tenders: list[dict[str, Any]]
    ) -> None:
        """Peer bug 61."""
        number = order(till, basket(guest), 3600).json()["number"]

        refused = till.post(f"/orders/{number}/payment", {"tenders": tenders})

        assert (refused.status_code, refused.json()["code"]) == (409, "payment-mismatch")
        assert Order.objects.get().status == Order.Status.PENDING

    def test_with_nothing_is_refused(self, till: Api, guest: Member) -> None:
        number = order(till, basket(guest), 3600).json()["number"]

        refused = till.post(
            f"/orders/{number}/payment", {"tenders": [{"method": "none", "amount_cents": 3600}]}
        )

        assert refused.status_code == 400
        assert Order.objects.get().status == Order.Status.PENDING

    def test_that_was_taken_for_another_order_is_refused(self, till: Api, guest: Member) -> None:
        numbers = [order(till, basket(guest), 3600).json()["number"] for _ in range(2)]
        tender = {"method": "wechat", "amount_cents": 3600, "provider_ref": "420000123"}

        answers = [
            till.post(f"/orders/{number}/payment", {"tenders": [tender]}) for number in numbers
        ]

        assert [answer.status_code for answer in answers] == [200, 409]
        assert answers[1].json()["code"] == "payment-ref-taken"
