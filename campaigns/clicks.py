"""Clicks, answered at once and written in batches.

A redirect must be fast even when the database is slow, so a click goes into a buffer of this
process and a line on disk (`campaigns.click_spool`), and a thread writes the buffer into the
database every 200 ms. A graceful stop flushes it; what a killed process leaves on disk another one
writes. With the database away the buffer grows up to a bound, and what comes beyond is counted and
alarmed. Links are remembered for a few seconds for the same reason, and read anew by the same
thread: nobody who opens a link in use waits for the database.
"""

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import structlog
from django.db import Error, IntegrityError, connection

from campaigns import links, touches
from campaigns.ad_clicks import AdClick
from campaigns.click_spool import Spool
from campaigns.models import ChannelLink
from campaigns.touch_quality import TouchEvent
from shop import alerts

FLUSH_EVERY_SECONDS = 0.2
ADOPT_EVERY_FLUSHES = 5
LINKS_KEPT_SECONDS = 5.0
LINKS_READ_BEHIND_SECONDS = 60.0
"""A link that was used within this time is read anew behind the back of who opens it."""
MOST_PER_STATEMENT = 5_000
MOST_BUFFERED = 100_000
"""With the database away for long, newer clicks are dropped rather than the process's memory."""
STOP_SECONDS = 8.0
"""How long a process that was told to stop tries to write what it holds."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KnownLink:
    """What the redirect needs to know of a link."""

    id: int
    target_url: str
    read_at: float


@dataclass(frozen=True, slots=True)
class State:
    """How the buffer of this process stands; `dropped` are those of its whole life."""

    waiting: int
    dropped: int


_buffer: list[TouchEvent] = []
_dropped = 0
_dropped_at: datetime | None = None
_told = 0
_buffer_lock = threading.Lock()
_flush_lock = threading.Lock()
_writer: threading.Thread | None = None
_spool: Spool | None = None
_links: dict[str, KnownLink] = {}
_to_read: set[str] = set()


def serve(directory: Path) -> None:
    """Begin to take clicks in a process that serves, with those of processes that were killed.

    Without it, as in a shell, clicks are buffered in memory only.
    """
    global _spool  # noqa: PLW0603 - one per process
    try:
        _spool = Spool(directory)
    except OSError as error:  # guests are served all the same
        log.error("clicks are in memory only", reason=str(error))
    _ensure_writer()


def find_link(code: str) -> KnownLink | None:
    """Return an active link; a recently read one without asking the database.

    When the database is away, an older reading serves, and the database is left alone as long as
    after a good reading.

    Raises:
        django.db.Error: the database is away and the link was never read.
    """
    known = _links.get(code)
    age = time.monotonic() - known.read_at if known else 0.0
    if known and age < LINKS_KEPT_SECONDS:
        return known
    if known and _is_writing() and (age < LINKS_READ_BEHIND_SECONDS or code in _to_read):
        _to_read.add(code)
        return known
    try:
        _read_links([code])
    except Error:
        if known is None:
            raise
        _links[code] = replace(known, read_at=time.monotonic())
    return _links.get(code)


def _read_links(codes: Iterable[str]) -> None:
    """Read links into memory; those that are gone or switched off are forgotten."""
    found = links.targets(codes)
    for code in codes:
        if code in found:
            _links[code] = KnownLink(*found[code], time.monotonic())
        else:
            _links.pop(code, None)


def record(
    link_id: int,
    *,
    kind: str,
    visitor_id: str,
    now: datetime,
    is_bot: bool = False,
    ad_click: AdClick | None = None,
) -> None:
    """Take a click into the buffer."""
    global _dropped, _dropped_at
    event = TouchEvent(
        event_id=uuid4(),
        kind=kind,
        link_id=link_id,
        visitor_id=visitor_id,
        occurred_at=now,
        is_bot=is_bot,
        ad_platform=ad_click.platform if ad_click else "",
        ad_click_id=ad_click.click_id if ad_click else "",
    )
    with _buffer_lock:
        if len(_buffer) >= MOST_BUFFERED:
            _dropped, _dropped_at = _dropped + 1, now
            return
        _buffer.append(event)
        if _spool is not None:
            _spool.add(event)
        _ensure_writer()


def state() -> State:
    """Return how many clicks wait in this process, and how many it had no room for."""
    return State(waiting=len(_buffer), dropped=_dropped)


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
        if written and _spool is not None:
            with _buffer_lock:
                _spool.keep_only(_buffer)
    return written


def stop() -> int:
    """Write what is left before the process ends, trying for some seconds; return what is not.

    It waits on disk for the next process, if it can.
    """
    give_up_at = time.monotonic() + STOP_SECONDS
    while True:
        try:
            flush_now()
        except Error:
            if time.monotonic() > give_up_at:
                log.exception("clicks not written at the stop", clicks=len(_buffer))
                break
            connection.close()
            time.sleep(FLUSH_EVERY_SECONDS)
        else:
            break
    if _spool is not None:
        _spool.close()
    return len(_buffer)


def _write(batch: list[TouchEvent]) -> None:
    """Write clicks; those on a link that was deleted meanwhile would keep all others waiting."""
    try:
        touches.ingest(batch)
    except IntegrityError:
        touches.ingest(_of_living_links(batch))


def _adopt() -> None:
    """Write the clicks that killed processes have left behind."""
    if _spool is None:
        return
    for path, events in _spool.adopt():
        for start in range(0, len(events), MOST_PER_STATEMENT):
            _write(events[start : start + MOST_PER_STATEMENT])
        path.unlink()
        if events:
            log.warning("clicks of a killed process written", clicks=len(events))


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
    _to_read.clear()


def _is_writing() -> bool:
    return _writer is not None and _writer.is_alive()


def _ensure_writer() -> None:
    global _writer  # noqa: PLW0603 - one writer per process, started in the process that serves
    if not _is_writing():
        _writer = threading.Thread(target=_write_for_ever, name="click-writer", daemon=True)
        _writer.start()


def _write_for_ever() -> None:
    for number in count():
        time.sleep(FLUSH_EVERY_SECONDS)
        try:
            flush_now()
            if number % ADOPT_EVERY_FLUSHES == 0:
                _adopt()
            _read_behind()
            _tell_of_dropped()
        except Error:
            log.warning("clicks wait for the database", waiting=len(_buffer), dropped=_dropped)
            connection.close()


def _read_behind() -> None:
    if codes := set(_to_read):
        _read_links(codes)
        _to_read.difference_update(codes)


def _tell_of_dropped() -> None:
    """Raise an alert about the clicks that found no room, once the database is there to take it."""
    global _told  # noqa: PLW0603 - what this process has told
    count, at = _dropped, _dropped_at
    if at is None or count == _told:
        return
    log.error("clicks dropped", dropped=count)
    alerts.record(
        "clicks-dropped",
        subject=f"{at:%Y-%m-%d %H:%M:%S}",
        details={"clicks": count - _told},
        now=at,
        severity=alerts.Severity.CRITICAL,
    )
    _told = count
