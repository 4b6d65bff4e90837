"""Messages to the outside: written with the facts, delivered later, at least once.

Only what may be late or lost to a network goes through here; never points, coupons or money.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from shop.kernel import rows
from shop.kernel.models import InboxReceipt, OutboxMessage

Deliver = Callable[[OutboxMessage, datetime], None]

log = structlog.get_logger()

BACKOFF = [timedelta(seconds=s) for s in (5, 30, 300, 1800, 7200, 18000, 36000, 50400)]
"""The wait after each failed attempt; after the last a message is dead, until it is requeued."""
BATCH = 100

_deliveries: dict[str, Deliver] = {}


def delivers(topic: str) -> Callable[[Deliver], Deliver]:
    """Register the function that delivers a topic; it may be called more than once per message."""

    def register(deliver: Deliver) -> Deliver:
        _deliveries[topic] = deliver
        return deliver

    return register


def add(topic: str, *, key: str, payload: dict[str, Any], now: datetime) -> None:
    """Queue a message inside the caller's transaction; the same (topic, key) is queued once."""
    message = OutboxMessage(topic=topic, key=key, payload=payload, available_at=now, created_at=now)
    rows.insert(message, unless_exists="topic, key")


def relay(*, now: datetime) -> int:
    """Deliver what is due, each message in its own transaction; return how many were tried.

    Several relays may run at once: a message being delivered is locked, and skipped by the others.
    A crash between delivery and commit delivers again, which consumers bear (`receive_once`).
    """
    tried = 0
    while tried < BATCH and _relay_one(now):
        tried += 1
    return tried


def receive_once(consumer: str, *, message_id: UUID, now: datetime) -> bool:
    """Record in the effect's transaction that `consumer` has the message; False if it had it."""
    with transaction.atomic():
        _receipt, is_new = InboxReceipt.objects.get_or_create(
            consumer=consumer, message_id=message_id, defaults={"received_at": now}
        )
    return is_new


def requeue(messages: list[UUID], *, now: datetime) -> int:
    """Give dead messages another life; return how many were dead."""
    return OutboxMessage.objects.filter(id__in=messages, state=OutboxMessage.State.DEAD).update(
        state=OutboxMessage.State.NEW, attempts=0, available_at=now
    )


def _relay_one(now: datetime) -> bool:
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(state=OutboxMessage.State.NEW, available_at__lte=now)
            .order_by("available_at")
            .first()
        )
        if message is None:
            return False
        try:
            with transaction.atomic():
                _deliveries[message.topic](message, now)
        except Exception as error:  # noqa: BLE001 - a delivery may fail in any way; it must not stop the rest
            _retry_later(message, error, now)
        else:
            message.state = OutboxMessage.State.SENT
            message.sent_at = now
        message.attempts += 1
        message.save(update_fields=["state", "sent_at", "attempts", "available_at", "last_error"])
    return True


def _retry_later(message: OutboxMessage, error: Exception, now: datetime) -> None:
    message.last_error = repr(error)[:300]
    if message.attempts < len(BACKOFF):
        message.available_at = now + BACKOFF[message.attempts]
    else:
        message.state = OutboxMessage.State.DEAD
    log.warning("delivery failed", topic=message.topic, key=message.key, state=message.state)
