"""Placements: where in a channel links stand."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import placements
from campaigns.api import serializers
from campaigns.api.channels import READ, WRITE, ensure_head_office
from campaigns.models import Channel, Placement
from shop.kernel.errors import InvalidInput
from shop.kernel.pagination import OldestFirst
from shop.kernel.principals import principal_of


class PlacementFilter(FilterSet):
    """How the list of placements is narrowed."""

    channel = filters.CharFilter(field_name="channel__code")

    class Meta:
        model = Placement
        fields = ("channel",)


class PlacementsView(ListAPIView[Placement]):
    """The places within channels, the same for all stores."""

    serializer_class = serializers.PlacementOut
    filterset_class = PlacementFilter
    pagination_class = OldestFirst
    queryset = Placement.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[Placement]:
        return Placement.objects.select_related("channel")

    @extend_schema(
        operation_id="placements_list", tags=["channels"], summary="List placements, oldest first"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List placements."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="placements_create",
        tags=["channels"],
        summary="Create a placement",
        description="Head office only. 409 `code-taken` if the channel has one of that code.",
        request=serializers.PlacementRequest,
        responses={201: serializers.PlacementOut},
        examples=[
            OpenApiExample(
                "The exit of a metro station",
                value={
                    "channel": "flyer",
                    "code": "metro-exit-3",
                    "name_zh": "地铁三号口",
                    "name_en": "Metro exit 3",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a placement."""
        body = serializers.PlacementRequest(data=request.data)
        body.is_valid(raise_exception=True)
        ensure_head_office(principal_of(request))
        data = dict(body.validated_data)
        channel = Channel.objects.filter(code=data.pop("channel")).first()
        if channel is None:
            raise InvalidInput("/channel", _("There is no such channel."), reason="unknown-channel")
        placement = placements.create(channel, **data)
        return Response(serializers.PlacementOut(placement).data, status=201)
