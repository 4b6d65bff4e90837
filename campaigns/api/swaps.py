"""Resource swaps with partners, and what they delivered."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import queries, swaps
from campaigns.api import swap_serializers as serializers
from campaigns.api.channels import ensure_head_office
from campaigns.api.cobrands import READ, WRITE
from campaigns.api.named import campaign_of, channel_of, partner_of
from campaigns.models import (
    ResourceSwap,
    SwapDelivery,
)
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.principals import Principal, principal_of
from shop.kernel.serializers import validated


class SwapFilter(FilterSet):
    """How the list of swaps is narrowed."""

    partner = filters.CharFilter(field_name="partner__code")
    channel = filters.CharFilter(field_name="channel__code")

    class Meta:
        model = ResourceSwap
        fields = ("partner", "channel")


class ResourceSwapsView(ListAPIView[ResourceSwap]):
    """What was agreed without money."""

    serializer_class = serializers.SwapOut
    filterset_class = SwapFilter
    queryset = ResourceSwap.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[ResourceSwap]:
        rows = queries.visible_swaps(principal_of(self.request))
        return rows.select_related("partner", "channel", "campaign")

    @extend_schema(
        operation_id="resource_swaps_list",
        tags=["partners"],
        summary="List swaps with what of each has come, newest first",
        description="A partner's key sees the partner's own.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List swaps."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="resource_swaps_create",
        tags=["partners"],
        summary="Note a swap that was agreed",
        request=serializers.SwapRequest,
        responses={201: serializers.SwapOut},
        examples=[
            OpenApiExample(
                "Cups for screens",
                value={
                    "partner": "cinema",
                    "label": "Cups for screens",
                    "channel": "swap",
                    "we_give": "500 cups",
                    "they_give": "Screens in the lobby",
                    "unit": "screen days",
                    "agreed_quantity": 90,
                    "agreed_cents": 450000,
                    "agreed_on": "2026-06-01",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Note a swap."""
        body = validated(serializers.SwapRequest, request.data)
        ensure_head_office(principal_of(request))
        swap = swaps.agree(
            **body
            | {
                "partner": partner_of(body["partner"]),
                "channel": channel_of(body["channel"]),
                "campaign": campaign_of(body.get("campaign")),
            }
        )
        return Response(serializers.SwapOut(swap).data, status=201)


class SwapDeliveriesView(ListAPIView[SwapDelivery]):
    """What came of a swap."""

    serializer_class = serializers.DeliveryOut
    filter_backends = ()
    queryset = SwapDelivery.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[SwapDelivery]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        swap = _swap(principal_of(self.request), self.kwargs["swap_id"])
        return SwapDelivery.objects.filter(swap=swap)

    @extend_schema(
        operation_id="resource_swaps_deliveries",
        tags=["partners"],
        summary="List what came of a swap, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List deliveries."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="resource_swaps_deliver",
        tags=["partners"],
        summary="Count what came of a swap; its part of the value is a cost in kind",
        description=(
            "The same delivery note counts once. A negative quantity takes back. 409"
            " `delivery-too-large`, `delivery-reference-taken`."
        ),
        request=serializers.DeliveryRequest,
        responses={201: serializers.DeliveryOut},
        examples=[
            OpenApiExample(
                "A month of screens",
                value={"quantity": 30, "delivered_on": "2026-06-30", "reference": "LF-0630"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, swap_id: int) -> Response:
        """Count a delivery."""
        body = validated(serializers.DeliveryRequest, request.data)
        principal = principal_of(request)
        delivery = swaps.deliver(
            _swap(principal, swap_id).pk, **body, actor=principal.key, now=timezone.now()
        )
        return Response(serializers.DeliveryOut(delivery).data, status=201)


def _swap(principal: Principal, swap_id: int) -> ResourceSwap:
    swap = queries.visible_swaps(principal).filter(pk=swap_id).first()
    if swap is None:
        raise NotFound
    return swap
