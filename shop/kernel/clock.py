"""Days: which business day of a store, or calendar day of the chain, a moment belongs to."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

YEARS = range(2000, 2200)
"""What days and periods may lie in; arithmetic on dates far beyond breaks in many places."""


def business_date(at: datetime, *, timezone: str, day_starts_at: time) -> date:
    """Return the store's business day at that moment; a day runs to the next `day_starts_at`.

    >>> late = datetime(2026, 6, 18, 17, 30, tzinfo=UTC)  # 01:30 on the 19th in Shanghai
    >>> business_date(late, timezone="Asia/Shanghai", day_starts_at=time(5)).isoformat()
    '2026-06-18'
    """
    local = at.astimezone(ZoneInfo(timezone))
    return local.date() if local.time() >= day_starts_at else local.date() - timedelta(days=1)


def business_day_start(day: date, *, timezone: str, day_starts_at: time) -> datetime:
    """Return the moment, in UTC, at which that business day begins."""
    return datetime.combine(day, day_starts_at, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def chain_day(at: datetime) -> date:
    """Return the chain's calendar day at that moment, for what belongs to no store."""
    return at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
