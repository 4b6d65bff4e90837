"""The Celery application as beat starts it: ``celery -A shop.config.beat beat``."""

from celery import signals

from shop.config import ticks
from shop.config.celery import app

__all__ = ["app"]


@signals.beat_init.connect
def listen(**_: object) -> None:
    """Start to leave ticks; in beat only, because workers send jobs too."""
    signals.after_task_publish.connect(leave_tick)


def leave_tick(**_: object) -> None:
    """Record that beat is alive."""
    ticks.leave()
