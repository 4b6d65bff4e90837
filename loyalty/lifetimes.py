"""When points become available and how long they live: settings of the programme, pure rules."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Expires(StrEnum):
    """By what rule points expire; always with the end of a day in the store's time zone."""

    NEVER = "never"
    DAYS = "days"
    MONTHS = "months"
    YEAR_END = "year_end"
    DATE = "date"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifetime:
    """How long points live: `count` days, months or calendar years, or up to a day of the year.

    They can be spent through the whole of their last day, and are gone at the midnight after.
    """

    expires: Expires = Expires.YEAR_END
    count: int = 1
    last_day: date | None = None

    def ends_at(self, earned_at: datetime, *, timezone: str) -> datetime | None:
        """Return the moment at which points earned then are gone, None when they never expire.

        >>> from datetime import UTC
        >>> june = datetime(2026, 6, 18, tzinfo=UTC)
        >>> for expires in list(Expires)[1:4]:
        ...     Lifetime(expires=expires).ends_at(june, timezone="Asia/Shanghai").isoformat()
        '2026-06-20T00:00:00+08:00'
        '2026-07-19T00:00:00+08:00'
        '2028-01-01T00:00:00+08:00'
        """
        zone = ZoneInfo(timezone)
        last_day = self._last_day(earned_at.astimezone(zone).date())
        if last_day is None:
            return None
        following = last_day + timedelta(days=1)
        return datetime(following.year, following.month, following.day, tzinfo=zone)

    def _last_day(self, earned_on: date) -> date | None:
        match self.expires:
            case Expires.NEVER:
                return None
            case Expires.DAYS:
                return earned_on + timedelta(days=self.count)
            case Expires.MONTHS:
                return _months_later(earned_on, self.count)
            case Expires.YEAR_END:
                return date(earned_on.year + self.count, 12, 31)
            case Expires.DATE:
                return None if self.last_day is None else _next(self.last_day, since=earned_on)


def _months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or that month's last when it has no such day.

    >>> [_months_later(date(2027, 1, 31), months).isoformat() for months in (1, 13)]
    ['2027-02-28', '2028-02-29']
    """
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _next(day: date, *, since: date) -> date:
    """Return that day, or when it is over its next anniversary.

    >>> _next(date(2026, 6, 30), since=date(2027, 7, 1)).isoformat()
    '2028-06-30'
    """
    while day < since:
        day = _months_later(day, 12)
    return day


class Waits(StrEnum):
    """What points that an order earns wait for before they can be spent."""

    NOTHING = "nothing"
    DAYS = "days"
    COMPLETION = "completion"


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """How long earned points stay pending: some days after the payment or after completion."""

    waits: Waits = Waits.NOTHING
    days: int = 0

    @property
    def is_needed(self) -> bool:
        """Tell whether points are pending at all."""
        return self.waits is not Waits.NOTHING

    def until(self, paid_at: datetime) -> datetime | None:
        """Return when points of an order paid then are available; None: when it is completed."""
        if self.waits is Waits.COMPLETION:
            return None
        return paid_at + timedelta(days=self.days)
