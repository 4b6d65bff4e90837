"""Longer life for a member's points, by staff and with a reason."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import queries, renewals
from loyalty.api import serializers
from loyalty.models import PointsAccount
from shop import members
from shop.kernel.idempotency import idempotent, request_digest
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.models import Member

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
            " `last_day`, days of the member's store. 409 `nothing-to-extend`. 400"
            " `expiry-not-later`."
        ),
        request=serializers.ExtensionRequest,
        responses={200: serializers.ExpiringOut},
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
        renewals.extend(
            member.pk,
            expiring_by=_end_of(body.validated_data["expiring_by"], member),
            until=_end_of(body.validated_data["last_day"], member),
            source=f"extend:{request_digest(request)[:40]}",
            reason=body.validated_data["reason"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return Response(_by_expiry(member))


class PointsReinstatementView(APIView):
    """Points that have expired, and come back."""

    permission_classes = STAFF

    @extend_schema(
        operation_id="members_reinstate_points",
        tags=["points"],
        summary="Give a member expired points back",
        description=(
            "Gives back what has expired since the beginning of `expired_since`, each expiry at"
            " most once, to live through `last_day`. 409 `nothing-to-reinstate`. 400"
            " `expiry-not-later`."
        ),
        request=serializers.ReinstatementRequest,
        responses={200: serializers.ExpiringOut},
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
        renewals.reinstate(
            member.pk,
            expired_since=_start_of(body.validated_data["expired_since"], member),
            until=_end_of(body.validated_data["last_day"], member),
            reason=body.validated_data["reason"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return Response(_by_expiry(member))


def _start_of(day: date, member: Member) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(member.store.timezone))


def _end_of(day: date, member: Member) -> datetime:
    return _start_of(day + timedelta(days=1), member)


def _by_expiry(member: Member) -> Any:
    account = PointsAccount.objects.get(member=member, wallet=PointsAccount.Wallet.POINTS)
    answer = {"balance": account.balance, "lots": queries.points_by_expiry(member.pk)}
    return serializers.ExpiringOut(answer).data
