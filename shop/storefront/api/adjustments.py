"""Points adjusted by hand, and agreed to by a second person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import adjustments, tiers
from loyalty.api.serializers import AdjustmentOut
from loyalty.models import PointsAdjustment
from shop import members
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent, request_digest
from shop.kernel.money import Points
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of, scope
from shop.kernel.serializers import validated
from shop.models import Staff, Store
from shop.storefront import facts
from shop.storefront.api.member_serializers import AdjustmentRequest, MemberOut

State = PointsAdjustment.State


class AdjustmentsQuery(serializers.Serializer[Any]):
    """Which ones."""

    state = serializers.ChoiceField(choices=State.choices, default=State.PENDING)


class MemberAdjustmentsView(APIView):
    """Correcting a balance by hand."""

    permission_classes = [callers(Kind.STAFF, scope="points:adjust")]

    @extend_schema(
        operation_id="members_adjust_points",
        tags=["points"],
        summary="Adjust a member's points",
        description=(
            "202 with the request when it exceeds what this person may adjust alone: it waits for a"
            " second person. 409 `not-enough-points` when more would be taken than there are,"
            " `own-points` for one's own membership."
        ),
        request=AdjustmentRequest,
        responses={200: MemberOut, 202: AdjustmentOut},
        examples=[
            OpenApiExample(
                "Goodwill", value={"points": 50, "reason": "waited too long"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Adjust a member's points."""
        body = validated(AdjustmentRequest, request.data)
        principal, now = principal_of(request), timezone.now()
        member = members.find_visible(member_id, principal)
        members.ensure_active(member)
        asked = adjustments.request(
            member,
            amount=Points(body["points"]),
            reason=body["reason"],
            by=Staff.objects.get(pk=principal.id),
            source=f"adjust:{request_digest(request)[:40]}",
            now=now,
            expires_at=expiry_at(member.store, now=now),
        )
        if asked.state == State.PENDING:
            return Response(AdjustmentOut(asked).data, status=202)
        return Response(MemberOut(facts.load(member.pk, now=now)).data)


class AdjustmentsView(ListAPIView[PointsAdjustment]):
    """What waits for a second person, and what became of it."""

    permission_classes = [callers(Kind.STAFF, scope="points:approve")]
    serializer_class = AdjustmentOut
    filter_backends = ()
    queryset = PointsAdjustment.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[PointsAdjustment]:
        query = AdjustmentsQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return _visible(self.request).filter(state=query.validated_data["state"])

    @extend_schema(
        operation_id="points_adjustments_list",
        tags=["points"],
        summary="List points adjustments by state, newest first",
        parameters=[AdjustmentsQuery],
    )
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """List points adjustments."""
        return super().get(request, *args, **kwargs)


class AdjustmentApprovalView(APIView):
    """Agreeing to an adjustment."""

    permission_classes = [callers(Kind.STAFF, scope="points:approve")]

    @extend_schema(
        operation_id="points_adjustments_approve",
        tags=["points"],
        summary="Approve and post a points adjustment",
        description=(
            "409 `approver-is-requester`, `own-points`, `adjustment-decided`, `not-enough-points`."
        ),
        request=None,
        responses={200: AdjustmentOut},
    )
    @idempotent
    def post(self, request: Request, adjustment_id: int) -> Response:
        """Approve a points adjustment."""
        adjustment, by, now = _find(request, adjustment_id), _caller(request), timezone.now()
        expires_at = expiry_at(adjustment.account.member.store, now=now)
        adjustments.approve(adjustment, by=by, now=now, expires_at=expires_at)
        return Response(AdjustmentOut(adjustment).data)


class AdjustmentRejectionView(APIView):
    """Turning an adjustment down."""

    permission_classes = [callers(Kind.STAFF, scope="points:approve")]

    @extend_schema(
        operation_id="points_adjustments_reject",
        tags=["points"],
        summary="Reject a points adjustment",
        description="409 `approver-is-requester`, `adjustment-decided`.",
        request=None,
        responses={200: AdjustmentOut},
    )
    @idempotent
    def post(self, request: Request, adjustment_id: int) -> Response:
        """Reject a points adjustment."""
        adjustment = _find(request, adjustment_id)
        adjustments.reject(adjustment, by=_caller(request), now=timezone.now())
        return Response(AdjustmentOut(adjustment).data)


def expiry_at(store: Store, *, now: datetime) -> datetime | None:
    """Return until when points live that are given now to a member of this store."""
    return tiers.programme().lifetime.ends_at(now, timezone=store.timezone)


def _visible(request: Request) -> QuerySet[PointsAdjustment]:
    rows = PointsAdjustment.objects.select_related(
        "account__member__store", "requested_by", "decided_by"
    )
    return scope(rows, principal_of(request), store="account__member__store_id")


def _find(request: Request, adjustment_id: int) -> PointsAdjustment:
    found = _visible(request).filter(pk=adjustment_id).first()
    if found is None:
        raise NotFound
    return found


def _caller(request: Request) -> Staff:
    return Staff.objects.get(pk=principal_of(request).id)
