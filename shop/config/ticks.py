"""Signs of life of beat: it leaves a tick with every job it sends, and ``/readyz`` reads it.

Apart from beat's own module because the web server has no use for Celery, which takes 8 MB.
"""

import time

from django.core.cache import cache

KEY = "beat-tick"
KEPT_SECONDS = 24 * 3600


def leave() -> None:
    """Record that beat sent a job just now."""
    cache.set(KEY, time.time(), KEPT_SECONDS)


def seconds_since_last() -> float | None:
    """Return how long ago beat sent a job; None if it has not within a day."""
    tick: float | None = cache.get(KEY)
    return None if tick is None else max(0.0, time.time() - tick)
