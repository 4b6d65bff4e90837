"""Stores and their menus: open to everybody, but for what is sold out."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import menu, stores
from shop.api import serializers
from shop.kernel.errors import PermissionDenied
from shop.kernel.pagination import ByCode
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.models import Store, StoreHours


class StoreFilter(FilterSet):
    """How the list of stores is narrowed."""

    city = filters.CharFilter()

    class Meta:
        model = Store
        fields = ("city",)


class StoresView(ListAPIView[Store]):
    """Where to find us."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    serializer_class = serializers.StoreOut
    filterset_class = StoreFilter
    pagination_class = ByCode

    def get_queryset(self) -> QuerySet[Store]:
        hours = Prefetch("hours", queryset=StoreHours.objects.order_by("weekday"))
        return Store.objects.filter(is_active=True).prefetch_related(hours)

    @extend_schema(operation_id="stores_list", tags=["stores"], summary="List our stores", auth=[])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the stores that are in business."""
        return super().get(request, *args, **kwargs)


class MenuView(APIView):
    """What one store sells."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="stores_menu",
        tags=["stores"],
        summary="Show a store's menu with its prices",
        description=(
            "Products refer to options by code; names and price differences stand once, in"
            " `option_groups`. What is sold out or out of season is listed and marked."
        ),
        responses={200: serializers.MenuOut},
        auth=[],
    )
    def get(self, request: Request, code: str) -> Response:
        """Show a store's menu."""
        shown = menu.of_store(stores.find(code), now=timezone.now())
        return Response(serializers.MenuOut(shown).data)


class AvailabilityView(APIView):
    """What a store has run out of."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="menu:write")]

    @extend_schema(
        operation_id="stores_set_availability",
        tags=["stores"],
        summary="Mark a product sold out at a store, or back",
        description="Takes effect with the next quote. 403 for another store's till or manager.",
        request=serializers.AvailabilityRequest,
        responses={200: serializers.Availability},
        examples=[OpenApiExample("Sold out", value={"is_sold_out": True}, request_only=True)],
    )
    def post(self, request: Request, code: str, product: str) -> Response:
        """Mark a product sold out, or back."""
        body = serializers.AvailabilityRequest(data=request.data)
        body.is_valid(raise_exception=True)
        store = stores.find(code)
        if not principal_of(request).sees_store(store.pk):
            raise PermissionDenied
        row = menu.set_sold_out(store, product, is_sold_out=body.validated_data["is_sold_out"])
        return Response(serializers.Availability(row).data)
