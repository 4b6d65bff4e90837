"""Giving a member a tier until a date, and taking it back."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import pins
from shop import members
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictCharField, StrictDateTimeField, StrictSerializer
from shop.storefront import facts, tier_reviews
from shop.storefront.api import member_serializers as serializers


class TierPinRequest(StrictSerializer):
    """Which tier, until when, and why."""

    tier = StrictCharField(max_length=16, help_text="Code of the tier.")
    until = StrictDateTimeField()
    reason = StrictCharField(min_length=3, max_length=200)


class TierPinView(APIView):
    """The tier that staff give a member."""

    permission_classes = [callers(Kind.STAFF, scope="tiers:pin")]

    @extend_schema(
        operation_id="members_pin_tier",
        tags=["members"],
        summary="Give a member a tier until a date",
        description=(
            "Automatic moves wait until then; after it the member has the tier they have earned."
            " 409 `tier-pinned` while another pin stands."
        ),
        request=TierPinRequest,
        responses={200: serializers.MemberOut},
        examples=[
            OpenApiExample(
                "Partner",
                value={
                    "tier": "T3",
                    "until": "2027-03-31T00:00:00+08:00",
                    "reason": "Partner of the season",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Pin a tier."""
        body = TierPinRequest(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        member = members.find_visible(member_id, principal_of(request))
        data: dict[str, Any] = body.validated_data
        pins.pin(
            member.pk,
            tier_code=data["tier"],
            until=data["until"],
            reason=data["reason"],
            actor=principal_of(request).key,
            now=now,
        )
        found = facts.load(member.pk, now=now, with_place=True)
        return Response(serializers.MemberOut(found).data)


class TierPinRemovalView(APIView):
    """The end of a pin before its date."""

    permission_classes = [callers(Kind.STAFF, scope="tiers:pin")]

    @extend_schema(
        operation_id="members_unpin_tier",
        tags=["members"],
        summary="Let a member's tier follow what they earn again",
        description="409 `tier-not-pinned` when there is no pin.",
        request=None,
        responses={200: serializers.MemberOut},
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """End the pin."""
        now = timezone.now()
        member = members.find_visible(member_id, principal_of(request))
        tier_reviews.unpin(member.pk, now=now)
        found = facts.load(member.pk, now=now, with_place=True)
        return Response(serializers.MemberOut(found).data)
