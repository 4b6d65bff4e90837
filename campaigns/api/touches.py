"""Touches from mini-programs and ad platforms, in batches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import queries, touches
from campaigns.api import serializers
from campaigns.api.redirect import is_machine
from campaigns.models import Touch
from campaigns.touch_quality import TouchEvent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of

Refusals = dict[int, str]
"""Why an event of the batch was refused, by its place in it."""


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
            " Idempotency-Key is needed. `results` say of each event, in the order sent, what"
            " became of it: an event that cannot be used keeps out no other. `code` says why it was"
            " refused: unknown-link, in-the-future (more than"
            f" {touches.CLOCK_SKEW.seconds // 60} minutes), too-late (more than"
            f" {settings.TOUCH_LATE_AFTER.days} days old). What is taken but not counted in reports"
            " has another `quality` than `counted`: `bot`, by the `user_agent`, which is not kept;"
            " `repeated`, when the visitor met the link in the same way less than"
            f" {settings.TOUCH_REPEATED_WITHIN.seconds} seconds before. A batch of another form is"
            " refused as a whole."
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
        data = body.validated_data["events"]
        events, refusals = _judge(principal_of(request), data, now=timezone.now())
        taken = touches.ingest(events) if events else {}
        return Response(serializers.TouchesTaken(_report(data, refusals, taken)).data)


def _judge(
    principal: Principal, data: Sequence[dict[str, Any]], *, now: datetime
) -> tuple[list[TouchEvent], Refusals]:
    named = {event["link"] for event in data}
    visible = queries.visible_links(principal).filter(code__in=named)
    link_ids = dict(visible.values_list("code", "pk"))
    events, refusals = [], {}
    for place, event in enumerate(data):
        reason = touches.refusal(event["occurred_at"], now=now)
        if event["link"] not in link_ids:
            reason = "unknown-link"
        if reason:
            refusals[place] = reason
        else:
            events.append(_event(event, link_ids[event["link"]]))
    return events, refusals


def _event(data: dict[str, Any], link_id: int) -> TouchEvent:
    agent = data.get("user_agent")
    return TouchEvent(
        event_id=data["event_id"],
        kind=data["kind"],
        link_id=link_id,
        visitor_id=data["visitor"],
        occurred_at=data["occurred_at"],
        is_bot=agent is not None and is_machine(agent),
    )


def _report(
    data: Sequence[dict[str, Any]], refusals: Refusals, taken: dict[UUID, Touch.Quality]
) -> dict[str, Any]:
    left = dict(taken)  # of an event that the batch has twice, the first is new
    results = []
    for place, event in enumerate(data):
        result = {"event_id": event["event_id"], "outcome": "duplicate"}
        if place in refusals:
            result |= {"outcome": "refused", "code": refusals[place]}
        elif event["event_id"] in left:
            result |= {"outcome": "accepted", "quality": left.pop(event["event_id"])}
        results.append(result)
    return {
        "accepted": len(taken),
        "duplicates": len(data) - len(taken) - len(refusals),
        "refused": len(refusals),
        "results": results,
    }
