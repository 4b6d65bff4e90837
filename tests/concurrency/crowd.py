"""Many callers in the same moment: real threads, each with its own connection to the database."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connection, connections

from shop.kernel.errors import DomainError

T = TypeVar("T")


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Run every call in a thread of its own, all released together; return their results in order.

    A thread connects before it waits, so that what races are the calls and not their connections.
    """
    waiting = list(calls)
    start = Barrier(len(waiting), timeout=60)

    def run(call: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            start.wait()
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(waiting)) as threads:
        return list(threads.map(run, waiting))


def outcome(call: Callable[[], Any]) -> Callable[[], str]:
    """Return the call of a flow as one that says what came of it: "done", or the refusal's code."""

    def run() -> str:
        try:
            call()
        except DomainError as error:
            return error.code
        return "done"

    return run


def outcomes(calls: Iterable[Callable[[], Any]]) -> Counter[str]:
    """Run flows at once and count what came of them."""
    return Counter(at_once([outcome(call) for call in calls]))


def answers(calls: Iterable[Callable[[], Any]]) -> Counter[str]:
    """Send requests at once and count their answers: "201", or "409 coupon-not-usable"."""
    return Counter(told(response) for response in at_once(calls))


def told(response: Any) -> str:
    """Return status and problem code of a response as one word or two."""
    if response.status_code < 400:
        return str(response.status_code)
    return f"{response.status_code} {response.json()['code']}"
