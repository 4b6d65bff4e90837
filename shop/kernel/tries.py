"""Tries: how often somebody may guess. Counted in the cache, apart from every transaction, so that
a refusal which is rolled back has still been a try.
"""

import math
from datetime import datetime, timedelta

import redis
from django.core.cache import cache

from shop.kernel.errors import RateLimited

AWAY = (ConnectionError, TimeoutError, redis.RedisError)
RETRY_SECONDS = 5
"""When the cache is away nobody may guess; this long it usually takes to come back."""


def count(who: str, *, tries: int, most: int, window: timedelta, now: datetime) -> None:
    """Count tries of somebody before they are made; the window begins with the first of them.

    Counting and asking are one atomic step, so a burst gets no more than one after the other.

    Raises:
        RateLimited: that would be more than `most` in the window; or they cannot be counted.
    """
    try:
        until = _until(who, window=window, now=now)
        counter = _counter(who, until)
        cache.add(counter, 0, timeout=2 * window.total_seconds())
        made = cache.incr(counter, tries)
    except AWAY as error:
        raise RateLimited(retry_after_seconds=RETRY_SECONDS) from error
    if made > most:
        raise RateLimited(retry_after_seconds=max(math.ceil(until - now.timestamp()), 1))


def forgive(who: str, *, tries: int) -> None:
    """Take back tries that turned out to be good."""
    try:
        until = cache.get(_window(who))
        if until is not None and tries:
            cache.decr(_counter(who, until), tries)
    except (ValueError, *AWAY):
        return  # the window is over, or the cache: nothing counts any more


def _until(who: str, *, window: timedelta, now: datetime) -> float:
    """Return when the running window ends; each has a counter of its own."""
    ends_at = now.timestamp() + window.total_seconds()
    until = cache.get_or_set(_window(who), ends_at, timeout=window.total_seconds())
    if until is None or until <= now.timestamp():
        cache.set(_window(who), ends_at, timeout=window.total_seconds())
        return ends_at
    return float(until)


def _window(who: str) -> str:
    return f"tries:{who}"


def _counter(who: str, until: float) -> str:
    return f"tries:{who}:{until:.6f}"
