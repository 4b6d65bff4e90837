"""Touches: batch ingest, each event once. The only module that writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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
    """Store events in any order, each `event_id` once; return how many were new."""
    before = {event.event_id for event in events}
    known = set(
        Touch.objects.filter(event_id__in=before).values_list("event_id", flat=True)
    )
    fresh = {event.event_id: event for event in events if event.event_id not in known}
    Touch.objects.bulk_create(
        [
            Touch(
                event_id=event.event_id,
                kind=event.kind,
                link_id=event.link_id,
                visitor_id=event.visitor_id,
                occurred_at=event.occurred_at,
            )
            for event in fresh.values()
        ],
        ignore_conflicts=True,  # two batches at once may carry the same event
        batch_size=1000,
    )
    return len(fresh)
