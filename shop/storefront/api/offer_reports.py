"""Reports on newcomers and on what offers really bring."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
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
from shop.storefront.reports import cannibalisation, signups


class SignupRowOut(serializers.Serializer[Any]):
    """One day of one channel, with a registration or a first open."""

    date = serializers.DateField()
    channel = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    registrations = serializers.IntegerField(help_text="New members, by their acquisition.")
    first_opens = serializers.IntegerField(help_text="Visitors whose first visit of all this was.")


class SignupReportOut(serializers.Serializer[Any]):
    """Registrations and first opens of the period."""

    since = serializers.DateField()
    until = serializers.DateField()
    rows = SignupRowOut(many=True)


class SignupsView(ReportView):
    """Newcomers by day."""

    @extend_schema(
        operation_id="reports_signups",
        tags=["reports"],
        summary="Show registrations and first opens of the mini-program per day and channel",
        description=(
            "Days are business days of the store. Links that belong to no store count only for"
            " callers who see every store and name none. At most 400 days. CSV has the same rows."
            " 406 for other formats."
        ),
        parameters=[PeriodQuery],
        responses={JSON: SignupReportOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show newcomers by day."""
        stores, since, until = stores_and_period(request)
        found = signups.build(
            stores=stores, since=since, until=until, is_whole_chain=is_whole_chain(request)
        )
        report = {"since": since, "until": until, "rows": found}
        return as_rows(request, SignupReportOut(report).data, "signups")


class CannibalisationRowOut(serializers.Serializer[Any]):
    """One offer; the counts are of standing uses on members' paid orders."""

    kind = serializers.ChoiceField(choices=["promotion", "coupon"])
    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    uses = serializers.IntegerField()
    discount_cents = serializers.IntegerField()
    measured = serializers.IntegerField(help_text="By members with a rhythm of their own.")
    anyway = serializers.FloatField(help_text="Of the measured, expected without the offer.")
    given_away_cents = serializers.IntegerField(help_text="Discount on those.")
    share = serializers.FloatField(allow_null=True, help_text="anyway / measured.")
    coverage = serializers.FloatField(allow_null=True, help_text="measured / uses.")


class CannibalisationOut(serializers.Serializer[Any]):
    """An estimate from members' own rhythm; not an experiment."""

    since = serializers.DateField()
    until = serializers.DateField()
    method = serializers.CharField(help_text="`own-rhythm`: an estimate, without a control group.")
    rows = CannibalisationRowOut(many=True)


class CannibalisationView(ReportView):
    """What offers gave away."""

    @extend_schema(
        operation_id="reports_cannibalisation",
        tags=["reports"],
        summary="Estimate how many uses of each offer would have been orders anyway",
        description=(
            "From each member's own rhythm before; docs/metrics.md tells how, and what it cannot"
            " see. At most 400 days. CSV has the same rows. 406 for other formats."
        ),
        parameters=[PeriodQuery],
        responses={JSON: CannibalisationOut, CSV: OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "Half of it given away",
                value={
                    "since": "2026-06-01",
                    "until": "2026-07-01",
                    "method": "own-rhythm",
                    "rows": [
                        {
                            "kind": "promotion",
                            "code": "SECOND_HALF",
                            "name_zh": "第二杯半价",
                            "name_en": "Second cup half price",
                            "uses": 50,
                            "discount_cents": 30000,
                            "measured": 40,
                            "anyway": 20.0,
                            "given_away_cents": 12000,
                            "share": 0.5,
                            "coverage": 0.8,
                        }
                    ],
                },
                response_only=True,
                media_type="application/json",
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Show what offers gave away."""
        stores, since, until = stores_and_period(request)
        found = cannibalisation.build(stores=stores, since=since, until=until)
        report = {"since": since, "until": until, "method": "own-rhythm", "rows": found}
        return as_rows(request, CannibalisationOut(report).data, "cannibalisation")
