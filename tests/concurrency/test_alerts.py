"""Alarms that several workers raise in the same moment."""

from functools import partial

from shop import alerts
from shop.models import Alert
from tests import make
from tests.concurrency.crowd import at_once


def test_one_condition_found_at_once_is_one_alarm() -> None:
    """The unique key of what is open; without it there are as many alarms as workers."""
    say = partial(
        alerts.raise_condition, "budget-spent", subject="phase:7", details={}, now=make.NOON
    )

    told = at_once([say] * 6)

    assert (sorted(told), Alert.objects.count()) == ([False] * 5 + [True], 1)
