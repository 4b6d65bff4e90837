"""Jobs: long work in slices, each with its progress in one transaction. Their only writer.

A kind of job is a function that does one slice: it reads `params` and `cursor`, does so much as a
short transaction bears, moves `cursor`, `done`, `total` and `result` on, and tells whether that was
the last. The job's row is locked meanwhile, so no two workers do the same slice, and a worker that
dies takes its slice with it: the next one goes on from the cursor that was committed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shop.kernel import rows
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.models import Job

Slice = Callable[[Job, datetime], bool]


State = Job.State
OPEN = [State.WAITING, State.RUNNING]
BACKOFF = [timedelta(seconds=s) for s in (5, 30, 120, 600)]
"""The wait after each failed slice; after the last the job has failed."""
PROGRESS = ["cursor", "result", "done", "total"]

log = structlog.get_logger()

_slices: dict[str, Slice] = {}
_labels: dict[str, str | Promise] = {}


class JobFinished(DomainError):
    """The job is over; only one that waits or runs can be cancelled."""

    code = "job-finished"
    title = _("The job is over already.")
    status = HTTPStatus.CONFLICT


def runs(kind: str, *, label: str | Promise) -> Callable[[Slice], Slice]:
    """Register the function that does one slice of this kind of job, and what people call it."""

    def register(do_slice: Slice) -> Slice:
        _slices[kind], _labels[kind] = do_slice, label
        return do_slice

    return register


def label_of(job: Job) -> str:
    """Return what people call a job of this kind."""
    return str(_labels.get(job.kind, job.kind))


def start(
    kind: str,
    *,
    params: dict[str, Any],
    requested_by: str,
    now: datetime,
    total: int | None = None,
    key: str | None = None,
) -> Job:
    """Queue a job in the caller's transaction; the same key gives the job that is there already."""
    job = Job(
        kind=kind,
        key=key,
        params=params,
        total=total,
        requested_by=requested_by,
        available_at=now,
        created_at=now,
    )
    if rows.insert(job, unless_exists="key"):
        return job
    return Job.objects.get(key=key)


def find(job_id: UUID, *, requested_by: str | None) -> Job:
    """Return a job of this caller; None stands for one who may see every job.

    Raises:
        NotFound
    """
    mine = Job.objects.filter(pk=job_id)
    if requested_by is not None:
        mine = mine.filter(requested_by=requested_by)
    job = mine.first()
    if job is None:
        raise NotFound
    return job


def advance(*, now: datetime) -> bool:
    """Do one slice of the job that has waited longest; False when nothing is due.

    Jobs take turns: one that has just had a slice stands behind those that have not.
    """
    with transaction.atomic():
        due = Job.objects.filter(state__in=OPEN, available_at__lte=now)
        job = due.select_for_update(skip_locked=True).order_by("available_at", "created_at").first()
        if job is not None:
            _do_slice(job, now)
    return job is not None


def run(job_id: UUID, *, now: datetime) -> Job:
    """Do a job to its end here and now; for commands and tests.

    Raises:
        Whatever a slice raises.
    """
    job = Job.objects.get(pk=job_id)
    while job.state in OPEN:
        with transaction.atomic():
            job = Job.objects.select_for_update().get(pk=job_id)
            if job.state in OPEN:
                _keep(job, is_last=_slices[job.kind](job, now), now=now)
    return job


@transaction.atomic
def cancel(job: Job, *, now: datetime) -> None:
    """Stop a job after the slice that is being done; what is done stays done.

    Raises:
        JobFinished
    """
    stopped = Job.objects.filter(pk=job.pk, state__in=OPEN).update(
        state=State.CANCELLED, finished_at=now
    )
    if stopped != 1:
        raise JobFinished(job=str(job.pk))


def _do_slice(job: Job, now: datetime) -> None:
    try:
        with transaction.atomic():
            is_last = _slices[job.kind](job, now)
    except DomainError as refusal:  # would be refused the next time too
        _fail(job, f"{refusal.code}: {refusal.title}", now=now)
    except Exception as error:  # noqa: BLE001 - one job that cannot go on must not stop the others
        if job.attempts < len(BACKOFF):
            _retry_later(job, repr(error), now=now)
        else:
            _fail(job, repr(error), now=now)
    else:
        _keep(job, is_last=is_last, now=now)


def _keep(job: Job, *, is_last: bool, now: datetime) -> None:
    job.state = State.DONE if is_last else State.RUNNING
    job.finished_at = now if is_last else None
    job.available_at = now
    job.attempts = 0
    job.last_error = ""
    job.save()


def _retry_later(job: Job, error: str, *, now: datetime) -> None:
    log.warning("slice failed", kind=job.kind, job=str(job.pk), attempts=job.attempts)
    job.refresh_from_db(fields=PROGRESS)  # the slice was undone, and its progress with it
    job.available_at = now + BACKOFF[job.attempts]
    job.attempts += 1
    job.last_error = error[:300]
    job.save()


def _fail(job: Job, error: str, *, now: datetime) -> None:
    log.error("job failed", kind=job.kind, job=str(job.pk))
    job.refresh_from_db(fields=PROGRESS)
    job.state = State.FAILED
    job.finished_at = now
    job.last_error = error[:300]
    job.save()
