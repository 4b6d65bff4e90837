"""Reports of ad platforms: what they claim beside what we know, and what they were told."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from shop.storefront.api.report_serializers import PeriodQuery
from shop.storefront.api.reports import (
    CSV,
    JSON,
    ReportView,
    as_rows,
    is_whole_chain,
    stores_and_period,
)
from shop.storefront.reports import ads
from shop.storefront.rollups import upkeep


class ClaimsQuery(PeriodQuery):
    """Whose links, when, and what of ours stands against what is claimed."""

    against = serializers.ChoiceField(
        choices=ads.AGAINST,
        default="orders",
        help_text="What the platform was told to count; `conversions_ratio` divides by it.",
    )


class ClaimRowOut(serializers.Serializer[Any]):
    """One link: `claimed_*` and `estimated_reach` are the platform's word, the others are ours."""

    link = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # hides Field's own label
    channel = serializers.CharField()
    cost_cents = serializers.IntegerField()
    claimed_clicks = serializers.IntegerField()
    claimed_conversions = serializers.IntegerField(allow_null=True)
    claimed_value_cents = serializers.IntegerField(allow_null=True)
    estimated_reach = serializers.IntegerField()
    touches = serializers.IntegerField()
    anonymous_visitors = serializers.IntegerField(help_text="Met by the link, and not known.")
    identified_members = serializers.IntegerField(help_text="Met by the link, members by now.")
    registrations = serializers.IntegerField()
    first_orders = serializers.IntegerField()
    orders = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Net of refunds.")
    conversions_ratio = serializers.FloatField(
        allow_null=True, help_text="Claimed per ours; null where we have none or none is claimed."
    )
    value_ratio = serializers.FloatField(allow_null=True)


class ClaimReportOut(serializers.Serializer[Any]):
    """Every link with costs in the period."""

    since = serializers.DateField()
    until = serializers.DateField()
    against = serializers.CharField()
    rows = ClaimRowOut(many=True)


class UploadRowOut(serializers.Serializer[Any]):
    """The results of one day for one platform, by how far telling them is."""

    date = serializers.DateField()
    platform = serializers.CharField()
    event = serializers.CharField()
    waiting = serializers.IntegerField()
    sent = serializers.IntegerField()
    refused = serializers.IntegerField(help_text="By the platform, for good.")
    withdrawn = serializers.IntegerField(help_text="The member took their consent back.")
    dead = serializers.IntegerField(help_text="No answer for a day.")
    sent_value_cents = serializers.IntegerField()


class UploadReportOut(serializers.Serializer[Any]):
    """Every day, platform and event with results in the period."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = UploadRowOut(many=True)


class ClaimedConversionsView(ReportView):
    """What platforms claim beside what we know."""

    @extend_schema(
        operation_id="reports_claimed_conversions",
        tags=["reports"],
        summary="Show what platforms claim beside our own figures",
        description=(
            "Per link with costs. Nothing claimed enters any other report. Links that belong to no"
            " store count only for callers who see every store and name none. At most 400 days."
            " CSV has the same rows. 406 for other formats."
        ),
        parameters=[ClaimsQuery],
        responses={JSON: ClaimReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show claims beside our figures."""
        query = ClaimsQuery(data=request.query_params.dict())
        stores, since, until = stores_and_period(request, query)
        against = query.validated_data["against"]
        upkeep.catch_up()
        rows = ads.claims(
            stores=stores,
            since=since,
            until=until,
            is_whole_chain=is_whole_chain(request),
            against=against,
        )
        report = {"since": since, "until": until, "against": against, "rows": rows}
        return as_rows(request, ClaimReportOut(report).data, "claimed-conversions")


class AdUploadsView(ReportView):
    """What platforms were told."""

    @extend_schema(
        operation_id="reports_ad_uploads",
        tags=["reports"],
        summary="Show what ad platforms were told, by day and state",
        description=(
            "By the day of the result. Clicks without a link count only for callers who see every"
            " store and name none. At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[PeriodQuery],
        responses={JSON: UploadReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show uploads by day and state."""
        stores, since, until = stores_and_period(request)
        rows = ads.uploads(
            stores=stores, since=since, until=until, is_whole_chain=is_whole_chain(request)
        )
        report = {"since": since, "until": until, "rows": rows}
        return as_rows(request, UploadReportOut(report).data, "ad-uploads")
