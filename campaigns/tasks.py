"""Background jobs of promotion."""

import time

from celery import shared_task
from django.utils import timezone

from campaigns import (
    ad_uploads,
    campaigns,
    click_reports,
    coupons,
    definitions,
    months,
    transfers,
)

UPLOAD_SECONDS = 10
"""How long one task tells platforms, so that other tasks get their turn."""


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


@shared_task
def send_ad_uploads() -> None:
    """Tell ad platforms of results for a while; one that gives no answer has to wait."""
    until = time.monotonic() + UPLOAD_SECONDS
    silent: set[int] = set()
    while time.monotonic() < until:
        upload = ad_uploads.send_next(now=timezone.now(), but_not=silent)
        if upload is None:
            return
        if ad_uploads.had_no_answer(upload):
            silent.add(upload.click.account_id)


@shared_task
def settle_ad_clicks() -> None:
    """Make touches of reported clicks that our own links did not see."""
    while click_reports.settle(now=timezone.now()) == click_reports.BATCH:
        pass


@shared_task
def forget_ad_clicks() -> None:
    """Delete clicks that led to no member."""
    click_reports.forget_old(now=timezone.now())
