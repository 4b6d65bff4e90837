"""Touches: batch ingest, each event once. The only module that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from campaigns.models import Touch


@dataclass(frozen=True, kw_only=True, slots=True)
class TouchEvent:
    """One meeting of a visitor with a link, as a client saw it."""

    event_id: UUID
    kind: str
    link_id: int
    visitor_id: str
    occurred_at: datetime


def ingest(events: Sequence[TouchEvent]) -> int:
    """Store events in any order, each `event_id` once, in one statement; return how many were new.

    The events go in by ascending id, so that two batches with the same events cannot wait for each
    other in a circle.
    """
    unique = sorted(
        {event.event_id: event for event in events}.values(), key=lambda event: event.event_id
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _INGEST_SQL,
            [
                [event.event_id for event in unique],
                [str(event.kind) for event in unique],
                [event.link_id for event in unique],
                [event.visitor_id for event in unique],
                [event.occurred_at for event in unique],
            ],
        )
        return int(cursor.rowcount)


_INGEST_SQL = f"""
INSERT INTO {Touch._meta.db_table} (event_id, kind, link_id, visitor_id, occurred_at)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[], %s::timestamptz[])
ON CONFLICT (event_id) DO NOTHING
"""  # noqa: S608 - the table's own name
