"""Replays over HTTP: a promotion over the sales of the last days, as a job and as its result."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.api.jobs import JobOut
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictIntegerField, StrictSerializer, validated
from shop.storefront import replays
from shop.storefront.api.reports import CSV, JSON, ReportView, as_csv, is_csv


class ReplayRequest(StrictSerializer):
    """How far back."""

    days = StrictIntegerField(
        min_value=1,
        max_value=replays.MOST_DAYS,
        default=28,
        help_text="Business days, today's included.",
    )


class SumsOut(serializers.Serializer[Any]):
    """What the orders were, and what the promotion would have made of them."""

    orders = serializers.IntegerField(help_text="Paid and not refunded whole.")
    unclear = serializers.IntegerField(
        help_text="Of these, not priced again: an offer on them has changed. Counted nowhere else."
    )
    qualified = serializers.IntegerField(help_text="Orders that it would have applied to.")
    discount_cents = serializers.IntegerField(help_text="What it would have taken off.")
    displaced_cents = serializers.IntegerField(
        help_text="What other offers would not have taken off because of it."
    )
    revenue_cents = serializers.IntegerField(help_text="What was paid.")
    margin_cents = serializers.IntegerField(help_text="That, less what the goods cost.")
    margin_change_cents = serializers.IntegerField(
        help_text="displaced − discount − cost of gifts; negative: so much less is left."
    )


class SumsOfDayOut(SumsOut):
    """The same for one store and business day."""

    store = serializers.CharField()
    day = serializers.DateField()


class ReplayOut(serializers.Serializer[Any]):
    """A replay; rows grow until `state` is done."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    percent = serializers.IntegerField(allow_null=True, help_text="0 to 100.")
    promotion = serializers.CharField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    rule_hash = serializers.CharField(help_text="The same rule has the same.")
    assumes = serializers.CharField(help_text="Always `no-change-of-behaviour`.")
    totals = SumsOut()
    refusals = serializers.DictField(
        child=serializers.IntegerField(), help_text="Why it did not apply, with how often."
    )
    displaced = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Offers that would not have applied beside it, with on how many orders.",
    )
    rows = SumsOfDayOut(many=True)


SUMS = {
    "orders": 2,
    "unclear": 0,
    "qualified": 1,
    "discount_cents": 240,
    "displaced_cents": 0,
    "revenue_cents": 3600,
    "margin_cents": 2400,
    "margin_change_cents": -240,
}


class ReplaysView(APIView):
    """What a promotion would have done."""

    permission_classes = [callers(Kind.STAFF, scope="campaigns:read")]

    @extend_schema(
        operation_id="promotion_replays_create",
        tags=["campaigns"],
        summary="Replay a promotion over the sales of the last days",
        description=(
            "In the background, by the evaluator of quotes; drafts too, and nothing is written but"
            " the job. Nobody is assumed to buy more or less. Of the sales of the caller's stores."
            " docs/promotions.md says what is counted. 409 `nothing-sold`."
        ),
        request=ReplayRequest,
        responses={202: JobOut},
        examples=[OpenApiExample("Four weeks", value={"days": 28}, request_only=True)],
    )
    def post(self, request: Request, code: str) -> Response:
        """Start a replay."""
        body, principal = validated(ReplayRequest, request.data), principal_of(request)
        job = replays.start(
            replays.promotion_of(code, store_ids=principal.store_ids),
            days=body["days"],
            store_ids=principal.store_ids,
            requested_by=principal.key,
            now=timezone.now(),
        )
        return Response(JobOut(job).data, status=202)


class ReplayView(ReportView):
    """What came of a replay."""

    permission_classes = [callers(Kind.STAFF, scope="campaigns:read")]

    @extend_schema(
        operation_id="promotion_replays_retrieve",
        tags=["campaigns"],
        summary="Show what a promotion would have done, per store and business day",
        description=(
            "While it runs, so far as it is. CSV has the rows. 404 for a replay that somebody else"
            " asked for, unless to head office."
        ),
        responses={JSON: ReplayOut, CSV: OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "10 % off on one of two orders",
                value={
                    "id": "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11",
                    "state": "done",
                    "percent": 100,
                    "promotion": "HAPPY_HOUR",
                    "first_day": "2026-06-18",
                    "last_day": "2026-06-18",
                    "rule_hash": "3f1c9a2e115b0a9d",
                    "assumes": "no-change-of-behaviour",
                    "totals": SUMS,
                    "refusals": {"min-spend-not-met": 1},
                    "displaced": {},
                    "rows": [SUMS | {"store": "SH001", "day": "2026-06-18"}],
                },
                response_only=True,
                media_type="application/json",
            )
        ],
    )
    def get(self, request: Request, code: str, job_id: UUID) -> Response:
        """Show a replay."""
        principal = principal_of(request)
        sees_all = principal.store_ids is None
        job = replays.find(
            job_id, promotion_code=code, requested_by=None if sees_all else principal.key
        )
        told = replays.told(job)
        if is_csv(request):
            return as_csv(told["rows"], f"replay-{code}")
        asked = {name: job.params[name] for name in ("promotion", "first_day", "last_day")}
        found = {"id": job.pk, "state": job.state, "percent": job.percent, **asked, **told}
        return Response(ReplayOut(found).data)
