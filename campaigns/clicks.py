"""Clicks, answered at once and written in batches.

A redirect must be fast even when the database is slow, so a click goes into a buffer of this
process, and a thread writes the buffer every 200 ms. A graceful stop flushes it; a kill loses at
most those 200 ms. Links are remembered for a few seconds for the same reason.
"""

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

import structlog
from django.db import Error, IntegrityError, connection

from campaigns import touches
from campaigns.models import ChannelLink
from campaigns.touches import TouchEvent

FLUSH_EVERY_SECONDS = 0.2
LINKS_KEPT_SECONDS = 5.0
MOST_PER_STATEMENT = 5_000
MOST_BUFFERED = 100_000
"""With the database away for long, newer clicks are dropped rather than the process's memory."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KnownLink:
    """What the redirect needs to know of a link."""

    id: int
    target_url: str
    read_at: float


_buffer: list[TouchEvent] = []
_buffer_lock = threading.Lock()
_flush_lock = threading.Lock()
_writer: threading.Thread | None = None
_links: dict[str, KnownLink] = {}


def find_link(code: str) -> KnownLink | None:
    """Return an active link; a recently read one without asking the database.

    When the database is away, an older reading serves, and the database is left alone as long as
    after a good reading.

    Raises:
        django.db.Error: the database is away and the link was never read.
    """
    known = _links.get(code)
    if known and time.monotonic() - known.read_at < LINKS_KEPT_SECONDS:
        return known
    try:
        row = (
            ChannelLink.objects.filter(code=code, is_active=True)
            .values_list("id", "target_url")
            .first()
        )
    except Error:
        if known is None:
            raise
        _links[code] = replace(known, read_at=time.monotonic())
        return known
    if row is None:
        _links.pop(code, None)
        return None
    _links[code] = KnownLink(row[0], row[1], time.monotonic())
    return _links[code]


def record(link_id: int, *, kind: str, visitor_id: str, now: datetime) -> None:
    """Take a click into the buffer."""
    event = TouchEvent(
        event_id=uuid4(), kind=kind, link_id=link_id, visitor_id=visitor_id, occurred_at=now
    )
    with _buffer_lock:
        if len(_buffer) >= MOST_BUFFERED:
            log.error("click dropped: the buffer is full")
            return
        _buffer.append(event)
        _ensure_writer()


def flush_now() -> int:
    """Write what is buffered; return how many. What cannot be written stays for the next time.

    Touch events carry their own ids, so writing some of them twice counts them once.
    """
    written = 0
    with _flush_lock:
        while batch := _buffer[:MOST_PER_STATEMENT]:
            _write(batch)
            with _buffer_lock:
                del _buffer[: len(batch)]
            written += len(batch)
    return written


def _write(batch: list[TouchEvent]) -> None:
    """Write clicks; those on a link that was deleted meanwhile would keep all others waiting."""
    try:
        touches.ingest(batch)
    except IntegrityError:
        touches.ingest(_of_living_links(batch))


def _of_living_links(batch: list[TouchEvent]) -> list[TouchEvent]:
    living = set(
        ChannelLink.objects.filter(pk__in={event.link_id for event in batch}).values_list(
            "pk", flat=True
        )
    )
    log.error("clicks on deleted links dropped", links={e.link_id for e in batch} - living)
    return [event for event in batch if event.link_id in living]


def forget_links() -> None:
    """Read links anew; for tests, and after a link was switched off in this process."""
    _links.clear()


def _ensure_writer() -> None:
    global _writer  # noqa: PLW0603 - one writer per process, started in the process that serves
    if _writer is None or not _writer.is_alive():
        _writer = threading.Thread(target=_write_for_ever, name="click-writer", daemon=True)
        _writer.start()


def _write_for_ever() -> None:
    while True:
        time.sleep(FLUSH_EVERY_SECONDS)
        try:
            flush_now()
        except Error:
            log.warning("clicks wait for the database", waiting=len(_buffer))
            connection.close()
