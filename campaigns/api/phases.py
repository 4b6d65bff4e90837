"""Phases of a campaign, what they cost and bring, and who waits for its start."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import hours, phases, queries, reservations
from campaigns.models import Campaign, CampaignPhase
from shop.api.on_behalf import OnBehalfRequest, acting_member
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictSerializer

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")


class PhaseCostOut(serializers.ModelSerializer[CampaignPhase]):
    """A phase with its plan and what it has cost; `left_cents` is null without a budget."""

    cost_cents = serializers.IntegerField()
    left_cents = serializers.SerializerMethodField()
    coupon_definitions: Any = serializers.SlugRelatedField(
        many=True, read_only=True, slug_field="code"
    )
    promotions: Any = serializers.SlugRelatedField(many=True, read_only=True, slug_field="code")

    class Meta:
        model = CampaignPhase
        fields = (
            "id",
            "kind",
            "status",
            "starts_at",
            "ends_at",
            "budget_cents",
            "cost_cents",
            "left_cents",
            "coupon_definitions",
            "promotions",
        )

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_left_cents(self, phase: Any) -> int | None:
        """Return what is left of the budget; below zero when the links cost more."""
        return None if phase.budget_cents is None else phase.budget_cents - phase.cost_cents


class HourOut(serializers.Serializer[hours.Hour]):
    """What one hour brought."""

    starts_at = serializers.DateTimeField()
    touches = serializers.IntegerField()
    joined = serializers.IntegerField()
    orders = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Net of refunds given in that hour.")
    coupons_issued = serializers.IntegerField()
    coupons_redeemed = serializers.IntegerField()


class HoursQuery(StrictSerializer):
    """Of which phase."""

    phase = serializers.IntegerField(min_value=1, max_value=2**62, required=False)


class ReservationOut(serializers.Serializer[Any]):
    """A place on the list."""

    campaign = serializers.CharField(source="campaign.code")
    reserved_at = serializers.DateTimeField()


class CampaignPhasesView(APIView):
    """Plan and fact of each phase."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="campaigns_phases",
        tags=["campaigns"],
        summary="List a campaign's phases with budget and cost",
        responses={200: PhaseCostOut(many=True)},
    )
    def get(self, request: Request, code: str) -> Response:
        """List a campaign's phases, the earliest first."""
        rows = CampaignPhase.objects.filter(campaign=_campaign(request, code))
        rows = rows.prefetch_related("coupon_definitions", "promotions")
        found = phases.with_cost(rows).order_by("starts_at", "pk")
        return Response(PhaseCostOut(found, many=True).data)


class CampaignHoursView(APIView):
    """Hour by hour."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="campaigns_hourly",
        tags=["campaigns"],
        summary="Show what a campaign brings, hour by hour",
        description=(
            "Hours count from the start of the phase, or of the campaign, up to now; of a longer"
            " stretch the last seven days. Touches, joins and orders are those of its links."
        ),
        parameters=[OpenApiParameter("phase", int, description="Id of one of its phases.")],
        responses={200: HourOut(many=True)},
    )
    def get(self, request: Request, code: str) -> Response:
        """Show what a campaign brings, hour by hour."""
        query = HoursQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        campaign, phase = _campaign(request, code), None
        if "phase" in query.validated_data:
            phase = campaign.phases.filter(pk=query.validated_data["phase"]).first()
            if phase is None:
                raise InvalidInput("/phase", _("The campaign has no such phase."), reason="phase")
        found = hours.build(campaign, phase, now=timezone.now())
        return Response([HourOut(hour).data for hour in found])


class ReservationsView(APIView):
    """The list of those who want to be told when it starts."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="members:read")]

    @extend_schema(
        operation_id="campaigns_reserve",
        tags=["campaigns"],
        summary="Ask to be told when a campaign starts",
        description=(
            "While the campaign preheats; once per member, asking again changes nothing. A till"
            " names the member. 409 `reservations-closed`, `member-not-active`."
        ),
        request=OnBehalfRequest,
        responses={201: ReservationOut},
    )
    def post(self, request: Request, code: str) -> Response:
        """Put a member on the list."""
        member = acting_member(principal_of(request), OnBehalfRequest(data=request.data))
        campaign = Campaign.objects.filter(code=code).exclude(status=Campaign.Status.DRAFT).first()
        if campaign is None:
            raise NotFound
        reservation = reservations.reserve(campaign, member_id=member.pk, now=timezone.now())
        return Response(ReservationOut(reservation).data, status=201)


def _campaign(request: Request, code: str) -> Campaign:
    campaign = queries.visible_campaigns(principal_of(request)).filter(code=code).first()
    if campaign is None:
        raise NotFound
    return campaign
