"""A member's history for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from shop import members
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictCharField, StrictSerializer
from shop.storefront import timelines


class TimelineQuery(StrictSerializer):
    """Which part."""

    cursor = StrictCharField(max_length=200, required=False, help_text="From `next`.")
    page_size = serializers.IntegerField(min_value=1, max_value=timelines.MOST, default=20)


class EventOut(serializers.Serializer[Any]):
    """One thing that happened."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=sorted(timelines.TEXTS))
    details = serializers.DictField(help_text="What, by the kind.")


class TimelineOut(serializers.Serializer[Any]):
    """A page of events, newest first."""

    next = serializers.CharField(allow_null=True)
    results = EventOut(many=True)


class MemberTimelineView(APIView):
    """Everything between a member and the shop."""

    permission_classes = [callers(Kind.STAFF, scope="members:read")]

    @extend_schema(
        operation_id="members_timeline",
        tags=["members"],
        summary="Show a member's history, newest first",
        description=(
            "Joining, touches before it, orders, refunds, points, coupons, rewards, friends, tiers,"
            " messages, changes of the membership; merged memberships are one history. Orders only"
            " of stores that the caller sees."
        ),
        parameters=[TimelineQuery],
        responses={200: TimelineOut},
        examples=[
            OpenApiExample(
                "An order",
                value={
                    "next": None,
                    "results": [
                        {
                            "at": "2026-06-18T12:00:00+08:00",
                            "kind": "order",
                            "details": {"order": "260618ABC", "total_cents": 1200},
                        }
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """Show a member's history."""
        query = TimelineQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        principal = principal_of(request)
        found = timelines.page(
            members.find_visible(member_id, principal).pk,
            size=query.validated_data["page_size"],
            after=query.validated_data.get("cursor", ""),
            store_ids=principal.store_ids,
        )
        here = request.build_absolute_uri()
        following = found.next_cursor and replace_query_param(here, "cursor", found.next_cursor)
        return Response(TimelineOut({"next": following, "results": found.events}).data)
