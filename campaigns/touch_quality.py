"""Which touches count: those of people, and of one person at one link only once in a while. Pure.

Nothing is thrown away: what does not count is kept and flagged, so that a filter can be judged.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from campaigns.models import Touch

Meeting = tuple[str, int, str]
"""Visitor, link and kind: what a repetition has in common with what it repeats."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TouchEvent:
    """One meeting of a visitor with a link, as a client saw it.

    A touch may come from an ad that named its click: then platform and click id are kept, so that
    the platform can be told what became of it.
    """

    event_id: UUID
    kind: str
    link_id: int
    visitor_id: str
    occurred_at: datetime
    is_bot: bool = False
    ad_platform: str = ""
    ad_click_id: str = ""

    @property
    def meeting(self) -> Meeting:
        """Return what a repetition of this event shares with it."""
        return (self.visitor_id, self.link_id, str(self.kind))


def judge(
    events: Sequence[TouchEvent],
    *,
    counted: Iterable[tuple[Meeting, datetime]],
    window: timedelta,
) -> dict[UUID, Touch.Quality]:
    """Return the quality of each event, given what counted before.

    A meeting counts if none of its like counted less than `window` before or after it, so late
    events are judged as they would have been in time. A chain of quick repetitions is not swallowed
    whole: only what counts makes others repetitions.
    """
    times = defaultdict(list)
    for meeting, at in counted:
        times[meeting].append(at)
    qualities = {}
    for event in sorted(events, key=lambda event: (event.occurred_at, event.event_id)):
        if event.is_bot:
            qualities[event.event_id] = Touch.Quality.BOT
        elif any(abs(event.occurred_at - at) < window for at in times[event.meeting]):
            qualities[event.event_id] = Touch.Quality.REPEATED
        else:
            qualities[event.event_id] = Touch.Quality.COUNTED
            times[event.meeting].append(event.occurred_at)
    return qualities
