"""Deals with opinion leaders: terms, statements, visits."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import deals, kol_visits, queries, statements
from campaigns.api import partner_serializers as serializers
from campaigns.api.channels import ensure_head_office, writable_store
from campaigns.api.named import campaign_of, channel_of, many_of, partner_of
from campaigns.models import (
    ChannelLink,
    CouponDefinition,
    DealStatement,
    KolDeal,
    KolVisit,
)
from shop.kernel.errors import InvalidInput, NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.negotiation import FormatNegotiation
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.renderers import CSVRenderer, JSONRenderer
from shop.kernel.serializers import validated

READ = callers(Kind.STAFF, Kind.PARTNER, scope="partners:read")
WRITE = callers(Kind.STAFF, scope="partners:write")
APPROVE = callers(Kind.STAFF, scope="partners:approve")
JUNE = {"month": "2026-06"}


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
        deal = _deal(principal_of(request), deal_id)
        moved = deals.step(deal.pk, to=body["status"], now=timezone.now())
        return Response(serializers.DealOut(moved).data)


class KolDealStatementView(APIView):
    """What a deal owes for a month."""

    renderer_classes = [JSONRenderer, CSVRenderer]
    content_negotiation_class = FormatNegotiation

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer problems as JSON, whatever the statement would have been."""
        response = super().handle_exception(exc)
        self.request.accepted_renderer = JSONRenderer()
        self.request.accepted_media_type = JSONRenderer.media_type
        return response

    @extend_schema(
        operation_id="kol_deals_statement",
        tags=["partners"],
        summary="Show a statement of a deal with its orders",
        description=(
            "As JSON or CSV, whose last rows are fee, commission and total. A partner sees approved"
            " statements. 404 when there is none of that month; 406 for other formats."
        ),
        parameters=[serializers.StatementQuery],
        responses={
            (200, "application/json"): serializers.DealStatementOut,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, deal_id: int) -> Response:
        """Show a statement."""
        query = serializers.StatementQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        principal = principal_of(request)
        found = _deal(principal, deal_id).statements.order_by("-month")
        if principal.kind is Kind.PARTNER:
            found = found.exclude(state=DealStatement.State.DRAFT)
        if "month" in query.validated_data:
            found = found.filter(month=query.validated_data["month"])
        statement = found.first()
        if statement is None:
            raise NotFound
        shown = serializers.DealStatementOut(statement).data
        if request.accepted_renderer.format != "csv":
            return Response(shown)
        name = f"statement-{deal_id}-{shown['month']}.csv"
        return Response(
            [*shown["rows"], *_closing_rows(shown)],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @extend_schema(
        operation_id="kol_deals_draft_statement",
        tags=["partners"],
        summary="Draft the statement of a month, or bring its draft up to date",
        description=(
            "Months follow each other, each once the last is approved: 409"
            " `statement-out-of-order` names the month that is due. 409 `deal-not-settled`."
        ),
        request=serializers.StatementRequest,
        responses={(200, "application/json"): serializers.DealStatementOut},
        examples=[OpenApiExample("June", value=JUNE, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, deal_id: int) -> Response:
        """Draft a statement."""
        body = validated(serializers.StatementRequest, request.data)
        principal = principal_of(request)
        deal = _deal(principal, deal_id)
        statement = statements.draft(
            deal.pk, month=body["month"], actor=principal.key, now=timezone.now()
        )
        return Response(serializers.DealStatementOut(statement).data)


def _closing_rows(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what an accountant looks for at the end of the file."""
    return [
        {"kind": kind, "order": "", "store": "", "business_date": "", "net_cents": shown[name]}
        for kind, name in (
            ("fee", "fee_cents"),
            ("commission", "commission_cents"),
            ("total", "total_cents"),
        )
    ]


class KolDealApprovalView(APIView):
    """The second person's word."""

    permission_classes = [APPROVE]

    @extend_schema(
        operation_id="kol_deals_approve_statement",
        tags=["partners"],
        summary="Approve the statement of a month as somebody who has not drafted it",
        description=(
            "Freezes it. 409 `statement-changed` tells the total if it is another than expected;"
            " 409 `month-not-over`, `approver-is-drafter`, `statement-decided`."
        ),
        request=serializers.StatementApprovalRequest,
        responses={200: serializers.DealStatementOut},
        examples=[
            OpenApiExample("June", value=JUNE | {"expected_total_cents": 58320}, request_only=True)
        ],
    )
    @idempotent
    def post(self, request: Request, deal_id: int) -> Response:
        """Approve a statement."""
        body = validated(serializers.StatementApprovalRequest, request.data)
        principal = principal_of(request)
        statement = statements.approve(
            _deal(principal, deal_id).pk,
            month=body["month"],
            expected_total_cents=Cents(body["expected_total_cents"]),
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(serializers.DealStatementOut(statement).data)


class KolDealPaymentView(APIView):
    """That the partner has their money."""

    permission_classes = [APPROVE]

    @extend_schema(
        operation_id="kol_deals_pay_statement",
        tags=["partners"],
        summary="Note that an approved statement was paid",
        description="409 `statement-decided`: it is not approved, or was paid before.",
        request=serializers.StatementPaymentRequest,
        responses={200: serializers.DealStatementOut},
        examples=[
            OpenApiExample("June", value=JUNE | {"reference": "BANK-0707"}, request_only=True)
        ],
    )
    @idempotent
    def post(self, request: Request, deal_id: int) -> Response:
        """Note a payment."""
        body = validated(serializers.StatementPaymentRequest, request.data)
        principal = principal_of(request)
        statement = statements.note_payment(
            _deal(principal, deal_id).pk,
            month=body["month"],
            reference=body["reference"],
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(serializers.DealStatementOut(statement).data)


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


def _deal(principal: Principal, deal_id: int) -> KolDeal:
    deal = queries.visible_deals(principal).filter(pk=deal_id).first()
    if deal is None:
        raise NotFound
    return deal
