"""From when until when a coupon works, as its definition says."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.models import CouponDefinition


def start_of(definition: CouponDefinition, *, issued_at: datetime) -> datetime | None:
    """Return from when a coupon issued now can be used; None: at once."""
    starts_at = definition.valid_from
    return starts_at if starts_at is not None and starts_at > issued_at else None


def end_of(definition: CouponDefinition, *, issued_at: datetime, timezone: str) -> datetime:
    """Return when a coupon issued now stops working: the earlier of its two ends.

    Days are counted on the wall of the member's store and end at its midnight, the day on which
    the coupon begins to be usable not counted: 30 days from 18 June last until 18 July is over.
    """
    ends = []
    if definition.valid_days is not None:
        begins = start_of(definition, issued_at=issued_at) or issued_at
        zone = ZoneInfo(timezone)
        day_after = begins.astimezone(zone).date() + timedelta(days=definition.valid_days + 1)
        ends.append(datetime.combine(day_after, time(), tzinfo=zone).astimezone(UTC))
    if definition.valid_until is not None:
        ends.append(definition.valid_until)
    return min(ends)


def is_over(definition: CouponDefinition, *, now: datetime) -> bool:
    """Tell whether a coupon issued now would be of no use."""
    return definition.valid_until is not None and definition.valid_until <= now
