"""Channels and campaigns, as the back office and analysts' tools see them."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import campaigns, channels, queries
from campaigns.api import serializers
from campaigns.models import Campaign, Channel
from shop.kernel.errors import InvalidInput, NotFound, PermissionDenied
from shop.kernel.pagination import ByCode
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.models import Store

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, scope="campaigns:write")


class ChannelsView(ListAPIView[Channel]):
    """The sources of traffic, the same for all stores."""

    serializer_class = serializers.ChannelOut
    pagination_class = ByCode
    queryset = Channel.objects.all()
    filter_backends = ()

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    @extend_schema(operation_id="channels_list", tags=["channels"], summary="List channels")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List channels."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="channels_create",
        tags=["channels"],
        summary="Create a channel",
        description="Head office only. 409 `code-taken`.",
        request=serializers.ChannelRequest,
        responses={201: serializers.ChannelOut},
        examples=[
            OpenApiExample(
                "Flyers of the metro station",
                value={
                    "code": "metro",
                    "kind": "flyer",
                    "name_zh": "地铁传单",
                    "name_en": "Metro flyers",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a channel."""
        body = serializers.ChannelRequest(data=request.data)
        body.is_valid(raise_exception=True)
        ensure_head_office(principal_of(request))
        channel = channels.create(**body.validated_data)
        return Response(serializers.ChannelOut(channel).data, status=201)


class CampaignFilter(FilterSet):
    """How the list of campaigns is narrowed."""

    status = filters.ChoiceFilter(choices=Campaign.Status.choices)

    class Meta:
        model = Campaign
        fields = ("status",)


class CampaignsView(ListAPIView[Campaign]):
    """Plans to bring people in."""

    serializer_class = serializers.CampaignOut
    filterset_class = CampaignFilter
    queryset = Campaign.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[Campaign]:
        return queries.visible_campaigns(principal_of(self.request)).prefetch_related("stores")

    @extend_schema(
        operation_id="campaigns_list",
        tags=["campaigns"],
        summary="List campaigns, newest first",
        description="Those of the caller's stores and of the whole chain.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List campaigns."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="campaigns_create",
        tags=["campaigns"],
        summary="Create a campaign with its phases",
        description=(
            "A campaign without stores runs in all of them and is head office's to make; others"
            " name only their own stores. 409 `code-taken`."
        ),
        request=serializers.CampaignRequest,
        responses={201: serializers.CampaignDetail},
        examples=[
            OpenApiExample(
                "An opening",
                value={
                    "code": "opening-sh001",
                    "name_zh": "人民广场店开业",
                    "name_en": "Opening at People's Square",
                    "starts_at": "2026-05-11T00:00:00+08:00",
                    "stores": ["SH001"],
                    "phases": [
                        {
                            "kind": "preheat",
                            "starts_at": "2026-05-11T00:00:00+08:00",
                            "ends_at": "2026-05-18T05:00:00+08:00",
                        }
                    ],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a campaign."""
        body = serializers.CampaignRequest(data=request.data)
        body.is_valid(raise_exception=True)
        codes = body.validated_data["stores"]
        principal = principal_of(request)
        if not codes:
            ensure_head_office(principal)
        stores = [
            writable_store(principal, code, pointer=f"/stores/{index}")
            for index, code in enumerate(codes)
        ]
        campaign = campaigns.create(body.to_draft(stores))
        return Response(serializers.CampaignDetail(campaign).data, status=201)


class CampaignView(APIView):
    """One campaign."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="campaigns_retrieve",
        tags=["campaigns"],
        summary="Show a campaign with its phases",
        responses={200: serializers.CampaignDetail},
    )
    def get(self, request: Request, code: str) -> Response:
        """Show a campaign with its phases."""
        campaign = queries.visible_campaigns(principal_of(request)).filter(code=code).first()
        if campaign is None:
            raise NotFound
        return Response(serializers.CampaignDetail(campaign).data)


def writable_store(principal: Principal, code: str, *, pointer: str) -> Store:
    """Return a store that the caller may do things for; that it exists is no secret."""
    store = Store.objects.filter(code=code, is_active=True).first()
    if store is None:
        raise InvalidInput(pointer, _("There is no such store."), reason="unknown-store")
    if not principal.sees_store(store.pk):
        raise PermissionDenied
    return store


def ensure_head_office(principal: Principal) -> None:
    """Check that the caller covers all stores, for what belongs to none.

    Raises:
        PermissionDenied
    """
    if principal.store_ids is not None:
        raise PermissionDenied(_("What is not one store's own is for head office to change."))
