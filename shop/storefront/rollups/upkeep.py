"""Keeping the roll-ups up: the marks that changes left are taken in, a slice at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction

from shop.kernel import locks
from shop.storefront.models import RollupMark
from shop.storefront.rollups import cohorts, meetings, people, sales
from shop.storefront.rollups.people import Moved, Origin
from shop.storefront.rollups.sales import StoreDay

SLICE = 2000
"""Marks taken in by one transaction; a slice of sales takes a few tenths of a second."""
LOCK = "storefront.rollups"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Work:
    """What a slice of marks asks for."""

    members: set[int]
    whole_members: set[int]
    visitors: set[str]
    orders: list[int]
    days: set[StoreDay]


def refresh(*, most: int | None = None) -> int:
    """Take in marks until none is left, or about `most`; return how many were.

    Does nothing while somebody else is at it. Each slice is one transaction that deletes its marks
    and adds up anew, from the facts, whatever they touch; so a slice that dies is done again.
    """
    done = 0
    while most is None or done < most:
        taken = _take_in_slice()
        done += taken
        if taken == 0:
            break
    return done


def catch_up() -> None:
    """Take in what little waits, so that a report knows the latest sale; leave much to beat."""
    if is_behind():
        refresh(most=SLICE)


def mark_days(*, since: date, until: date) -> int:
    """Mark everything of the business days in [since, until): sales, who met us, joined, bought."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_DAYS_SQL, {"since": since, "until": until})
        return int(cursor.rowcount)


@transaction.atomic
def renew_months() -> None:
    """Add up anew the sums of months, which otherwise only change by what their days do."""
    locks.wait_for(LOCK)
    cohorts.renew_months()
    sales.renew_months()
    meetings.renew_months()


@transaction.atomic
def _take_in_slice() -> int:
    if not locks.take_if_free(LOCK):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_SQL, {"slice": SLICE})
        taken = cursor.fetchall()
    if taken:
        _take_in(_work(taken))
    return len(taken)


def _take_in(work: _Work) -> None:
    """Take in a slice: visitors before the members they became, members before what sums them."""
    cells, became = meetings.renew(work.visitors)
    work.members.update(became)
    moved = people.renew(sorted(work.members))
    cohorts.renew(moved.cohorts)
    work.visitors.update(meetings.visitors_of(moved.shifted))
    meetings.renew_cells(work.visitors, cells=cells)
    _take_in_days(work, moved)
    sales.renew(work.days | sales.days_of([*work.orders, *moved.first_orders]))


def _take_in_days(work: _Work, moved: Moved) -> None:
    stayed: list[tuple[int, Origin]] = []
    shifted: list[tuple[int, Origin]] = []
    for member in work.members:
        old, new = moved.old.get(member), moved.new.get(member)
        pairs = [(member, origin) for origin in {old, new} if origin is not None]
        is_whole = member in work.whole_members or old != new
        (shifted if is_whole else stayed).extend(pairs)
    if stayed:
        cohorts.renew_days(stayed, order_ids=work.orders)
    if shifted:
        cohorts.renew_days(shifted, order_ids=None)


def _work(taken: Iterable[Sequence[Any]]) -> _Work:
    work = _Work(members=set(), whole_members=set(), visitors=set(), orders=[], days=set())
    for member, order, orderer, visitor, store, day in taken:
        if member is not None:
            work.members.add(member)
            work.whole_members.add(member)
        if order is not None:
            work.orders.append(order)
        if orderer is not None:
            work.members.add(orderer)
        if visitor is not None:
            work.visitors.add(visitor)
        if store is not None and day is not None:
            work.days.add((store, day))
    return work


def is_behind() -> bool:
    """Tell whether there are changes that the roll-ups have not taken in."""
    return RollupMark.objects.exists()


_TAKE_SQL = """
WITH taken AS (
    DELETE FROM storefront_rollupmark WHERE id IN (
        SELECT id FROM storefront_rollupmark ORDER BY id LIMIT %(slice)s)
    RETURNING member_id, order_id, visitor_id, store_id, business_date
)
SELECT DISTINCT taken.member_id, taken.order_id, orders.member_id, taken.visitor_id,
       taken.store_id, taken.business_date
FROM taken LEFT JOIN shop_order orders ON orders.id = taken.order_id
"""

_MARK_DAYS_SQL = """
WITH bounds AS (
    SELECT id AS store_id, %(since)s::date AS since, %(until)s::date AS until FROM shop_store
),
met AS (
    SELECT DISTINCT visitor_id FROM campaigns_touch
    WHERE occurred_at >= %(since)s::date - 2 AND occurred_at < %(until)s::date + 2
      AND quality = 'counted'
),
touched AS (
    SELECT member.id AS member_id FROM shop_member member
    WHERE member.joined_at >= %(since)s::date - 2 AND member.joined_at < %(until)s::date + 2
    UNION
    SELECT orders.member_id FROM shop_order orders JOIN bounds USING (store_id)
    WHERE orders.business_date >= bounds.since AND orders.business_date < bounds.until
      AND orders.member_id IS NOT NULL
)
INSERT INTO storefront_rollupmark (visitor_id, member_id, store_id, business_date)
SELECT visitor_id, NULL::bigint, NULL::bigint, NULL::date FROM met
UNION ALL
SELECT NULL, member_id, NULL, NULL FROM touched
UNION ALL
SELECT NULL, NULL, bounds.store_id, day::date
FROM bounds CROSS JOIN generate_series(bounds.since, bounds.until - 1, interval '1 day') day
"""
