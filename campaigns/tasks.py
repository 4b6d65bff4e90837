"""Background jobs of promotion."""

from celery import shared_task
from django.utils import timezone

from campaigns import campaigns, coupons, definitions, months, transfers


@shared_task
def expire_coupons() -> None:
    """Mark coupons whose time is over, and close links that nobody accepted."""
    now = timezone.now()
    coupons.expire(now=now)
    transfers.expire(now=now)


@shared_task
def advance_phases() -> None:
    """Start, end, pause and resume campaigns' phases, and serve who waits for a start."""
    campaigns.advance(now=timezone.now())


@shared_task
def end_overdue_promotions() -> None:
    """End promotions whose period is over."""
    definitions.end_overdue(now=timezone.now())


@shared_task
def keep_months() -> None:
    """Make the next months of touches, and drop those that are past keeping."""
    months.keep(now=timezone.now())
