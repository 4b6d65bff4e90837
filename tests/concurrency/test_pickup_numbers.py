"""Pickup numbers: what is called out at the counter has no gaps and no repeats."""

from functools import partial
from typing import Any

from shop.models import Order
from tests import make
from tests.concurrency.crowd import answers
from tests.make import Api


def sell(till: Api, number: int, *, total: int = 1200) -> Any:
    """Settle one MT01 for what it costs at SH001, or try to."""
    return till.post(
        "/pos/settle",
        {
            "lines": [{"product": "MT01", "options": make.MILK_TEA}],
            "expected_total_cents": total,
            "pos_order_no": f"T-{number}",
        },
    )


def numbers(store: str) -> list[int]:
    """Return the numbers that a store's orders got, in order."""
    given = Order.objects.filter(store__code=store).order_by("pickup_number")
    return [order.pickup_number or 0 for order in given]


class TestPickupNumbers:
    def test_of_sixty_sales_at_once_run_from_1_to_60_in_each_store(self) -> None:
        """The one statement that counts up under the counter's row lock; with max + 1 instead,
        numbers repeat and their unique key crashes the sale. The refused sales leave no gap: a
        number is part of the transaction that it belongs to.
        """
        here, there = make.till("SH001"), make.till("SH002")

        said = answers(
            [
                *(partial(sell, here, number) for number in range(60)),
                *(partial(sell, there, number, total=1000) for number in range(10)),
                *(partial(sell, here, number, total=1) for number in range(60, 68)),
            ]
        )

        assert said == {"201": 70, "409 quote-changed": 8}
        assert numbers("SH001") == list(range(1, 61))
        assert numbers("SH002") == list(range(1, 11))
