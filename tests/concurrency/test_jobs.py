"""Jobs with several workers: each slice is done by one of them."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import pytest

from shop.kernel import jobs
from shop.kernel.models import Job
from tests import make
from tests.concurrency.crowd import at_once

KIND = "test.race"


@pytest.fixture(autouse=True)
def counting() -> Iterator[None]:
    def count(job: Job, now: datetime) -> bool:
        job.done += 1
        job.result = {"seen": [*job.result.get("seen", []), job.done]}
        return job.done == 30

    jobs.runs(KIND, label="Count")(count)
    yield
    del jobs._slices[KIND]


def work() -> int:
    """Do slices until nothing is due for this worker; return how many it did."""
    done = 0
    while jobs.advance(now=make.NOON):
        done += 1
    return done


def test_no_slice_is_done_twice() -> None:
    """The row lock of `advance`; without it two workers write the same progress."""
    job = jobs.start(KIND, params={}, requested_by="staff:1", now=make.NOON)

    slices = at_once([work] * 4)
    sum_of_rest = work()

    job.refresh_from_db()
    assert sum(slices) + sum_of_rest == 30
    assert (job.state, job.result["seen"]) == ("done", list(range(1, 31)))


def test_one_key_started_at_once_is_one_job() -> None:
    """The unique key; without it there are as many jobs as starters."""
    start = partial(
        jobs.start, KIND, params={}, requested_by="staff:1", now=make.NOON, key="race/1"
    )

    started = at_once([start] * 8)

    assert len({job.pk for job in started}) == Job.objects.count() == 1
