"""What deals with opinion leaders owe, month by month."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import statements
from campaigns.api import statement_serializers as serializers
from campaigns.api.deals import READ, WRITE, visible_deal
from campaigns.models import (
    DealStatement,
)
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.negotiation import AlsoAsFile
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import validated

APPROVE = callers(Kind.STAFF, scope="partners:approve")
JUNE = {"month": "2026-06"}


class KolDealStatementView(AlsoAsFile, APIView):
    """What a deal owes for a month."""

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

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
        found = visible_deal(principal, deal_id).statements.order_by("-month")
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
        deal = visible_deal(principal, deal_id)
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
            visible_deal(principal, deal_id).pk,
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
            visible_deal(principal, deal_id).pk,
            month=body["month"],
            reference=body["reference"],
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(serializers.DealStatementOut(statement).data)
