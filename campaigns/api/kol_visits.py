"""Visits of opinion leaders to stores."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns import kol_visits, queries
from campaigns.api import kol_visit_serializers as serializers
from campaigns.api.channels import ensure_head_office, writable_store
from campaigns.api.deals import WRITE
from campaigns.models import (
    KolVisit,
)
from shop.kernel.errors import InvalidInput
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import validated


class VisitFilter(FilterSet):
    """How the list of visits is narrowed."""

    visit_date = filters.DateFilter()
    store = filters.CharFilter(field_name="store__code")
    partner = filters.CharFilter(field_name="deal__partner__code")

    class Meta:
        model = KolVisit
        fields = ("visit_date", "store", "partner")


class KolVisitsView(ListAPIView[KolVisit]):
    """Visits of opinion leaders to stores."""

    serializer_class = serializers.VisitOut
    filterset_class = VisitFilter
    queryset = KolVisit.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        if self.request.method == "POST":
            return [WRITE()]
        return [callers(Kind.STAFF, Kind.TILL, scope="orders:read")()]

    def get_queryset(self) -> QuerySet[KolVisit]:
        rows = queries.visible_visits(principal_of(self.request))
        return rows.select_related("deal__partner", "store", "order")

    @extend_schema(
        operation_id="kol_visits_list",
        tags=["partners"],
        summary="List visits of opinion leaders to the caller's stores",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List visits."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="kol_visits_create",
        tags=["partners"],
        summary="Plan a visit of an opinion leader to a store",
        request=serializers.VisitRequest,
        responses={201: serializers.VisitOut},
        examples=[
            OpenApiExample(
                "Two cups at most",
                value={
                    "deal": 1,
                    "store": "SH001",
                    "visit_date": "2026-06-18",
                    "limit_cents": 5000,
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Plan a visit."""
        body = validated(serializers.VisitRequest, request.data)
        principal = principal_of(request)
        ensure_head_office(principal)
        store = writable_store(principal, body.pop("store"), pointer="/store")
        deal = queries.visible_deals(principal).filter(pk=body.pop("deal")).first()
        if deal is None:
            raise InvalidInput("/deal", _("There is no such deal."), reason="unknown-deal")
        visit = kol_visits.plan(deal, store=store, **body)
        return Response(serializers.VisitOut(visit).data, status=201)
