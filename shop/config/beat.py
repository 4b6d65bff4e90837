"""The Celery application as beat starts it: ``celery -A shop.config.beat beat``.

Beat leaves a tick in the cache with every job it sends, so that ``/readyz`` can tell how long ago
it was last alive.
"""

import time

from celery import signals
from django.core.cache import cache

from shop.config.celery import app

__all__ = ["app"]

TICK_KEY = "beat-tick"
TICK_SECONDS = 24 * 3600


def seconds_since_tick() -> float | None:
    """Return how long ago beat sent a job; None if it has not within a day."""
    tick: float | None = cache.get(TICK_KEY)
    return None if tick is None else max(0.0, time.time() - tick)


@signals.beat_init.connect
def listen(**_: object) -> None:
    """Start to leave ticks; in beat only, because web and workers send jobs too."""
    signals.after_task_publish.connect(leave_tick)


def leave_tick(**_: object) -> None:
    """Record that beat sent a job just now."""
    cache.set(TICK_KEY, time.time(), TICK_SECONDS)
