"""Clicks on disk until they are in the database, so that a killed process loses none.

Each process that serves writes a file of its own, a line per click, before it answers. Nothing is
fsynced: what a process has written survives its end, though not that of the machine. The file is
locked as long as its process lives; one that nobody locks is adopted by whoever finds it. Events
carry their own ids, so a line that is in the database already is counted no second time.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

import structlog

from campaigns.touch_quality import TouchEvent

SUFFIX = ".clicks"
OWNER_ONLY = 0o600

log = structlog.get_logger()


class Spool:
    """The file of one process. A disk that takes nothing more is told once and does without."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._path = Path()
        self._file: int | None = None
        self._unreadable: set[Path] = set()
        self._begin()

    def add(self, event: TouchEvent) -> None:
        """Keep an event; it is on its way to the disk before this returns."""
        if self._file is not None:
            self._write(_line(event))

    def keep_only(self, events: Sequence[TouchEvent]) -> None:
        """Begin a new file with what still waits, and then forget the old one."""
        old, old_path = self._file, self._path
        try:
            self._begin()
        except OSError as error:
            log.warning("no new file of clicks", reason=str(error))
            return
        if events:
            self._write(b"".join(map(_line, events)))
        if old is not None:
            if self._file is not None:
                old_path.unlink(missing_ok=True)
            os.close(old)  # what is still in it will be adopted

    def close(self) -> None:
        """Let the file go: away if nothing waits in it, else to whoever adopts it."""
        if self._file is not None:
            if os.fstat(self._file).st_size == 0:
                self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def adopt(self) -> Iterator[tuple[Path, list[TouchEvent]]]:
        """Yield the files of processes that are gone, with their events.

        They stay locked, so that nobody else adopts them meanwhile; unlink one when it is done.
        """
        for path in self.directory.glob(f"*{SUFFIX}"):
            if path == self._path:
                continue
            file = self._open(path)
            if file is None:
                continue
            with file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # its process lives
                yield path, list(_read(file))

    def _open(self, path: Path) -> BinaryIO | None:
        """Open what another process left; None if it is gone, or not ours to read: told once."""
        try:
            return path.open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            if path not in self._unreadable:
                self._unreadable.add(path)
                log.error("clicks of another process cannot be read", reason=str(error))
            return None

    def _begin(self) -> None:
        """Open a file of a new name; it gets the name once it is locked."""
        path = self.directory / f"{uuid4().hex}{SUFFIX}"
        draft = path.with_suffix(".new")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, OWNER_ONLY)
        fcntl.flock(file, fcntl.LOCK_EX)
        draft.rename(path)
        self._path, self._file = path, file

    def _write(self, data: bytes) -> None:
        assert self._file is not None  # noqa: S101 - the caller has looked
        try:
            if os.write(self._file, data) == len(data):
                return
            reason = "disk full"
        except OSError as error:
            reason = str(error)
        log.error("clicks are in memory only", reason=reason)
        os.close(self._file)
        self._file = None


def _line(event: TouchEvent) -> bytes:
    values = [
        event.event_id.hex,
        event.kind,
        event.link_id,
        event.visitor_id,
        event.occurred_at.isoformat(),
        event.is_bot,
        event.ad_platform,
        event.ad_click_id,
    ]
    return json.dumps(values).encode() + b"\n"


def _read(lines: Iterable[bytes]) -> Iterator[TouchEvent]:
    """Yield the events of a file; a last line that was cut short belongs to nobody's answer."""
    for line in lines:
        try:
            event_id, kind, link_id, visitor_id, at, is_bot, ad_platform, ad_click_id = json.loads(
                line
            )
        except ValueError:
            continue
        yield TouchEvent(
            event_id=UUID(event_id),
            kind=kind,
            link_id=link_id,
            visitor_id=visitor_id,
            occurred_at=datetime.fromisoformat(at),
            is_bot=is_bot,
            ad_platform=ad_platform,
            ad_click_id=ad_click_id,
        )
