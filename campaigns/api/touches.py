"""Touches from mini-programs and ad platforms, in batches."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import queries, touches
from campaigns.api import serializers
from campaigns.touches import TouchEvent
from shop.kernel.errors import InvalidInput
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead a client's clock may be."""


class TouchesView(APIView):
    """Where mini-programs and platforms report whom they met."""

    permission_classes = [callers(Kind.REPORT, Kind.STAFF, scope="touches:write")]

    @extend_schema(
        operation_id="touches_create",
        tags=["touches"],
        summary="Report touches in a batch",
        description=(
            f"Up to {serializers.MOST_TOUCHES} events in any order. An `event_id` counts once,"
            " however often it is sent, so a batch whose answer was lost is simply sent again; no"
            " Idempotency-Key is needed. One event that cannot be used refuses the batch and is"
            f" named in `errors`; `occurred_at` may be {CLOCK_SKEW.seconds // 60} minutes ahead."
        ),
        request=serializers.TouchesRequest,
        responses={200: serializers.TouchesTaken},
        examples=[
            OpenApiExample(
                "A scan",
                value={
                    "events": [
                        {
                            "event_id": "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11",
                            "kind": "scan",
                            "link": "SH001FLY",
                            "visitor": "v-2f6c1e",
                            "occurred_at": "2026-05-18T09:00:00+08:00",
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Take a batch of touches."""
        body = serializers.TouchesRequest(data=request.data)
        body.is_valid(raise_exception=True)
        events = _events(principal_of(request), body.validated_data["events"], now=timezone.now())
        accepted = touches.ingest(events)
        taken = {"accepted": accepted, "duplicates": len(events) - accepted}
        return Response(serializers.TouchesTaken(taken).data)


def _events(principal: Principal, data: list[dict[str, Any]], *, now: datetime) -> list[TouchEvent]:
    named = {event["link"] for event in data}
    visible = queries.visible_links(principal).filter(code__in=named)
    link_ids = dict(visible.values_list("code", "pk"))
    refusals = []
    for index, event in enumerate(data):
        if event["link"] not in link_ids:
            refusals.append((f"/events/{index}/link", _("There is no such link."), "unknown-link"))
        if event["occurred_at"] > now + CLOCK_SKEW:
            refusals.append(
                (f"/events/{index}/occurred_at", _("This has not happened yet."), "in-the-future")
            )
    if refusals:
        raise InvalidInput.of_many(refusals)
    return [
        TouchEvent(
            event_id=event["event_id"],
            kind=event["kind"],
            link_id=link_ids[event["link"]],
            visitor_id=event["visitor"],
            occurred_at=event["occurred_at"],
        )
        for event in data
    ]
