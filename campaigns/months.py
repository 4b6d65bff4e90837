"""The months of the table of touches: made ahead, and dropped when they are too old to keep.

PostgreSQL puts every touch into the partition of its month (in UTC), and what has none into the
default partition, so nothing is ever refused for want of a month. `make_ahead` gives months to what
waits there; `drop_old` keeps the totals of each day and drops the rest. Both may run at any time,
beside each other and beside everybody who writes touches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from campaigns.models import SeenEvent, Touch, TouchTotal
from shop import alerts
from shop.kernel import locks

MONTHS_AHEAD = 3
TABLE = Touch._meta.db_table
DEFAULT = f"{TABLE}_default"
TURN = "months of touches"
ALARM = "touch-month-missing"


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month in UTC, as its partition has it.

    >>> Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)).later(1).partition
    'campaigns_touch_2027_01'
    """

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """Return the month of a moment."""
        at = at.astimezone(UTC)
        return cls(at.year, at.month)

    def later(self, months: int) -> "Month":
        """Return the month so many later; earlier for a negative number."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    @property
    def starts_at(self) -> datetime:
        """Return its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def ends_at(self) -> datetime:
        """Return the first moment after it."""
        return self.later(1).starts_at

    @property
    def partition(self) -> str:
        """Return the name of its table."""
        return f"{TABLE}_{self.year:04d}_{self.number:02d}"


def present() -> list[Month]:
    """Return the months that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT_SQL, [TABLE, DEFAULT])
        names = [name for (name,) in cursor.fetchall()]
    return sorted(Month(int(name[-7:-3]), int(name[-2:])) for name in names)


def missing(*, now: datetime) -> list[Month]:
    """Return the months without a partition of those that touches fall into now and next month."""
    there = set(present())
    wanted = [Month.of(now), Month.of(now).later(1)]
    return [month for month in wanted if month not in there]


def keep(*, now: datetime) -> None:
    """Make what is missing and drop what is old; raise an alarm if a month is missing all the same.

    Until somebody looks, its touches wait in the default partition: slower to find, not lost.
    """
    try:
        make_ahead(now=now)
        drop_old(now=now)
    finally:
        if lacking := [month.partition for month in missing(now=now)]:
            details = {"partitions": lacking}
            alerts.raise_condition(ALARM, subject=lacking[0], details=details, now=now)
        alerts.keep_only(ALARM, subjects=lacking[:1], now=now)


def make_ahead(*, now: datetime) -> list[Month]:
    """Make the partitions of this month and the next ones, and of what waits in the default one.

    Each month is a transaction of its own; what waited moves with it. Return the months made.
    """
    first = Month.of(now)
    wanted = {first.later(step) for step in range(MONTHS_AHEAD + 1)} | set(_waiting())
    return [month for month in sorted(wanted - set(present())) if _make(month)]


def _waiting() -> list[Month]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC') FROM {DEFAULT}"  # noqa: S608 - a table of ours
        )
        return [Month(at.year, at.month) for (at,) in cursor.fetchall()]


def _make(month: Month) -> bool:
    """Make one month; False if another was faster. Touches of it wait outside meanwhile."""
    with _turn() as cursor:
        if month in present():
            return False
        cursor.execute(f"CREATE TABLE {month.partition} (LIKE {TABLE} INCLUDING ALL)")
        cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {DEFAULT} WHERE occurred_at >= %s AND occurred_at < %s"  # noqa: S608 - tables of ours
            f" RETURNING {_COLUMNS}) INSERT INTO {month.partition} ({_COLUMNS})"
            f" SELECT {_COLUMNS} FROM moved",
            [month.starts_at, month.ends_at],
        )
        cursor.execute(  # which takes no parameters
            f"ALTER TABLE {TABLE} ATTACH PARTITION {month.partition}"
            f" FOR VALUES FROM ('{month.starts_at:%Y-%m-%d}T00:00Z')"
            f" TO ('{month.ends_at:%Y-%m-%d}T00:00Z')"
        )
    return True


def drop_old(*, now: datetime) -> list[Month]:
    """Drop the months that ended so long ago, their totals kept; and forget events too old to come.

    Where members came from and who has the credit was frozen then and stays as it is.
    """
    oldest_kept = Month.of(now).later(-settings.TOUCH_RETENTION_MONTHS)
    dropped = [month for month in present() if month < oldest_kept and _drop(month)]
    with transaction.atomic():
        SeenEvent.objects.filter(occurred_at__lt=now - 2 * settings.TOUCH_LATE_AFTER).delete()
    return dropped


def _drop(month: Month) -> bool:
    with _turn() as cursor:
        if month not in present():
            return False
        cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {month.partition}")
        cursor.execute(_KEEP_TOTALS_SQL.format(partition=month.partition), [settings.TIME_ZONE])
        cursor.execute(f"DROP TABLE {month.partition}")
    return True


@contextmanager
def _turn() -> Iterator[CursorWrapper]:
    """Have one change of months at a time; give up rather than keep the guests' clicks waiting."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '3s'")
        locks.wait_for(TURN)
        yield cursor


_COLUMNS = ", ".join(str(field.column) for field in Touch._meta.concrete_fields)

_PRESENT_SQL = """
SELECT child.relname FROM pg_inherits
JOIN pg_class parent ON parent.oid = inhparent
JOIN pg_class child ON child.oid = inhrelid
WHERE parent.oid = to_regclass(%s) AND child.relname <> %s
"""

# A link's day is its store's; a link of the whole chain has the day of the back office.
_KEEP_TOTALS_SQL = f"""
INSERT INTO {TouchTotal._meta.db_table} (link_id, date, kind, touches, visitors, flagged)
SELECT touch.link_id,
       ((touch.occurred_at AT TIME ZONE COALESCE(store.timezone, %s))
        - COALESCE(store.day_starts_at::interval, interval '0'))::date,
       touch.kind,
       count(*) FILTER (WHERE touch.quality = 'counted'),
       count(DISTINCT touch.visitor_id) FILTER (WHERE touch.quality = 'counted'),
       count(*) FILTER (WHERE touch.quality <> 'counted')
FROM {{partition}} touch
JOIN campaigns_channellink link ON link.id = touch.link_id
LEFT JOIN shop_store store ON store.id = link.store_id
GROUP BY 1, 2, 3
ON CONFLICT (link_id, date, kind) DO UPDATE
SET touches = {TouchTotal._meta.db_table}.touches + EXCLUDED.touches,
    visitors = {TouchTotal._meta.db_table}.visitors + EXCLUDED.visitors,
    flagged = {TouchTotal._meta.db_table}.flagged + EXCLUDED.flagged
"""  # noqa: S608 - the tables' own names
