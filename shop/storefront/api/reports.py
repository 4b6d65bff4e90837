"""Reports, as JSON or CSV."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel.errors import NotFound
from shop.kernel.negotiation import AlsoAsFile
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of, scope
from shop.kernel.renderers import CSVRenderer
from shop.models import Order, Store
from shop.storefront.api import report_serializers as serializers
from shop.storefront.reports import (
    attribution,
    channels,
    daily,
    lifecycle,
    opening_funnel,
    paid_memberships,
    stored_value,
    tiers,
    vouchers,
)
from shop.storefront.reports.opening_funnel import OpeningFunnel
from shop.storefront.rollups import upkeep

CSV = (200, "text/csv")
JSON = (200, "application/json")


class ReportView(AlsoAsFile, APIView):
    """A report for those who may read the reports of a store."""

    permission_classes = [callers(Kind.STAFF, Kind.REPORT, scope="reports:read")]


class OpeningFunnelView(ReportView):
    """The opening of a store."""

    @extend_schema(
        operation_id="reports_opening_funnel",
        tags=["reports"],
        summary="Show a store's opening as a funnel with its costs",
        description=(
            "From people reached to people who bring friends, in all and per channel; the stages"
            " are defined in docs/metrics.md. CSV has a row per channel and stage. 404 for a store"
            " that the caller may not see; 406 for other formats."
        ),
        parameters=[serializers.OpeningFunnelQuery],
        responses={JSON: serializers.OpeningFunnelOut, CSV: OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "Before anything happened",
                value={
                    "store": "SH001",
                    "opened_on": "2026-05-18",
                    "reached_from": "2026-04-18T05:00:00+08:00",
                    "first_from": "2026-05-18T05:00:00+08:00",
                    "first_until": "2026-05-21T05:00:00+08:00",
                    "rules": {
                        "days": 3,
                        "second_within_days": 30,
                        "long_term_days": 90,
                        "long_term_orders": 4,
                        "lead_days": 30,
                    },
                    "cost_cents": 1200000,
                    "reached_estimated": 52000,
                    "stages": [
                        {
                            "stage": "reached",
                            "people": 1000,
                            "rate_of_previous": None,
                            "rate_of_first": 1.0,
                            "cost_per_person_cents": 1200,
                        }
                    ],
                    "friends_referred": 60,
                    "revenue_cents": 2400000,
                    "channels": [],
                    "friends": [{"channel": "referral", "people": 60}],
                },
                response_only=True,
                media_type="application/json",
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Show the funnel."""
        query = serializers.OpeningFunnelQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        (store,) = visible_stores(request, query.validated_data["store"])
        upkeep.catch_up()
        funnel = opening_funnel.build(store=store, rules=query.to_rules())
        if is_csv(request):
            return as_csv(_funnel_rows(funnel), f"opening-funnel-{store.code}")
        return Response(serializers.OpeningFunnelOut(funnel).data)


class DailyView(ReportView):
    """Sales by day."""

    @extend_schema(
        operation_id="reports_daily",
        tags=["reports"],
        summary="Show sales, refunds and members per store and business day",
        description="At most 400 days. CSV has the same rows. 406 for other formats.",
        parameters=[serializers.PeriodQuery],
        responses={JSON: serializers.DailyReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show sales by day."""
        stores, since, until = stores_and_period(request)
        rows = daily.build(stores=stores, since=since, until=until)
        report = {"since": since, "until": until, "rows": rows}
        return as_rows(request, serializers.DailyReportOut(report).data, "daily")


class ChannelsView(ReportView):
    """What channels cost and brought."""

    @extend_schema(
        operation_id="reports_channels",
        tags=["reports"],
        summary="Show what each channel cost and brought",
        description=(
            "Links that belong to no store count only for callers who see every store and name"
            " none. At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[serializers.PeriodQuery],
        responses={JSON: serializers.ChannelReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show channels."""
        stores, since, until = stores_and_period(request)
        rows = channels.build(
            stores=stores,
            since=since,
            until=until,
            is_whole_chain=is_whole_chain(request),
        )
        report = {"since": since, "until": until, "rows": rows}
        return as_rows(request, serializers.ChannelReportOut(report).data, "channels")


class VouchersView(ReportView):
    """What vouchers of other platforms brought."""

    @extend_schema(
        operation_id="reports_vouchers",
        tags=["reports"],
        summary="Show vouchers of other platforms by deal, and who bore their price",
        description=(
            "By the business day on which they were verified; docs/vouchers.md tells what a deal"
            " gives. At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[serializers.PeriodQuery],
        responses={JSON: serializers.VoucherReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show vouchers by deal."""
        stores, since, until = stores_and_period(request)
        rows = vouchers.build(stores=stores, since=since, until=until)
        report = {"since": since, "until": until, "rows": rows}
        return as_rows(request, serializers.VoucherReportOut(report).data, "vouchers")


class TierDistributionView(ReportView):
    """Members by tier, and their moves."""

    @extend_schema(
        operation_id="reports_tier_distribution",
        tags=["reports"],
        summary="Show members by tier and role, and who moved from which tier to which",
        description=(
            "At the end of the period, and since its beginning; `from_tier` is null for whoever"
            " joined in it. The members of a tier are the sum of its column of the matrix. CSV has"
            " the matrix. 406 for other formats."
        ),
        parameters=[serializers.PeriodQuery],
        responses={JSON: serializers.TierDistributionOut, CSV: OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "One who rose",
                value={
                    "since": "2026-05-18",
                    "until": "2026-06-18",
                    "members": 2,
                    "tiers": [
                        {
                            "tier": "T2",
                            "level": 2,
                            "role": "vip",
                            "name_zh": "银卡",
                            "name_en": "Silver",
                            "members": 2,
                            "share": 1.0,
                        }
                    ],
                    "roles": [{"role": "vip", "members": 2, "share": 1.0}],
                    "migration": [
                        {"from_tier": None, "to_tier": "T2", "members": 1},
                        {"from_tier": "T1", "to_tier": "T2", "members": 1},
                    ],
                    "days": [{"date": "2026-06-17", "tier": "T2", "members": 2}],
                },
                response_only=True,
                media_type="application/json",
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Show tiers."""
        stores, since, until = stores_and_period(request)
        found = tiers.build(stores=stores, since=since, until=until)
        report = {
            "since": since,
            "until": until,
            "members": found.members,
            "tiers": found.tiers,
            "roles": found.roles,
            "migration": found.migration,
            "days": found.days,
        }
        data = serializers.TierDistributionOut(report).data
        return as_csv(data["migration"], "tier-migration") if is_csv(request) else Response(data)


class MembershipConversionView(ReportView):
    """Paid memberships: who of those who could has bought."""

    @extend_schema(
        operation_id="reports_membership_conversion",
        tags=["reports"],
        summary="Show buyers of paid memberships among all members who could buy",
        description=(
            "Eligible are active members who had joined by the end of the period; revenue is net of"
            " refunds. At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[serializers.PeriodQuery],
        responses={JSON: serializers.MembershipConversionOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show conversion."""
        stores, since, until = stores_and_period(request)
        found = paid_memberships.build(stores=stores, since=since, until=until)
        report = {"since": since, "until": until, "rows": found}
        data = serializers.MembershipConversionOut(report).data
        return as_rows(request, data, "membership-conversion")


class LifecycleDistributionView(ReportView):
    """Members by how far they have come."""

    @extend_schema(
        operation_id="reports_lifecycle_distribution",
        tags=["reports"],
        summary="Show members from newcomers to advocates, each in one stage",
        description=(
            "Newcomers have not bought; one-timers have once; regulars have the second tier or four"
            " orders in 90 days; advocates have brought a friend who bought. As of now. CSV has the"
            " same rows. 406 for other formats."
        ),
        parameters=[serializers.StoreQuery],
        responses={JSON: serializers.LifecycleDistributionOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show stages."""
        query = serializers.StoreQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        stores = visible_stores(request, query.validated_data.get("store"))
        stages = lifecycle.build(stores=stores, now=timezone.now())
        report = {"members": sum(row.members for row in stages), "rows": stages}
        data = serializers.LifecycleDistributionOut(report).data
        return as_rows(request, data, "lifecycle")


class StoredValueView(ReportView):
    """What guests paid in advance."""

    @extend_schema(
        operation_id="reports_stored_value",
        tags=["reports"],
        summary="Show stored value by store and business day, and what is owed",
        description=(
            "Principal rolls forward from opening to closing; docs/stored-value.md tells where"
            " movements count. At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[serializers.PeriodQuery],
        responses={JSON: serializers.FundsReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show stored value by day."""
        stores, since, until = stores_and_period(request)
        rows = stored_value.build(stores=stores, since=since, until=until)
        report = {"since": since, "until": until, "rows": rows}
        return as_rows(request, serializers.FundsReportOut(report).data, "stored-value")


class AttributionView(ReportView):
    """Who gets the credit for what was sold."""

    @extend_schema(
        operation_id="reports_attribution",
        tags=["reports"],
        summary="Credit channels, links or campaigns by any attribution model",
        description=(
            "docs/attribution.md tells what each model believes. Rows sum to all conversions and to"
            " their net amount exactly. At most 400 days. CSV has the same rows. 406 for other"
            " formats."
        ),
        parameters=[serializers.AttributionQuery],
        responses={JSON: serializers.AttributionOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show who gets the credit."""
        query = serializers.AttributionQuery(data=request.query_params.dict())
        stores, since, until = stores_and_period(request, query)
        asked = query.validated_data
        report = attribution.build(
            stores=stores,
            since=since,
            until=until,
            model=asked["model"],
            kind=asked["kind"],
            by=asked["by"],
            is_whole_chain=is_whole_chain(request),
        )
        period = {"since": since, "until": until}
        shown = serializers.AttributionOut({**asdict(report), **period}).data
        return as_rows(request, shown, f"attribution-{report.model}")


class OrderAttributionView(APIView):
    """Who gets the credit for one order."""

    permission_classes = [callers(Kind.STAFF, Kind.REPORT, scope="reports:read")]

    @extend_schema(
        operation_id="orders_attribution",
        tags=["reports"],
        summary="Show who gets how much of an order, by each model",
        description="404 also for the order of a guest, whose way to us nobody knows.",
        responses={200: serializers.OrderAttributionOut},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show who gets the credit for an order."""
        visible = scope(Order.objects.all(), principal_of(request), store="store_id")
        order = visible.filter(number=number).first()
        models = attribution.of_order(order.pk) if order else None
        if models is None:
            raise NotFound
        return Response(serializers.OrderAttributionOut({"order": number, "models": models}).data)


def is_whole_chain(request: Request) -> bool:
    """Tell whether a report is asked for all stores by who may see them all."""
    return principal_of(request).store_ids is None and "store" not in request.query_params


def stores_and_period(
    request: Request, query: serializers.PeriodQuery | None = None
) -> tuple[list[Store], date, date]:
    """Return the stores that are asked about and may be seen, and the half-open period.

    Raises:
        NotFound: no such store, or not the caller's to see.
        ValidationError: not a period, or unknown parameters.
    """
    query = query or serializers.PeriodQuery(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    stores = visible_stores(request, query.validated_data.get("store"))
    now = timezone.now()
    today = max((store.business_date(now) for store in stores), default=now.date())
    since, until = query.to_period(today=today)
    return stores, since, until


def visible_stores(request: Request, code: str | None) -> list[Store]:
    """Return the named store, or all that the caller may see.

    Raises:
        NotFound: no such store, or not the caller's to see.
    """
    stores = scope(Store.objects.order_by("id"), principal_of(request), store="id")
    if code is None:
        return list(stores)
    found = list(stores.filter(code=code))
    if not found:
        raise NotFound
    return found


def as_rows(request: Request, report: dict[str, Any], name: str) -> Response:
    """Return a report\'s rows as CSV if asked for, else the report."""
    return as_csv(report["rows"], name) if is_csv(request) else Response(report)


def is_csv(request: Request) -> bool:
    """Tell whether a report is asked for as CSV."""
    return isinstance(request.accepted_renderer, CSVRenderer)


def as_csv(rows: Sequence[dict[str, Any]], name: str) -> Response:
    """Return rows of a report as a file of this name."""
    disposition = f'attachment; filename="{name}.csv"'
    return Response({"rows": rows}, headers={"Content-Disposition": disposition})


def _funnel_rows(funnel: OpeningFunnel) -> list[dict[str, Any]]:
    return [
        {
            "store": funnel.store,
            "channel": channel.channel,
            "stage": str(stage.stage),
            "people": stage.people,
            "rate_of_previous": stage.rate_of_previous,
            "rate_of_first": stage.rate_of_first,
            "cost_per_person_cents": stage.cost_per_person_cents,
            "cost_cents": channel.cost_cents,
            "reached_estimated": channel.reached_estimated,
            "friends_referred": channel.friends_referred,
            "revenue_cents": channel.revenue_cents,
        }
        for channel in [funnel.total, *funnel.channels]
        for stage in channel.stages
    ]
