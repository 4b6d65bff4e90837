"""What links cost per day: entered, imported, listed."""

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

from campaigns import costs, queries
from campaigns.api import serializers
from campaigns.models import DailyCost
from shop.kernel.errors import InvalidInput
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, Kind.REPORT, scope="costs:write")
CSV_EXAMPLE = "link,date,cost_cents,impressions\nSH001FLY,2026-05-18,12000,800\n"


class DailyCostFilter(FilterSet):
    """How the list of costs is narrowed; both days included."""

    link = filters.CharFilter(field_name="link__code")
    channel = filters.CharFilter(field_name="link__channel__code")
    campaign = filters.CharFilter(field_name="link__campaign__code")
    store = filters.CharFilter(field_name="link__store__code")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = DailyCost
        fields = ("link", "channel", "campaign", "store", "date_from", "date_to")


class DailyCostsView(ListAPIView[DailyCost]):
    """The costs of the links a caller sees."""

    serializer_class = serializers.DailyCostOut
    filterset_class = DailyCostFilter
    queryset = DailyCost.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[DailyCost]:
        return queries.visible_costs(principal_of(self.request)).select_related("link")

    @extend_schema(
        operation_id="daily_costs_list", tags=["costs"], summary="List costs, newest entry first"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List costs."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="daily_costs_upsert",
        tags=["costs"],
        summary="Enter costs, replacing those of the same link and day",
        description=(
            f"Up to {serializers.MOST_COSTS} rows, all or none. Costs of a link without a store are"
            " head office's to enter; a link that is not the caller's is answered like one that"
            " does not exist."
        ),
        request=serializers.DailyCostsRequest,
        responses={200: serializers.DailyCostsStored},
        examples=[
            OpenApiExample(
                "Flyers of one day",
                value={
                    "rows": [
                        {
                            "link": "SH001FLY",
                            "date": "2026-05-18",
                            "cost_cents": 12000,
                            "estimated_reach": 800,
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter costs."""
        body = serializers.DailyCostsRequest(data=request.data)
        body.is_valid(raise_exception=True)
        rows = body.to_rows()
        named = queries.writable_links(principal_of(request)).filter(
            code__in={row.link for row in rows}
        )
        links = {link.code: link for link in named}
        _ensure_usable(rows, set(links))
        created, updated = costs.upsert(rows, links=links)
        stored = {"created": created, "updated": updated}
        return Response(serializers.DailyCostsStored(stored).data)


class CostImportView(APIView):
    """Costs as a spreadsheet has them."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="daily_costs_import",
        tags=["costs"],
        summary="Import costs from CSV",
        description=(
            f"Columns {', '.join(costs.COLUMNS)}; the first three are required. Reports every line;"
            " with one refused line, or in a dry run, nothing is stored. At most"
            f" {costs.MOST_ROWS} lines."
        ),
        request=serializers.CostImportRequest,
        responses={200: serializers.CostImportReport},
        examples=[
            OpenApiExample(
                "Try it first", value={"csv": CSV_EXAMPLE, "dry_run": True}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Import costs from CSV."""
        body = serializers.CostImportRequest(data=request.data)
        body.is_valid(raise_exception=True)
        report = costs.import_csv(
            body.validated_data["csv"],
            links=queries.writable_links(principal_of(request)),
            is_dry_run=body.validated_data["dry_run"],
        )
        return Response(serializers.CostImportReport(report).data)


def _ensure_usable(rows: list[costs.CostRow], known: set[str]) -> None:
    refusals = []
    seen = set()
    for index, row in enumerate(rows):
        if row.link not in known:
            refusals.append((f"/rows/{index}/link", _("There is no such link."), "unknown-link"))
        if (row.link, row.date) in seen:
            refusals.append(
                (f"/rows/{index}", _("This link and day stand here twice."), "duplicate")
            )
        seen.add((row.link, row.date))
    if refusals:
        raise InvalidInput.of_many(refusals)
