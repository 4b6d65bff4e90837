"""Touches: batch ingest, each event once. The only module that writes them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from campaigns import touch_quality
from campaigns.models import SeenEvent, Touch
from campaigns.touch_quality import Meeting, TouchEvent

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead a client's clock may be."""
LOCK_CLASS = 0x70_75_63_68
SHARDS = 64
"""Into how many turns visitors are divided; batches that share none do not wait for each other."""


def refusal(occurred_at: datetime, *, now: datetime) -> str:
    """Return why a touch of that time is not taken any more, or not yet; empty if it is taken.

    Events may come late and in any order, but not after what they would be compared with is gone.
    """
    if occurred_at > now + CLOCK_SKEW:
        return "in-the-future"
    if occurred_at < now - settings.TOUCH_LATE_AFTER:
        return "too-late"
    return ""


def ingest(events: Sequence[TouchEvent]) -> dict[UUID, Touch.Quality]:
    """Store events in any order, each `event_id` once; return the new ones and what they count as.

    Visitors take turns, so that two taps which reached two processes are still one; and events go
    in by ascending id, so that batches with the same events cannot wait for each other in a circle.
    """
    unique = sorted(
        {event.event_id: event for event in events}.values(), key=lambda event: event.event_id
    )
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        _take_turns(cursor, unique)
        qualities = touch_quality.judge(
            unique,
            counted=_counted_nearby(cursor, unique),
            window=settings.TOUCH_REPEATED_WITHIN,
        )
        return _insert(cursor, unique, qualities)


def _take_turns(cursor: CursorWrapper, events: Sequence[TouchEvent]) -> None:
    shards = sorted({crc32(event.visitor_id.encode()) % SHARDS for event in events})
    cursor.execute(
        "SELECT pg_advisory_xact_lock(%s, shard) FROM unnest(%s::int[]) WITH ORDINALITY"
        " AS turn (shard, place) ORDER BY place",
        [LOCK_CLASS, shards],
    )


def _counted_nearby(
    cursor: CursorWrapper, events: Sequence[TouchEvent]
) -> list[tuple[Meeting, datetime]]:
    people = [event for event in events if not event.is_bot]
    if not people:
        return []
    window: Any = settings.TOUCH_REPEATED_WITHIN
    values = {
        "visitors": [event.visitor_id for event in people],
        "times": [event.occurred_at for event in people],
        "window": window,
        "since": min(event.occurred_at for event in people) - window,
        "until": max(event.occurred_at for event in people) + window,
    }
    cursor.execute(_NEARBY_SQL, values)
    return [((visitor, link, kind), at) for visitor, link, kind, at in cursor.fetchall()]


def _insert(
    cursor: CursorWrapper, events: Sequence[TouchEvent], qualities: dict[UUID, Touch.Quality]
) -> dict[UUID, Touch.Quality]:
    cursor.execute(
        _INGEST_SQL,
        [
            [event.event_id for event in events],
            [str(event.kind) for event in events],
            [event.link_id for event in events],
            [event.visitor_id for event in events],
            [event.occurred_at for event in events],
            [str(qualities[event.event_id]) for event in events],
            [event.ad_platform for event in events],
            [event.ad_click_id for event in events],
        ],
    )
    return {event_id: qualities[event_id] for (event_id,) in cursor.fetchall()}


# The bounds let whole months be left out; the lateral asks the index once per event.
_NEARBY_SQL = f"""
SELECT DISTINCT near.visitor_id, near.link_id, near.kind, near.occurred_at
FROM unnest(%(visitors)s::text[], %(times)s::timestamptz[]) AS asked (visitor_id, at)
CROSS JOIN LATERAL (
    SELECT touch.visitor_id, touch.link_id, touch.kind, touch.occurred_at
    FROM {Touch._meta.db_table} touch
    WHERE touch.visitor_id = asked.visitor_id AND touch.quality = 'counted'
      AND touch.occurred_at > asked.at - %(window)s AND touch.occurred_at < asked.at + %(window)s
      AND touch.occurred_at > %(since)s AND touch.occurred_at < %(until)s
    OFFSET 0
) near
"""  # noqa: S608 - the table's own name

_INGEST_SQL = f"""
WITH event AS (
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[], %s::timestamptz[],
                         %s::text[], %s::text[], %s::text[])
    AS event (event_id, kind, link_id, visitor_id, occurred_at, quality, ad_platform, ad_click_id)
),
fresh AS (
    INSERT INTO {SeenEvent._meta.db_table} (event_id, occurred_at)
    SELECT event_id, occurred_at FROM event
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
)
INSERT INTO {Touch._meta.db_table}
       (event_id, kind, link_id, visitor_id, occurred_at, quality, ad_platform, ad_click_id)
SELECT event.event_id, event.kind, event.link_id, event.visitor_id, event.occurred_at,
       event.quality, event.ad_platform, event.ad_click_id
FROM event JOIN fresh ON fresh.event_id = event.event_id
RETURNING event_id
"""  # noqa: S608 - the tables' own names
