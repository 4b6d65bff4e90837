"""Co-brandings with partners."""

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import cobrands, queries
from campaigns.api import cobrand_serializers as serializers
from campaigns.api.channels import ensure_head_office
from campaigns.api.named import campaign_of, many_of, partner_of
from campaigns.models import (
    Cobrand,
    CouponDefinition,
    CouponRedemption,
)
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import validated

READ = callers(Kind.STAFF, Kind.PARTNER, scope="partners:read")
WRITE = callers(Kind.STAFF, scope="partners:write")


class CobrandFilter(FilterSet):
    """How the list of co-brandings is narrowed."""

    partner = filters.CharFilter(field_name="partner__code")

    class Meta:
        model = Cobrand
        fields = ("partner",)


class CobrandsView(ListAPIView[Cobrand]):
    """Campaigns that are a partner's too."""

    serializer_class = serializers.CobrandOut
    filterset_class = CobrandFilter
    queryset = Cobrand.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[Cobrand]:
        rows = queries.visible_cobrands(principal_of(self.request))
        return rows.select_related("campaign", "partner").prefetch_related("pools__definition")

    @extend_schema(
        operation_id="cobrands_list",
        tags=["partners"],
        summary="List co-brandings, newest first",
        description="A partner's key sees the partner's own.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List co-brandings."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="cobrands_create",
        tags=["partners"],
        summary="Make a campaign a partner's too",
        description="409 `cobrand-taken`: the campaign or a coupon has a partner already.",
        request=serializers.CobrandRequest,
        responses={201: serializers.CobrandOut},
        examples=[
            OpenApiExample(
                "A bakery that gets 30 % and bears half of the costs",
                value={
                    "campaign": "summer",
                    "partner": "bakery",
                    "revenue_share": 3000,
                    "cost_share": 5000,
                    "coupons": ["BAKERY5"],
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a campaign a partner's too."""
        body = validated(serializers.CobrandRequest, request.data)
        ensure_head_office(principal_of(request))
        campaign = campaign_of(body["campaign"])
        assert campaign is not None  # noqa: S101 - named, so found
        cobrand = cobrands.create(
            campaign,
            partner=partner_of(body["partner"]),
            revenue_share=body["revenue_share"],
            cost_share=body["cost_share"],
            coupons=many_of(CouponDefinition, body["coupons"], pointer="/coupons"),
        )
        return Response(serializers.CobrandOut(cobrand).data, status=201)


class CobrandView(APIView):
    """What a co-branding brought and cost."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="cobrands_report",
        tags=["partners"],
        summary="Show what a co-branding brought and cost, split as agreed",
        responses={200: serializers.CobrandReportOut},
    )
    def get(self, request: Request, code: str) -> Response:
        """Show a co-branding's report."""
        cobrand = _cobrand(principal_of(request), code)
        return Response(serializers.CobrandReportOut(_Report(cobrand)).data)


class _Report:
    """A report with the names of whose it is."""

    def __init__(self, cobrand: Cobrand) -> None:
        self.campaign, self.partner = cobrand.campaign.code, cobrand.partner.code
        self.report = cobrands.report(cobrand)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.report, name)


class CobrandRedemptionsView(ListAPIView[CouponRedemption]):
    """Uses of a partner's coupons."""

    permission_classes = [READ]
    serializer_class = serializers.PoolUseOut
    filter_backends = ()
    queryset = CouponRedemption.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[CouponRedemption]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        cobrand = _cobrand(principal_of(self.request), self.kwargs["code"])
        return queries.redemptions_of(cobrand)

    @extend_schema(
        operation_id="cobrands_redemptions",
        tags=["partners"],
        summary="List the uses of a partner's coupons, newest first",
        description="Where, when and for how much; nothing of who used them.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List uses of the partner's coupons."""
        return super().get(request, *args, **kwargs)


def _cobrand(principal: Principal, code: str) -> Cobrand:
    rows = queries.visible_cobrands(principal).select_related("campaign", "partner")
    cobrand = rows.filter(campaign__code=code).first()
    if cobrand is None:
        raise NotFound
    return cobrand
