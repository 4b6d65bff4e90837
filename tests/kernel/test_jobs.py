"""Long work in slices: it goes on where it stood, and tells how far it is."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from shop.kernel import jobs
from shop.kernel.errors import DomainError
from shop.kernel.jobs import BACKOFF, JobFinished
from shop.kernel.models import Job, OutboxMessage
from tests import make

pytestmark = pytest.mark.django_db

KIND = "test.count"


class OutOfTea(DomainError):
    code = "out-of-tea"
    title = "There is no tea left."


def count(job: Job, now: datetime) -> bool:
    """Write one message per slice, up to `upto`; fail where the job says so."""
    number = job.cursor.get("number", 0) + 1
    OutboxMessage.objects.create(
        topic="test", key=f"{job.pk}/{number}", payload={}, available_at=now, created_at=now
    )
    job.cursor = {"number": number}
    job.done = number
    if number == job.params.get("breaks_at"):
        raise ZeroDivisionError
    if number == job.params.get("refused_at"):
        raise OutOfTea
    job.result = {"last": number}
    return bool(number == job.params["upto"])


@pytest.fixture(autouse=True)
def counting() -> Iterator[None]:
    jobs.runs(KIND, label="Count")(count)
    yield
    del jobs._slices[KIND]


def started(upto: int = 3, *, key: str | None = None, **params: int) -> Job:
    asked = {"upto": upto, **params}
    return jobs.start(
        KIND, params=asked, requested_by="staff:1", total=upto, key=key, now=make.NOON
    )


def messages(job: Job) -> int:
    return OutboxMessage.objects.filter(topic="test", key__startswith=str(job.pk)).count()


class TestJob:
    def test_goes_slice_by_slice_to_its_end(self) -> None:
        job = started(3)

        percents = []
        while jobs.advance(now=make.NOON):
            job.refresh_from_db()
            percents.append((job.state, job.percent))

        assert percents == [("running", 33), ("running", 66), ("done", 100)]
        assert (job.result, job.finished_at, messages(job)) == ({"last": 3}, make.NOON, 3)

    def test_started_twice_with_a_key_is_one(self) -> None:
        assert started(key="monthly/2026-06") == started(key="monthly/2026-06")
        assert Job.objects.count() == 1

    def test_takes_turns_with_others(self) -> None:
        first, second = started(9), started(9)

        for seconds in range(1, 5):  # at one moment nobody has waited longer
            jobs.advance(now=make.NOON + timedelta(seconds=seconds))

        assert (messages(first), messages(second)) == (2, 2)

    def test_stops_when_it_is_told_to(self) -> None:
        job = started(3)
        jobs.advance(now=make.NOON)

        jobs.cancel(job, now=make.NOON)

        assert not jobs.advance(now=make.NOON)
        assert messages(job) == 1
        with pytest.raises(JobFinished):
            jobs.cancel(job, now=make.NOON)

    def test_run_does_all_of_it_here_and_now(self) -> None:
        job = started(3)

        assert jobs.run(job.pk, now=make.NOON).state == "done"
        assert messages(job) == 3


class TestFailure:
    def test_undoes_its_slice_and_is_tried_again_later(self) -> None:
        job = started(3, breaks_at=2)
        jobs.advance(now=make.NOON)
        jobs.advance(now=make.NOON)

        job.refresh_from_db()
        assert (job.state, job.done, job.cursor) == ("running", 1, {"number": 1})
        assert (job.attempts, job.last_error) == (1, "ZeroDivisionError()")
        assert (messages(job), jobs.advance(now=make.NOON)) == (1, False)

        Job.objects.update(params={"upto": 3})
        while jobs.advance(now=make.NOON + BACKOFF[0]):
            pass
        job.refresh_from_db()
        assert (job.state, job.attempts, job.last_error, messages(job)) == ("done", 0, "", 3)

    def test_again_and_again_ends_it(self) -> None:
        job = started(3, breaks_at=1)

        later = make.NOON
        for wait in [timedelta(0), *BACKOFF]:
            later += wait
            jobs.advance(now=later)

        job.refresh_from_db()
        assert (job.state, messages(job), jobs.advance(now=later)) == ("failed", 0, False)

    def test_by_a_rule_ends_it_at_once_with_the_code(self) -> None:
        job = started(3, refused_at=2)
        while jobs.advance(now=make.NOON):
            pass

        job.refresh_from_db()
        assert (job.state, job.done, messages(job)) == ("failed", 1, 1)
        assert job.last_error == "out-of-tea: There is no tea left."

    def test_keeps_nobody_else_from_going_on(self) -> None:
        started(3, breaks_at=1)
        job = started(2)

        while jobs.advance(now=make.NOON):
            pass

        job.refresh_from_db()
        assert job.state == "done"


class TestApi:
    def test_shows_a_job_to_who_asked_and_to_head_office(self) -> None:
        person = make.staff_member("SH001")
        asker = make.session_of(person)
        colleague, office = make.staff("SH001"), make.staff(group="Head office")
        job = jobs.start(
            KIND, params={"upto": 2}, requested_by=f"staff:{person.pk}", total=2, now=make.NOON
        )
        jobs.advance(now=make.NOON)

        shown = asker.get(f"/jobs/{job.pk}").json()

        assert (shown["state"], shown["done"], shown["percent"]) == ("running", 1, 50)
        assert office.get(f"/jobs/{job.pk}").status_code == 200
        assert colleague.get(f"/jobs/{job.pk}").status_code == 404

    def test_stops_a_job_once(self) -> None:
        office = make.staff(group="Head office")
        job = started(3)

        first = office.post(f"/jobs/{job.pk}/cancellation", None)
        second = office.post(f"/jobs/{job.pk}/cancellation", None)

        assert (first.status_code, first.json()["state"]) == (200, "cancelled")
        assert (second.status_code, second.json()["code"]) == (409, "job-finished")
