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
from campaigns.api import cost_serializers as serializers
from campaigns.cost_files import COLUMNS, MOST_ROWS
from campaigns.cost_rows import CostRow
from campaigns.models import DailyCost
from shop.kernel.errors import InvalidInput
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, Kind.REPORT, scope="costs:write")
CSV_EXAMPLE = "link,date,cost_cents,impressions\nSH001FLY,2026-05-18,12000,800\n"
TENCENT_EXAMPLE = (
    "日期,广告名称,花费,曝光次数,点击次数\n2026-05-18,夏季上新-SH001FLY,120.00,800,31\n"
)


class DailyCostFilter(FilterSet):
    """How the list of costs is narrowed; both days included."""

    link = filters.CharFilter(field_name="link__code")
    channel = filters.CharFilter(field_name="link__channel__code")
    campaign = filters.CharFilter(field_name="link__campaign__code")
    keyword = filters.CharFilter(field_name="keyword")
    store = filters.CharFilter(field_name="link__store__code")
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = DailyCost
        fields = ("link", "channel", "campaign", "keyword", "store", "date_from", "date_to")


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
        summary="Enter costs, replacing those of the same link, day and keyword",
        description=(
            f"Up to {serializers.MOST_COSTS} rows, all or none; one per link, day and keyword."
            " Amounts are in the smallest unit of `currency`; one that is not the company's comes"
            " with its `exchange_rate` and is converted, rounded half up, with what was paid kept"
            " beside it. What a platform claims stays apart from our own figures. Costs of a link"
            " without a"
            " store are head office's to enter; a link that is not the caller's is answered like"
            " one that does not exist. 409 `costs-counted-twice`: the day has a row in all beside"
            " rows per keyword."
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
            ),
            OpenApiExample(
                "A keyword, paid in Hong Kong dollars",
                value={
                    "rows": [
                        {
                            "link": "SH001FLY",
                            "date": "2026-05-18",
                            "keyword": "奶茶 附近",
                            "cost_cents": 10000,
                            "currency": "HKD",
                            "exchange_rate": "0.9123",
                            "clicks": 31,
                            "claimed_conversions": 4,
                            "claimed_value_cents": 8000,
                        }
                    ]
                },
                request_only=True,
            ),
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
            f"Columns {', '.join(COLUMNS)}; the first three are required. With `preset`, the report"
            " that a platform exports: its own columns, amounts in whole yuan, totals left out,"
            " lines of one link and day added up; the link is found by its code in the ad's name"
            " or by the ad's number. Reports every line; with one refused line nothing is stored"
            f" unless `skip_refused`, and nothing in a dry run. At most {MOST_ROWS} lines."
        ),
        request=serializers.CostImportRequest,
        responses={200: serializers.CostImportReport},
        examples=[
            OpenApiExample(
                "Try it first", value={"csv": CSV_EXAMPLE, "dry_run": True}, request_only=True
            ),
            OpenApiExample(
                "A report of Tencent Ads",
                value={"csv": TENCENT_EXAMPLE, "preset": "tencent", "skip_refused": True},
                request_only=True,
            ),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Import costs from CSV."""
        body = serializers.CostImportRequest(data=request.data)
        body.is_valid(raise_exception=True)
        report = costs.import_csv(
            body.text(),
            links=queries.writable_links(principal_of(request)),
            is_dry_run=body.validated_data["dry_run"],
            reading=body.reading(),
        )
        return Response(serializers.CostImportReport(report).data)


def _ensure_usable(rows: list[CostRow], known: set[str]) -> None:
    refusals = []
    seen = set()
    for index, row in enumerate(rows):
        if row.link not in known:
            refusals.append((f"/rows/{index}/link", _("There is no such link."), "unknown-link"))
        if row.key in seen:
            refusals.append(
                (f"/rows/{index}", _("This link and day stand here twice."), "duplicate")
            )
        seen.add(row.key)
    if refusals:
        raise InvalidInput.of_many(refusals)
