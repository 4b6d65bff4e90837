"""A member's points: the ledger and what expires when."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import queries
from loyalty.api import serializers
from loyalty.models import PointsAccount, PointsEntry
from shop import members
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of

MEMBER_ONLY = callers(Kind.MEMBER, scope="")


class LedgerView(ListAPIView[PointsEntry]):
    """A member's points, entry by entry, newest first."""

    serializer_class = serializers.PointsEntryOut
    filter_backends = ()
    queryset = PointsEntry.objects.none()  # tells the schema the model

    def member_id(self) -> int:
        """Return whose ledger it is."""
        return principal_of(self.request).id

    def get_queryset(self) -> QuerySet[PointsEntry]:
        query = serializers.LedgerQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return queries.ledger(
            self.member_id(),
            wallet=query.validated_data["wallet"],
            former=query.validated_data.get("former"),
        )


class MePointsView(LedgerView):
    """One's own ledger."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_points_entries",
        tags=["me"],
        summary="List my points entries, newest first",
        parameters=[serializers.LedgerQuery],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List my points entries."""
        return super().get(request, *args, **kwargs)


class MemberPointsView(LedgerView):
    """The ledger of a member, for tills and staff."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="members:read")]

    def member_id(self) -> int:
        return members.find_visible(self.kwargs["member_id"], principal_of(self.request)).pk

    @extend_schema(
        operation_id="members_points_entries",
        tags=["members"],
        summary="List a member's points entries, newest first",
        parameters=[serializers.LedgerQuery],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List a member's points entries."""
        return super().get(request, *args, **kwargs)


class MeExpiringView(APIView):
    """What is about to be lost."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_points_expiring",
        tags=["me"],
        summary="Show my points by expiry, soonest first",
        responses={200: serializers.ExpiringOut},
    )
    def get(self, request: Request) -> Response:
        """Show my points by expiry."""
        member_id = principal_of(request).id
        account = PointsAccount.objects.get(member_id=member_id, wallet=PointsAccount.Wallet.POINTS)
        answer = {"balance": account.balance, "lots": queries.points_by_expiry(member_id)}
        return Response(serializers.ExpiringOut(answer).data)
