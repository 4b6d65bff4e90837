"""Background jobs of the kernel."""

from celery import shared_task
from django.utils import timezone

from shop.kernel import idempotency, outbox


@shared_task
def relay_outbox() -> None:
    """Deliver queued messages."""
    outbox.relay(now=timezone.now())


@shared_task
def forget_idempotency_keys() -> None:
    """Delete answers past their time."""
    idempotency.forget_expired(now=timezone.now())
