"""Switching campaigns on and off, and what was done to them."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import campaigns
from campaigns.api import phase_serializers as shapes
from campaigns.api.phases import READ, WRITE, found_campaign, writable_campaign
from campaigns.api.serializers import CampaignDetail
from campaigns.models import CampaignChange, Cause
from shop.kernel.principals import principal_of


class CampaignMovesView(APIView):
    """Switch a campaign on, pause it, end it."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="campaigns_move",
        tags=["campaigns"],
        summary="Switch a campaign on, pause it, or end it for good",
        description=(
            "Its phases follow at once: due ones start, running ones pause or end; what people"
            " have paused stays paused. 409 `campaign-not-movable`."
        ),
        request=shapes.CampaignMoveRequest,
        responses={200: CampaignDetail},
        examples=[
            OpenApiExample(
                "Go", value={"to": "active", "reason": "Agreed on Monday"}, request_only=True
            )
        ],
    )
    def post(self, request: Request, code: str) -> Response:
        """Move a campaign."""
        body = shapes.CampaignMoveRequest(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = writable_campaign(request, code)
        campaigns.move(
            campaign,
            **body.validated_data,
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return Response(CampaignDetail(campaign).data)


class ChangeFilter(FilterSet):
    """How the history is narrowed."""

    phase = filters.NumberFilter(field_name="phase_id", min_value=1, max_value=2**62)
    cause = filters.ChoiceFilter(choices=Cause.choices)

    class Meta:
        model = CampaignChange
        fields = ("phase", "cause")


class CampaignChangesView(ListAPIView[CampaignChange]):
    """Who moved what, when and why."""

    permission_classes = [READ]
    serializer_class = shapes.CampaignChangeOut
    filterset_class = ChangeFilter
    queryset = CampaignChange.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[CampaignChange]:
        campaign = found_campaign(self.request, self.kwargs["code"])
        return CampaignChange.objects.filter(campaign=campaign)

    @extend_schema(
        operation_id="campaigns_changes",
        tags=["campaigns"],
        summary="List what was done to a campaign and its phases, the latest first",
        description="`actor` is beat where the clock or a limit did it.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List changes."""
        return super().get(request, *args, **kwargs)
