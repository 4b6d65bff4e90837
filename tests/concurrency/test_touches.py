"""The same event, the same tap and the same month from many sides at once."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from campaigns import months, touches
from campaigns.models import ChannelLink, Touch
from campaigns.touch_quality import TouchEvent
from tests import make
from tests.concurrency.crowd import at_once

pytestmark = pytest.mark.usefixtures("real_commits")


def events_of(link: ChannelLink, count: int, *, visitor: str = "") -> list[TouchEvent]:
    return [
        TouchEvent(
            event_id=uuid4(),
            kind="click",
            link_id=link.pk,
            visitor_id=visitor or f"v-{number}",
            occurred_at=make.NOON,
        )
        for number in range(count)
    ]


def test_an_event_delivered_by_six_at_once_is_one_touch() -> None:
    """Fails without the primary key of `SeenEvent`, whose conflict the statement leaves out."""
    events = events_of(make.link(), 20)

    taken = at_once([partial(touches.ingest, batch) for batch in [events, events[::-1]] * 3])

    assert sum(map(len, taken)) == 20
    assert Touch.objects.count() == 20


def test_taps_that_reach_six_processes_at_once_count_once() -> None:
    """Fails without the turns that visitors take (`_take_turns`): nobody sees the others' tap."""
    taps = events_of(make.link(), 6, visitor="v")

    at_once([partial(touches.ingest, [tap]) for tap in taps])

    assert Touch.objects.count() == 6
    assert Touch.objects.filter(quality="counted").count() == 1


def test_a_month_is_made_once_while_touches_of_it_come_in() -> None:
    """None is lost on the way to its month, and both makers end well.

    The lock on the default partition closes a window too narrow to be hit here at will.
    """
    link, now = make.link(), datetime(2035, 3, 5, tzinfo=UTC)

    def touch(number: int) -> None:
        make.touch(link, f"v-{number}", now=now)

    touch(0)
    calls: list[Callable[[], Any]] = [partial(months.make_ahead, now=now)] * 2
    at_once([*calls, *[partial(touch, number) for number in range(1, 5)]])
    months.make_ahead(now=now)

    assert Touch.objects.count() == 5
    months.drop_old(now=datetime(2050, 1, 1, tzinfo=UTC))
