"""Roll-ups that are refreshed from several sides while people go on buying."""

from datetime import timedelta
from functools import partial
from threading import Event

from django.db import connection, transaction

from shop.storefront.models import CohortMonth, MemberRollup, RollupMark, SalesDay, SalesMonth
from shop.storefront.rollups import upkeep
from tests import make
from tests.concurrency.crowd import at_once


def test_refreshes_at_once_take_nothing_in_twice_and_lose_nothing() -> None:
    """The lock in `upkeep._take_in_slice`, and that marks are deleted before anything is read: with
    neither (marks taken by SKIP LOCKED), two slices write the same days and break their unique key.
    """
    who = make.member()
    for _round in range(4):
        buying = [partial(make.paid, who=who) for _ in range(2)] + [make.paid]
        at_once([*buying, *[upkeep.refresh] * 4])
    upkeep.refresh()

    assert not RollupMark.objects.exists()
    assert MemberRollup.objects.get(member_id=who.pk).orders == 8
    assert sum(SalesDay.objects.values_list("orders", flat=True)) == 12


def has_to_wait() -> None:
    """Return once somebody waits for a lock."""
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    with connection.cursor() as cursor:
        for _attempt in range(2000):
            cursor.execute(waits)
            if cursor.fetchone() == (True,):
                return


def test_months_made_anew_wait_for_a_slice_and_a_report_does_not() -> None:
    """The lock in `upkeep.renew_months`: without it, what the slice adds is added up from the days
    and added to that. And the one in `_take_in_slice`, which does not wait: without it, a report
    waits for the marks of the slice before it.
    """
    make.paid(who=make.member())
    upkeep.refresh()
    for when in (make.NOON, make.NOON + timedelta(days=60)):  # a month that is there, and a new one
        make.paid(who=make.member(now=when), now=when)
    is_taken, may_end = Event(), Event()

    def slow_slice() -> None:
        with transaction.atomic():
            upkeep.refresh()
            is_taken.set()
            may_end.wait(20)

    def report() -> int:
        is_taken.wait(20)
        try:
            return upkeep.refresh()
        finally:
            has_to_wait()
            may_end.set()

    def anew() -> None:
        is_taken.wait(20)
        upkeep.renew_months()

    _slice, taken, _anew = at_once([slow_slice, report, anew])

    assert taken == 0
    assert sum(SalesMonth.objects.values_list("orders", flat=True)) == 3
    assert sum(CohortMonth.objects.values_list("joined", flat=True)) == 3
