"""What became of memberships that were merged: the statement of whoever stays."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import members
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.models import Member
from shop.storefront import merging


class OwnMergeOut(serializers.Serializer[Any]):
    """A membership that became part of one's own, and the points that it brought."""

    source: Any = serializers.UUIDField(source="source.public_id")
    merged_at = serializers.DateTimeField()
    points = serializers.DictField(
        child=serializers.IntegerField(), help_text="By wallet; a debt is negative."
    )
    reference = serializers.CharField(
        help_text="What the sources of its entries in the ledger begin with."
    )


class MergeOut(OwnMergeOut):
    """The same, and who did it and why."""

    reason = serializers.CharField()
    actor = serializers.CharField()


class MeMergesView(APIView):
    """Where one's points came from."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_merges",
        tags=["me"],
        summary="List the memberships that became part of mine, the latest first",
        description="Their own entries: `GET /me/points/entries?former=…`.",
        responses={200: OwnMergeOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List my merges."""
        found = merging.merges_into(Member.objects.get(pk=principal_of(request).id))
        return Response(OwnMergeOut(found, many=True).data)


class MemberMergesView(APIView):
    """Where a member's points came from."""

    permission_classes = [callers(Kind.STAFF, scope="members:read")]

    @extend_schema(
        operation_id="members_merges",
        tags=["members"],
        summary="List the memberships that were merged into this one, the latest first",
        description="Their own entries: `GET /members/{id}/points/entries?former=…`.",
        responses={200: MergeOut(many=True)},
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """List a member's merges."""
        member = members.find_visible(member_id, principal_of(request))
        return Response(MergeOut(merging.merges_into(member), many=True).data)
