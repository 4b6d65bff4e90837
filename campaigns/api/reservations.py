"""Who waits for a campaign to start."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import queries, reservations
from campaigns.api.phase_serializers import ReservationOut
from campaigns.models import Campaign, Reservation
from shop.api.on_behalf import OnBehalfRequest, acting_member
from shop.kernel.errors import NotFound
from shop.kernel.pagination import OldestFirst
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of


class ReservationsView(ListAPIView[Reservation]):
    """The list of those who want to be served when it starts."""

    serializer_class = ReservationOut
    pagination_class = OldestFirst
    queryset = Reservation.objects.none()  # tells the schema the model
    filter_backends = ()

    def get_permissions(self) -> list[Any]:
        kinds = [Kind.TILL, Kind.MEMBER]
        if self.request.method != "POST":
            kinds.append(Kind.STAFF)
        return [callers(*kinds, scope="members:read")()]

    def get_queryset(self) -> QuerySet[Reservation]:
        campaign = _started(self.kwargs["code"])
        rows = queries.visible_reservations(principal_of(self.request)).filter(campaign=campaign)
        return rows.select_related("campaign", "member", "coupon")

    @extend_schema(
        operation_id="campaigns_reservations",
        tags=["campaigns"],
        summary="List who has reserved, in the order in which they did",
        description=(
            "A member sees their own place, a till or a manager those of their store's members."
        ),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List reservations."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="campaigns_reserve",
        tags=["campaigns"],
        summary="Reserve a campaign's coupon, and be told when it starts",
        description=(
            "While the campaign preheats; once per member, asking again changes nothing. A till"
            " names the member. At the start each who reserved gets the coupon of the preheat, if"
            " it has one. 409 `reservations-closed`, `reservations-full`, `member-not-active`."
        ),
        request=OnBehalfRequest,
        responses={201: ReservationOut},
        examples=[OpenApiExample("A member, for themselves", value={}, request_only=True)],
    )
    def post(self, request: Request, code: str) -> Response:
        """Put a member on the list."""
        member = acting_member(principal_of(request), OnBehalfRequest(data=request.data))
        reservation = reservations.reserve(_started(code), member_id=member.pk, now=timezone.now())
        return Response(ReservationOut(reservation).data, status=201)


def _started(code: str) -> Campaign:
    campaign = Campaign.objects.filter(code=code).exclude(status=Campaign.Status.DRAFT).first()
    if campaign is None:
        raise NotFound
    return campaign
