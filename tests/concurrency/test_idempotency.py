"""One key, one answer: retries of a till that lost its connection, told all at the same time."""

from collections import Counter
from functools import partial
from threading import Barrier
from typing import Any
from unittest.mock import patch

import pytest

from shop.kernel import idempotency
from shop.kernel.models import IdempotencyRecord
from shop.models import Order
from shop.storefront import checkout
from tests import make
from tests.concurrency.crowd import at_once, told
from tests.make import Api

WITHOUT_LOCK = idempotency._TAKE_SQL.replace("pg_try_advisory_xact_lock(%(lock)s)", "%(lock)s <> 0")
IN_FLIGHT = "409 request-in-flight"


def sale(number: str = "T1-0001", **fields: Any) -> dict[str, Any]:
    """Return the body of a sale of one MT01."""
    return {
        "lines": [{"product": "MT01", "options": make.MILK_TEA}],
        "expected_total_cents": 1200,
        "pos_order_no": number,
    } | fields


class TestOneKey:
    def test_sent_twenty_times_at_once_makes_one_order(self) -> None:
        """The advisory lock on the key holds it; without it the losers crash on the unique key of
        the stored answer. Every answer is the first one's bytes, or asks to come back. Peer bugs 2,
        19.
        """
        till = make.till()
        send = partial(till.post, "/pos/settle", sale(), key="retry-0001")

        responses = at_once([send] * 20)

        said = Counter(map(told, responses))
        answers = {r.content for r in responses if r.status_code == 201}
        replayed = [r for r in responses if r.headers.get("Idempotent-Replayed") == "true"]
        assert set(said) <= {"201", IN_FLIGHT}
        assert len(answers) == 1
        assert len(replayed) == said["201"] - 1
        assert {r.headers.get("Retry-After") for r in responses if told(r) == IN_FLIGHT} <= {"1"}
        assert Order.objects.count() == IdempotencyRecord.objects.count() == 1
        assert send().content in answers

    def test_for_two_bodies_at_once_serves_one_and_refuses_the_other(self) -> None:
        """The fingerprint in the stored answer; without it a till takes another sale's receipt for
        its own.
        """
        till = make.till()
        bodies = [sale("T1-0001"), sale("T1-0002")]

        responses = at_once(
            [partial(till.post, "/pos/settle", body, key="retry-0001") for body in bodies]
        )
        after = [till.post("/pos/settle", body, key="retry-0001") for body in bodies]

        assert Counter(map(told, responses))["201"] == 1
        assert sorted(map(told, after)) == ["201", "422 idempotency-key-reused"]
        assert Order.objects.count() == 1

    def test_means_something_else_to_each_caller(self) -> None:
        """The principal in the stored answer's unique key; without it tills get others' answers."""
        tills = [make.till() for _ in range(6)]

        responses = at_once(
            [
                partial(till.post, "/pos/settle", sale(f"T{number}"), key="retry-0001")
                for number, till in enumerate(tills)
            ]
        )

        assert {told(response) for response in responses} == {"201"}
        assert Order.objects.count() == 6

    def test_repeats_a_refusal_too(self) -> None:
        """What the refused sale began is rolled back, then its answer is stored. Peer bug 10."""
        till = make.till()
        wrong = sale(tenders=[{"method": "cash", "amount_cents": 1000}])

        first = till.post("/pos/settle", wrong, key="retry-0001")
        again = at_once([partial(till.post, "/pos/settle", wrong, key="retry-0001")] * 5)

        assert told(first) == "409 payment-mismatch"
        assert {r.content for r in again if r.headers.get("Idempotent-Replayed")} == {first.content}
        assert {told(response) for response in again} <= {"409 payment-mismatch", IN_FLIGHT}
        assert not Order.objects.exists()

    @pytest.mark.parametrize("path", ["/pos/settle", "/orders"])
    def test_that_was_answered_while_it_ran_repeats_that_answer(self, path: str) -> None:
        """The unique key of the stored answer, where one commits between this request's look for it
        and its lock; without it one key has two orders. A sale is refused for its till number
        first, and that refusal is not stored either.
        """
        till = make.till()
        body = sale()
        if path == "/orders":
            del body["pos_order_no"]
        send = partial(till.post, path, body, key="retry-0001")
        quote = checkout.quotes.quote
        first: list[Any] = []

        def late(*args: Any, **kwargs: Any) -> Any:
            """Let the same request be answered elsewhere, the first time round."""
            if not first:
                first.append(None)
                with patch.object(idempotency, "_TAKE_SQL", WITHOUT_LOCK):
                    first[0] = at_once([send])[0]
            return quote(*args, **kwargs)

        with patch.object(checkout.quotes, "quote", late):
            response = send()

        assert told(response) == "201"
        assert response.content == first[0].content
        assert response.headers["Idempotent-Replayed"] == "true"
        assert Order.objects.count() == IdempotencyRecord.objects.count() == 1

    def test_remembers_no_crash(self) -> None:
        """Key and effects are one transaction: after a crash the retry works. Peer bug 60."""
        till = make.till()

        with patch.object(checkout.redemptions, "redeem", side_effect=RuntimeError("power cut")):
            crashed = till.post("/pos/settle", sale(), key="retry-0001")
        retried = till.post("/pos/settle", sale(), key="retry-0001")

        assert told(crashed) == "500 internal-error"
        assert told(retried) == "201"
        assert "Idempotent-Replayed" not in retried.headers
        assert Order.objects.get().pickup_number == 1

    def test_remembers_no_wrong_input(self) -> None:
        """A request that could not be read is not worth a key: the corrected one may use it."""
        till = make.till()

        wrong = till.post("/pos/settle", sale(lines=[]), key="retry-0001")
        corrected = till.post("/pos/settle", sale(), key="retry-0001")

        assert told(wrong) == "400 invalid-input"
        assert told(corrected) == "201"


class TestKeyOfOneCallerTwiceOverDifferentCalls:
    def test_is_refused(self) -> None:
        """The fingerprint covers the path as well as the body."""
        till = make.till()
        order = make.placed()
        body = {"tenders": [{"method": "cash", "amount_cents": 1200}]}
        till.post(f"/orders/{order.number}/payment", body, key="retry-0001")

        other = till.post(f"/orders/{make.placed().number}/payment", body, key="retry-0001")

        assert told(other) == "422 idempotency-key-reused"


class TestTransientFailure:
    def test_of_the_database_is_retried_within_the_request(self) -> None:
        """Two payments that deadlock: PostgreSQL ends one of them, and its till never hears of it.

        Without the retry of the wrapper the till is told 503.
        """
        tills: list[Api] = [make.till(), make.till()]
        orders = [make.placed(), make.placed()]
        meet = Barrier(2, timeout=20)
        locks = iter([[0, 1], [1, 0]])
        lock = checkout.orders.lock

        def lock_both(number: str) -> Order:
            """Lock two orders in the opposite order, the first time round."""
            mine = next(locks, None)
            if mine is not None:
                lock(orders[mine[0]].number)
                meet.wait()
                lock(orders[mine[1]].number)
            return lock(number)

        with patch.object(checkout.orders, "lock", lock_both):
            responses = at_once(
                [
                    partial(
                        till.post,
                        f"/orders/{order.number}/payment",
                        {"tenders": [{"method": "cash", "amount_cents": 1200}]},
                    )
                    for till, order in zip(tills, orders, strict=True)
                ]
            )

        assert [told(response) for response in responses] == ["200", "200"]
