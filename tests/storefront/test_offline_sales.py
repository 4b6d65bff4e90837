"""What a till sold while it was offline: taken in as it was sold, each once, nothing lost."""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import PointsAccount, Visit
from shop import accounts
from shop.models import Alert, Order, Product, StoreProduct
from shop.storefront import merging
from shop.storefront.invariants import suite
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

NOW = timezone.now()
THEN = NOW - timedelta(days=2)


@pytest.fixture(autouse=True)
def _books_balance() -> Iterator[None]:
    yield
    broken = suite.check_all(now=timezone.now()).broken
    assert broken == [], "\n".join(f"{found.name}: {found.examples}" for found in broken)


def sale(number: str = "T1-1", *, at: datetime = THEN, **more: Any) -> dict[str, Any]:
    """Return a sale of one MT01 at ¥12."""
    cup = {"product": "MT01", "options": make.MILK_TEA}
    return {"pos_order_no": number, "sold_at": at.isoformat(), "lines": [cup]} | more


def upload(till: Api, *sales: dict[str, Any]) -> list[dict[str, Any]]:
    answer = till.post("/pos/offline-sales", {"sales": list(sales)})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [result["outcome"] for result in results]


class TestUpload:
    def test_books_each_sale_on_the_day_it_was_made(self) -> None:
        who = make.member(now=THEN)

        (result,) = upload(make.till(), sale(member=str(who.public_id)))

        order = Order.objects.get(number=result["order"])
        assert (result["outcome"], result["points_earned"]) == ("created", 12)
        assert (order.status, order.paid_at, order.paid_cents) == ("completed", THEN, 1200)
        assert order.business_date == order.store.business_date(THEN)
        assert order.member == who
        assert Visit.objects.get(order=order).business_date == order.business_date
        assert PointsAccount.objects.get(member=who, wallet="points").balance == 12
        assert not Alert.objects.exists()

    def test_sent_again_in_any_order_and_overlap_counts_once(self) -> None:
        till, who = make.till(), make.member(now=THEN)
        first, second, third = (
            sale(f"T1-{number}", member=str(who.public_id)) for number in (1, 2, 3)
        )

        assert outcomes(upload(till, second, first)) == ["created", "created"]
        again = upload(till, first, third, second, third)

        assert outcomes(again) == ["duplicate", "created", "duplicate", "duplicate"]
        assert Order.objects.count() == 3
        assert PointsAccount.objects.get(member=who, wallet="points").balance == 36

    def test_knows_a_sale_whose_settling_lost_its_answer(self) -> None:
        till = make.till()
        settled = till.post(
            "/pos/settle",
            {
                "lines": sale()["lines"],
                "expected_total_cents": 1200,
                "pos_order_no": "T1-7",
            },
        )

        (result,) = upload(till, sale("T1-7"))

        assert result["outcome"] == "duplicate"
        assert result["order"] == settled.json()["order"]["number"]

    def test_takes_what_was_charged_and_asks_a_person(self) -> None:
        cheaper = sale()
        cheaper["lines"][0]["unit_price_cents"] = 1000

        (result,) = upload(make.till(), cheaper)

        order = Order.objects.get(number=result["order"])
        assert (order.payable_cents, order.paid_cents) == (1000, 1000)
        assert result["reviews"] == ["price"]
        assert Alert.objects.get(code="offline-sale").details == {
            "price": {"charged_cents": 1000, "menu_cents": 1200}
        }

    def test_keeps_the_sale_of_a_member_who_cannot_be_served(self) -> None:
        frozen = make.member(now=THEN)
        accounts.freeze(frozen, reason="lost phone", actor="test", now=NOW)
        ids = [str(frozen.public_id), str(uuid.uuid4())]

        results = upload(
            make.till(), *(sale(f"T1-{number}", member=who) for number, who in enumerate(ids))
        )

        assert [result["reviews"] for result in results] == [["member"], ["member"]]
        assert Order.objects.filter(member=None, status="completed").count() == 2
        assert Alert.objects.filter(code="offline-sale").count() == 2

    def test_gives_what_a_member_bought_to_who_they_were_merged_into(self) -> None:
        before, today = make.member(now=THEN), make.member(now=THEN)
        merging.merge_members(before, into=today, reason="new phone", actor="test", now=NOW)

        (result,) = upload(make.till(), sale(member=str(before.public_id)))

        assert (result["points_earned"], result["reviews"]) == (12, [])
        assert Order.objects.get().member == today
        assert PointsAccount.objects.get(member=today, wallet="points").balance == 12

    def test_takes_what_is_sold_out_by_now(self) -> None:
        StoreProduct.objects.create(
            store=make.store(), product=Product.objects.get(code="MT01"), is_sold_out=True
        )

        assert outcomes(upload(make.till(), sale())) == ["created"]


class TestRefusal:
    def test_of_one_sale_keeps_out_no_other(self) -> None:
        till = make.till()
        upload(till, sale("T1-1"))
        dearer = sale("T1-1") | {"lines": sale()["lines"] * 2}
        short = {"tenders": [{"method": "card", "amount_cents": 1100}]}
        unknown = {"lines": [{"product": "NONE"}]}

        results = upload(
            till,
            dearer,
            sale("T1-2", **short),
            sale("T1-3", **unknown),
            sale("T1-4", at=NOW + timedelta(hours=1)),
            sale("T1-5", at=NOW - timedelta(days=32)),
            sale("T1-6"),
        )

        assert [result.get("problem", {}).get("code") for result in results] == [
            "pos-order-no-taken",
            "payment-mismatch",
            "invalid-input",
            "sale-time-impossible",
            "sale-time-impossible",
            None,
        ]
        assert set(Order.objects.values_list("pos_order_no", flat=True)) == {"T1-1", "T1-6"}

    @pytest.mark.parametrize(
        "more",
        [
            {"coupons": ["FREE"]},
            {"points": 100},
            {"store": "SH001"},
            {"lines": []},
            {"sold_at": "yesterday"},
            {"tenders": [{"method": "gift_card", "amount_cents": 1200, "code": "X"}]},
        ],
        ids=lambda more: next(iter(more)),
    )
    def test_of_another_form_is_of_the_whole_batch(self, more: dict[str, Any]) -> None:
        answer = make.till().post("/pos/offline-sales", {"sales": [sale("T1-1"), sale() | more]})

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"].startswith("/sales/1/")
        assert not Order.objects.exists()
