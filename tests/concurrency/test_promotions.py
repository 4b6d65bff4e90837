"""Promotions in a rush: no limit is passed, and who is refused is told why."""

from functools import partial
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.db import transaction

from campaigns import promotions
from campaigns.models import Promotion, PromotionUse, UsageCounter
from tests import make
from tests.concurrency.crowd import answers, at_once
from tests.make import Api

CUP = {"product": "MT01", "options": {"size": "M", "temp": "ice_std", "sugar": "s70"}}
TILLS = 24


def settle(till: Api, number: int, **changes: Any) -> Any:
    body = {"lines": [CUP], "expected_total_cents": 700, "pos_order_no": f"R{number}"} | changes
    return till.post("/pos/settle", body)


class TestLastUse:
    @pytest.mark.parametrize(
        "limit", ["uses_total", "uses_per_store", "uses_per_day", "uses_per_week", "uses_per_month"]
    )
    def test_of_many_tills_at_once_as_many_get_it_as_there_are(self, limit: str) -> None:
        """The condition of the counters' update holds it (U1, U9); without it all tills get it,
        and the invariant that compares uses with limits breaks.
        """
        make.promotion({"kind": "fixed_off", "amount_cents": 500}, **{limit: 3})
        till = make.till()

        said = answers([partial(settle, till, number) for number in range(TILLS)])

        assert said["201"] == 3
        assert set(said) <= {"201", "409 offer-limit-reached", "409 quote-changed"}
        assert PromotionUse.objects.filter(released_at=None).count() == 3

    def test_of_a_budget_is_not_spent_twice(self) -> None:
        make.promotion({"kind": "fixed_off", "amount_cents": 500}, budget_cents=1700)
        till = make.till()

        said = answers([partial(settle, till, number) for number in range(TILLS)])

        assert said["201"] == 3
        assert UsageCounter.objects.get().spent_cents == 1500

    def test_of_one_member_at_two_tills_is_one(self) -> None:
        make.promotion({"kind": "fixed_off", "amount_cents": 500}, uses_per_member=1)
        who, till = str(make.member().public_id), make.till()

        said = answers([partial(settle, till, number, member=who) for number in range(8)])

        assert said["201"] == 1

    def test_is_reserved_by_an_order_that_waits(self) -> None:
        """U2, U3: holds count; what is cancelled is there again for exactly as many."""
        make.promotion({"kind": "fixed_off", "amount_cents": 500}, uses_total=2)
        till = make.till()
        body = {"lines": [CUP], "expected_total_cents": 700}
        numbers = [till.post("/orders", body).json()["number"] for _ in range(2)]

        refused = answers([partial(settle, till, number) for number in range(4)])
        freed = answers([partial(till.post, f"/orders/{n}/cancellation", {}) for n in numbers * 2])
        said = answers([partial(settle, till, number) for number in range(10, 20)])

        assert refused == {"409 quote-changed": 4}
        assert (freed["200"], freed["409 order-not-cancellable"]) == (2, 2)
        assert said["201"] == 2


class TestRecount:
    @pytest.mark.parametrize("had_limit", [True, False])
    def test_waits_for_a_use_that_has_begun(self, *, had_limit: bool) -> None:
        """The lock of `promotions.recount`; without it the use that has not committed yet is not
        counted, or with a full lock of the promotion each waits for the other.
        """
        limit = {"uses_total": 5} if had_limit else {}
        promotion = make.promotion({"kind": "fixed_off", "amount_cents": 500}, **limit)
        if had_limit:
            make.paid(total=700)  # the counter is there already
        is_used, is_counting = Event(), Event()

        def use() -> None:
            with transaction.atomic():
                make.placed(total=700)
                is_used.set()
                is_counting.wait(10)
                sleep(0.2)

        def change_the_limit() -> None:
            is_used.wait(10)
            with transaction.atomic():
                Promotion.objects.filter(pk=promotion.pk).update(uses_total=4)
                is_counting.set()
                promotions.recount(Promotion.objects.get(pk=promotion.pk))

        at_once([use, change_the_limit])

        uses = PromotionUse.objects.filter(released_at=None).count()
        assert uses == (2 if had_limit else 1)
        assert UsageCounter.objects.get(dimension="total").used == uses
