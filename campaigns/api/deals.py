"""Deals with opinion leaders: their terms, and how they go on."""

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

from campaigns import deals, queries
from campaigns.api import deal_serializers as serializers
from campaigns.api.channels import ensure_head_office
from campaigns.api.named import campaign_of, channel_of, many_of, partner_of
from campaigns.models import (
    ChannelLink,
    CouponDefinition,
    KolDeal,
)
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import validated

READ = callers(Kind.STAFF, Kind.PARTNER, scope="partners:read")
WRITE = callers(Kind.STAFF, scope="partners:write")


class DealFilter(FilterSet):
    """How the list of deals is narrowed."""

    partner = filters.CharFilter(field_name="partner__code")
    status = filters.ChoiceFilter(choices=KolDeal.Status.choices)
    channel = filters.CharFilter(field_name="channel__code")

    class Meta:
        model = KolDeal
        fields = ("partner", "status", "channel")


class KolDealsView(ListAPIView[KolDeal]):
    """What was agreed with opinion leaders."""

    serializer_class = serializers.DealOut
    filterset_class = DealFilter
    queryset = KolDeal.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[KolDeal]:
        return (
            queries.visible_deals(principal_of(self.request))
            .select_related("partner", "channel", "campaign")
            .prefetch_related("deal_links__link", "deal_coupons__definition")
        )

    @extend_schema(
        operation_id="kol_deals_list",
        tags=["partners"],
        summary="List deals, newest first",
        description="A partner's key sees the partner's own.",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List deals."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="kol_deals_create",
        tags=["partners"],
        summary="Draft a deal",
        description=(
            "Sales are the deal's that have the credit of one of its links, or used one of its"
            " coupons. 409 `deal-source-taken`: a link or coupon belongs to another deal."
        ),
        request=serializers.DealRequest,
        responses={201: serializers.DealOut},
        examples=[
            OpenApiExample(
                "A fee and eight percent",
                value={
                    "partner": "xiaolin",
                    "label": "Summer videos",
                    "channel": "kol",
                    "fee_cents": 50000,
                    "commission": 800,
                    "starts_on": "2026-06-01",
                    "last_on": "2026-08-31",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Draft a deal."""
        body = validated(serializers.DealRequest, request.data)
        ensure_head_office(principal_of(request))
        partner = partner_of(body.pop("partner"))
        terms = deals.Terms(
            **body
            | {
                "fee_cents": Cents(body["fee_cents"]),
                "channel": channel_of(body["channel"]),
                "campaign": campaign_of(body.get("campaign")),
                "links": many_of(ChannelLink, body["links"], pointer="/links"),
                "coupons": many_of(CouponDefinition, body["coupons"], pointer="/coupons"),
            }
        )
        return Response(serializers.DealOut(deals.create(partner, terms)).data, status=201)


class KolDealStatusView(APIView):
    """Moving a deal on."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="kol_deals_step",
        tags=["partners"],
        summary="Activate, end or cancel a deal",
        description=("Ended early, it counts no sales after today. 409 `deal-step-not-allowed`."),
        request=serializers.DealStepRequest,
        responses={200: serializers.DealOut},
        examples=[OpenApiExample("Signed", value={"status": "active"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, deal_id: int) -> Response:
        """Move a deal on."""
        body = validated(serializers.DealStepRequest, request.data)
        deal = visible_deal(principal_of(request), deal_id)
        moved = deals.step(deal.pk, to=body["status"], now=timezone.now())
        return Response(serializers.DealOut(moved).data)


def visible_deal(principal: Principal, deal_id: int) -> KolDeal:
    """Return a deal that the caller sees.

    Raises:
        NotFound
    """
    deal = queries.visible_deals(principal).filter(pk=deal_id).first()
    if deal is None:
        raise NotFound
    return deal
