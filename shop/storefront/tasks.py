"""Background jobs that need several engines. Each is safe to run twice, or at once."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from campaigns import vouchers
from loyalty import holds, liability, promises, rewards, tiers
from loyalty.models import PendingPoints
from shop import accounts, alerts
from shop.kernel.errors import DomainError
from shop.models import Order
from shop.storefront import (
    benefit_grants,
    campaign_watch,
    checkout,
    milestones,
    tier_reviews,
    tier_warnings,
    voucher_desk,
)
from shop.storefront.invariants import suite
from shop.storefront.rollups import upkeep

BATCH = 500
MOST_MARKS = 200_000
"""Changes taken into the roll-ups by one run, so that it ends before its time limit."""
FORGOTTEN_AFTER = timedelta(hours=1)
"""Orders and rewards free their own holds; a hold this long past its time was forgotten."""


@shared_task
def cancel_unpaid_orders() -> None:
    """Cancel orders that nobody paid in time, each in its own transaction."""
    now = timezone.now()
    overdue = Order.objects.filter(status=Order.Status.PENDING, expires_at__lte=now)
    for number in overdue.order_by("expires_at").values_list("number", flat=True)[:BATCH]:
        try:
            checkout.cancel_order(number=number, actor="beat", now=now)
        except DomainError:
            continue  # paid or cancelled in the meantime


@shared_task
def resolve_vouchers() -> None:
    """Find out what became of vouchers whose platforms gave no answer."""
    voucher_desk.resolve(now=timezone.now())


@shared_task
def forget_prepared_vouchers() -> None:
    """Delete vouchers that tills only looked at."""
    vouchers.forget_prepared(now=timezone.now())


@shared_task
def forget_erased_phones() -> None:
    """Delete the tombstones of phones whose time is over."""
    accounts.forget_tombstones(now=timezone.now())


@shared_task
def release_pending_points() -> None:
    """Turn promises whose time has come into points, free what nobody used, thank for friends."""
    now = timezone.now()
    due = promises.due(now=now, limit=BATCH)
    lifetime = tiers.programme().lifetime
    zones = PendingPoints.objects.filter(pk__in=due).values_list(
        "pk", "account__member__store__timezone"
    )
    for promise_id, timezone_name in zones:
        expires_at = lifetime.ends_at(now, timezone=timezone_name)
        promises.release(promise_id, now=now, expires_at=expires_at)
    for redemption_id in rewards.due_to_expire(now=now, limit=BATCH):
        rewards.expire(redemption_id, now=now)
    for hold_id in holds.overdue(now=now - FORGOTTEN_AFTER, limit=BATCH):
        holds.expire(hold_id, now=now)
    milestones.thank_referrers(now=now, limit=BATCH)


@shared_task
def review_tiers() -> None:
    """Start the day's review of tiers and its warnings, and count who is in which."""
    now = timezone.now()
    tier_reviews.start_daily(now=now)
    tier_reviews.count_tiers(now=now)
    tier_warnings.start_daily(now=now)


@shared_task
def grant_benefits() -> None:
    """Start the grants of the day and the birthdays of the hour, and give points for birthdays."""
    now = timezone.now()
    benefit_grants.start_due(now=now)
    milestones.celebrate_birthdays(now=now, limit=BATCH)


@shared_task
def check_invariants() -> None:
    """Raise an alarm for every invariant that is broken, one per check and day."""
    now = timezone.now()
    for finding in suite.check_all(now=now).broken:
        alerts.record(
            "invariant-broken",
            subject=f"{finding.name} {now:%F}",
            details={
                "id": finding.id,
                "violations": finding.violations,
                "examples": finding.examples,
            },
            now=now,
            severity=alerts.Severity.CRITICAL,
        )


@shared_task
def refresh_rollups() -> None:
    """Let the roll-ups take in what has changed; the next run goes on where this one stops."""
    upkeep.refresh(most=MOST_MARKS)


@shared_task
def watch_campaigns() -> None:
    """Raise an alarm for campaigns that burn money, and end those of campaigns that do not."""
    upkeep.refresh(most=MOST_MARKS)
    campaign_watch.watch(now=timezone.now())


@shared_task
def keep_liability() -> None:
    """Keep what outstanding points were expected to cost at the end of the chain's day before."""
    now = timezone.now()
    yesterday = timezone.localdate(now) - timedelta(days=1)
    if liability.is_kept(yesterday):
        return
    programme = tiers.programme()
    measured = liability.measure(now=now, points_per_yuan=programme.points_per_redeemed_yuan)
    liability.snapshot(yesterday, measured, now=now)
