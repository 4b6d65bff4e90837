"""Long work in the background: how far it is, and stopping it."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel import jobs
from shop.kernel.models import Job
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of


class JobOut(serializers.ModelSerializer[Job]):
    """A job; `total` and `percent` are null while nobody knows how much there is to do."""

    percent = serializers.IntegerField(allow_null=True, help_text="0 to 100.")
    result: Any = serializers.DictField(help_text="What the kind of job tells; grows as it goes.")

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "state",
            "done",
            "total",
            "percent",
            "result",
            "last_error",
            "created_at",
            "finished_at",
        )


EXAMPLE = OpenApiExample(
    "Half done",
    value={
        "id": "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11",
        "kind": "coupons.issue",
        "state": "running",
        "done": 5000,
        "total": 10000,
        "percent": 50,
        "result": {},
        "last_error": "",
        "created_at": "2026-06-18T12:00:00+08:00",
        "finished_at": None,
    },
    response_only=True,
)


class JobView(APIView):
    """One job of the caller; head office sees every job."""

    permission_classes = [callers(Kind.STAFF, Kind.REPORT)]

    @extend_schema(
        operation_id="jobs_retrieve",
        tags=["jobs"],
        summary="Show how far a job is",
        description="Ask again every few seconds until `state` is done, failed or cancelled.",
        responses={200: JobOut},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        """Show a job."""
        return Response(JobOut(_job(request, job_id)).data)


class JobCancellationView(APIView):
    """The end of a job before its end."""

    permission_classes = [callers(Kind.STAFF, Kind.REPORT)]

    @extend_schema(
        operation_id="jobs_cancel",
        tags=["jobs"],
        summary="Stop a job",
        description="What is done stays done. 409 `job-finished`: it is over already.",
        request=None,
        responses={200: JobOut},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        """Stop a job."""
        job = _job(request, job_id)
        jobs.cancel(job, now=timezone.now())
        job.refresh_from_db()
        return Response(JobOut(job).data)


def _job(request: Request, job_id: UUID) -> Job:
    principal = principal_of(request)
    return jobs.find(job_id, requested_by=None if _sees_all(principal) else principal.key)


def _sees_all(principal: Principal) -> bool:
    return principal.kind is Kind.STAFF and principal.store_ids is None
