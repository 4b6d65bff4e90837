"""A member's way from the first cup to the first friend, for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import members
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.storefront import lifecycles
from shop.storefront.reports.lifecycle import STAGES


class TransitionOut(serializers.Serializer[Any]):
    """A stage reached for the first time."""

    at = serializers.DateTimeField()
    from_stage = serializers.ChoiceField(choices=STAGES, allow_null=True)
    to_stage = serializers.ChoiceField(choices=STAGES)
    because = serializers.CharField(help_text="`joined`, `order`, `tier:…` or `friend`.")


class MemberTransitionsView(APIView):
    """When a member reached which stage."""

    permission_classes = [callers(Kind.STAFF, scope="members:read")]

    @extend_schema(
        operation_id="members_lifecycle_transitions",
        tags=["members"],
        summary="List when a member reached which stage of the lifecycle, oldest first",
        description=(
            "newcomer → one_timer (first order) → returning (second) → regular (4 orders within 90"
            " days, or a tier above the lowest) → advocate (a friend who bought, or a spreader's"
            " tier). By what stands: an order that was refunded whole is no step. Each step leads"
            " further than all before; there are five at most."
        ),
        responses={200: TransitionOut(many=True)},
        examples=[
            OpenApiExample(
                "The first order",
                value=[
                    {
                        "at": "2026-06-18T12:00:00+08:00",
                        "from_stage": "newcomer",
                        "to_stage": "one_timer",
                        "because": "order",
                    }
                ],
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """List the steps."""
        member = members.find_visible(member_id, principal_of(request))
        return Response(TransitionOut(lifecycles.transitions(member.pk), many=True).data)
