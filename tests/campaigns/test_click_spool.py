"""Clicks on disk: whose they are while their process lives, and after."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from campaigns.click_spool import Spool
from campaigns.touch_quality import TouchEvent
from tests import make


def event(minutes: int = 0) -> TouchEvent:
    return TouchEvent(
        event_id=uuid4(),
        kind="scan",
        link_id=7,
        visitor_id="v-1",
        occurred_at=make.NOON + timedelta(minutes=minutes),
        ad_platform="tencent",
        ad_click_id='a"b\n',
    )


def adopted(spool: Spool) -> list[TouchEvent]:
    found = []
    for path, events in spool.adopt():
        found += events
        path.unlink()
    return found


def killed(spool: Spool) -> Spool:
    """Return a new process's spool after the end of one, which let go of its lock."""
    spool.close()
    return Spool(spool.directory)


def test_a_process_that_lives_keeps_its_clicks(tmp_path: Path) -> None:
    living, other = Spool(tmp_path), Spool(tmp_path)
    living.add(event())

    assert adopted(other) == []


def test_what_a_process_leaves_is_adopted_once(tmp_path: Path) -> None:
    spool, clicks = Spool(tmp_path), [event(), event(1)]
    for click in clicks:
        spool.add(click)

    successor = killed(spool)

    assert adopted(successor) == clicks
    assert adopted(successor) == []


def test_what_was_written_is_not_kept_and_the_rest_is(tmp_path: Path) -> None:
    spool, waiting = Spool(tmp_path), event(1)
    spool.add(event())
    spool.add(waiting)
    spool.keep_only([waiting])

    assert adopted(killed(spool)) == [waiting]


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    spool, whole = Spool(tmp_path), event()
    spool.add(whole)
    spool.add(event(1))
    (path,) = tmp_path.iterdir()
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size - 9)

    assert adopted(killed(spool)) == [whole]


def test_nothing_is_left_behind_by_a_process_that_wrote_everything(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(event())
    spool.keep_only([])
    spool.close()

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_keeps_no_other(tmp_path: Path) -> None:
    (tmp_path / "0.clicks").mkdir()
    (tmp_path / "z.clicks").mkdir()
    spool, click = Spool(tmp_path), event()
    spool.add(click)

    assert adopted(killed(spool)) == [click]
