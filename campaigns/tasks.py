"""Background jobs of promotion."""

from celery import shared_task
from django.utils import timezone

from campaigns import coupons, phases


@shared_task
def expire_coupons() -> None:
    """Mark coupons whose time is over."""
    coupons.expire(now=timezone.now())


@shared_task
def advance_phases() -> None:
    """Start, end, pause and resume the phases of campaigns."""
    phases.advance(now=timezone.now())
