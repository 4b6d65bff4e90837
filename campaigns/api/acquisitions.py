"""Where a member came from, as it was frozen when they joined."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Acquisition
from shop import members
from shop.kernel.errors import NotFound
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of


class TouchedLinkOut(serializers.Serializer[Any]):
    """A link that they met before they joined."""

    code = serializers.CharField()
    name = serializers.CharField(source="label")
    channel = serializers.CharField(source="channel.code")
    campaign = serializers.CharField(source="campaign.code", default=None, allow_null=True)


class AcquisitionOut(serializers.Serializer[Any]):
    """Where a member came from; nothing that happens later changes it."""

    acquired_at = serializers.DateTimeField()
    channel = serializers.CharField(
        source="channel.code", help_text="Which counts; `referral` if a friend brought them."
    )
    first_link = TouchedLinkOut(allow_null=True, help_text="Of the window before they joined.")
    last_link = TouchedLinkOut(
        allow_null=True, help_text="The last that was not organic; null beside a friend's code."
    )
    referrer = serializers.UUIDField(
        source="referrer.public_id", default=None, allow_null=True, help_text="The friend."
    )


class MemberAcquisitionView(APIView):
    """Where a member came from."""

    permission_classes = [callers(Kind.STAFF, scope="members:read")]

    @extend_schema(
        operation_id="members_acquisition",
        tags=["members"],
        summary="Show where a member came from",
        description=(
            "First and last touch, frozen when they joined; docs/attribution.md tells the rules."
            " 404 for members whom the caller may not see."
        ),
        responses={200: AcquisitionOut},
        examples=[
            OpenApiExample(
                "By a flyer, after an ad",
                value={
                    "acquired_at": "2026-06-18T12:00:00+08:00",
                    "channel": "flyer",
                    "first_link": {
                        "code": "DOUYIN1",
                        "name": "Douyin, nearby",
                        "channel": "douyin",
                        "campaign": "opening",
                    },
                    "last_link": {
                        "code": "METRO01",
                        "name": "Metro exit 3",
                        "channel": "flyer",
                        "campaign": None,
                    },
                    "referrer": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """Show where a member came from."""
        member = members.find_visible(member_id, principal_of(request))
        rows = Acquisition.objects.select_related(
            *("channel", "referrer"),
            *(f"{end}_link__channel" for end in ("first", "last")),
            *(f"{end}_link__campaign" for end in ("first", "last")),
        )
        acquisition = rows.filter(member=member).first()
        if acquisition is None:
            raise NotFound
        return Response(AcquisitionOut(acquisition).data)
