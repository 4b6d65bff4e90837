"""Background jobs of promotion."""

from celery import shared_task
from django.utils import timezone

from campaigns import coupons


@shared_task
def expire_coupons() -> None:
    """Mark coupons whose time is over."""
    coupons.expire(now=timezone.now())
