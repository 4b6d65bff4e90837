"""The ladder, and a member's moves on it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty.api import serializers
from loyalty.models import Tier, TierChange
from shop import members
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of


class TiersView(APIView):
    """The ladder."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="tiers_list",
        tags=["points"],
        summary="List the tiers, lowest first",
        responses={200: serializers.TierOut(many=True)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """List the tiers."""
        tiers = Tier.objects.order_by("level")
        return Response(serializers.TierOut(tiers, many=True).data)


class TierChangesView(ListAPIView[TierChange]):
    """A member's moves between tiers, newest first."""

    serializer_class = serializers.TierChangeOut
    filter_backends = ()
    queryset = TierChange.objects.none()  # tells the schema the model

    def member_id(self) -> int:
        """Return whose moves they are."""
        return principal_of(self.request).id

    def get_queryset(self) -> QuerySet[TierChange]:
        mine = TierChange.objects.filter(member_id=self.member_id())
        return mine.select_related("from_tier", "to_tier").order_by("-id")


class MeTierChangesView(TierChangesView):
    """One's own moves."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_tier_changes",
        tags=["me"],
        summary="List my moves between tiers, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List my moves."""
        return super().get(request, *args, **kwargs)


class MemberTierChangesView(TierChangesView):
    """The moves of a member, for tills and staff."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="members:read")]

    def member_id(self) -> int:
        return members.find_visible(self.kwargs["member_id"], principal_of(self.request)).pk

    @extend_schema(
        operation_id="members_tier_changes",
        tags=["members"],
        summary="List a member's moves between tiers, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List a member's moves."""
        return super().get(request, *args, **kwargs)
