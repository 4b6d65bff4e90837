"""Background jobs of the kernel."""

import time

from celery import shared_task
from django.utils import timezone

from shop.kernel import idempotency, jobs, outbox

JOB_SECONDS = 5
"""How long one task works on jobs, so that other tasks get their turn."""


@shared_task
def relay_outbox() -> None:
    """Deliver queued messages."""
    outbox.relay(now=timezone.now())


@shared_task
def forget_idempotency_keys() -> None:
    """Delete answers past their time."""
    idempotency.forget_expired(now=timezone.now())


@shared_task
def advance_jobs() -> None:
    """Do slices of long jobs for a while."""
    until = time.monotonic() + JOB_SECONDS
    while time.monotonic() < until and jobs.advance(now=timezone.now()):
        pass
