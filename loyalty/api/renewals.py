"""Longer life for a member's points, by staff and with a reason."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import adjustments, queries, renewals
from loyalty.adjustments import Renewal
from loyalty.api import serializers
from loyalty.models import PointsAccount, PointsAdjustment
from shop import members
from shop.kernel.idempotency import idempotent, request_digest
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.models import Member, Staff

STAFF = [callers(Kind.STAFF, scope="points:adjust")]


class PointsExtensionView(APIView):
    """Points that would expire soon, and shall not yet."""

    permission_classes = STAFF

    @extend_schema(
        operation_id="members_extend_points",
        tags=["points"],
        summary="Let a member's points live longer",
        description=(
            "Moves what expires up to the end of `expiring_by` into a new lot that lives through"
            " `last_day`, days of the member's store. 202 with the request when it is more"
            " than this person may adjust alone: it waits for a second person. 409"
            " `nothing-to-extend`, `own-points`. 400 `expiry-not-later`."
        ),
        request=serializers.ExtensionRequest,
        responses={200: serializers.ExpiringOut, 202: serializers.AdjustmentOut},
        examples=[
            OpenApiExample(
                "Another quarter",
                value={
                    "expiring_by": "2026-12-31",
                    "last_day": "2027-03-31",
                    "reason": "come back",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Extend points."""
        body = serializers.ExtensionRequest(data=request.data)
        body.is_valid(raise_exception=True)
        member = members.find_visible(member_id, principal_of(request))
        zone = member.store.timezone
        renewal = Renewal(
            kind=PointsAdjustment.Kind.EXTEND,
            bound_at=renewals.end_of(body.validated_data["expiring_by"], timezone=zone),
            until=renewals.end_of(body.validated_data["last_day"], timezone=zone),
        )
        return _asked(request, member, renewal, reason=body.validated_data["reason"])


class PointsReinstatementView(APIView):
    """Points that have expired, and come back."""

    permission_classes = STAFF

    @extend_schema(
        operation_id="members_reinstate_points",
        tags=["points"],
        summary="Give a member expired points back",
        description=(
            "Gives back what has expired since the beginning of `expired_since`, each expiry at"
            " most once, to live through `last_day`. 202 with the request when it is more than"
            " this person may adjust alone: it waits for a second person. 409"
            " `nothing-to-reinstate`, `own-points`. 400 `expiry-not-later`."
        ),
        request=serializers.ReinstatementRequest,
        responses={200: serializers.ExpiringOut, 202: serializers.AdjustmentOut},
        examples=[
            OpenApiExample(
                "What was lost at New Year",
                value={
                    "expired_since": "2027-01-01",
                    "last_day": "2027-03-31",
                    "reason": "come back",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Reinstate points."""
        body = serializers.ReinstatementRequest(data=request.data)
        body.is_valid(raise_exception=True)
        member = members.find_visible(member_id, principal_of(request))
        zone = member.store.timezone
        renewal = Renewal(
            kind=PointsAdjustment.Kind.REINSTATE,
            bound_at=renewals.start_of(body.validated_data["expired_since"], timezone=zone),
            until=renewals.end_of(body.validated_data["last_day"], timezone=zone),
        )
        return _asked(request, member, renewal, reason=body.validated_data["reason"])


def _asked(request: Request, member: Member, renewal: Renewal, *, reason: str) -> Response:
    asked = adjustments.request_renewal(
        member,
        renewal,
        reason=reason,
        by=Staff.objects.get(pk=principal_of(request).id),
        source=f"{renewal.kind}:{request_digest(request)[:40]}",
        now=timezone.now(),
    )
    if asked.state == PointsAdjustment.State.PENDING:
        return Response(serializers.AdjustmentOut(asked).data, status=202)
    return Response(_by_expiry(member))


def _by_expiry(member: Member) -> Any:
    account = PointsAccount.objects.get(member=member, wallet=PointsAccount.Wallet.POINTS)
    answer = {"balance": account.balance, "lots": queries.points_by_expiry(member.pk)}
    return serializers.ExpiringOut(answer).data
