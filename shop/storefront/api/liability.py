"""What outstanding points will cost, as finance reads it."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from loyalty import liability, tiers
from shop.kernel.errors import PermissionDenied
from shop.kernel.principals import principal_of
from shop.storefront.api.report_serializers import ReportQuery
from shop.storefront.api.reports import CSV, JSON, ReportView, as_csv, is_csv


class AgeRowOut(serializers.Serializer[Any]):
    """Outstanding points of one age."""

    age_months = serializers.IntegerField(
        help_text="Whole months of 30 days since they were given."
    )
    points = serializers.IntegerField()
    expected_redemption = serializers.FloatField(
        help_text="0 to 1; the unknown counts as redeemed."
    )
    at_least = serializers.FloatField(help_text="0 to 1; the unknown counts as lost.")
    cost_cents = serializers.IntegerField()


class MonthRowOut(serializers.Serializer[Any]):
    """One month of the ledger; opening and movements sum to closing."""

    month = serializers.DateField(help_text="Its first day.")
    opening = serializers.IntegerField()
    earned = serializers.IntegerField()
    used = serializers.IntegerField(help_text="Negative; what refunds gave back is in it.")
    expired = serializers.IntegerField(help_text="Negative; what was reinstated is in it.")
    clawed_back = serializers.IntegerField(help_text="Negative.")
    adjusted = serializers.IntegerField(help_text="By staff.")
    closing = serializers.IntegerField()


class LiabilityOut(serializers.Serializer[Any]):
    """The liability now, by age, and month by month how it came about."""

    outstanding = serializers.IntegerField(help_text="Points in spendable lots.")
    debt = serializers.IntegerField(help_text="Points that members owe; not set against it.")
    pending = serializers.IntegerField(help_text="Promised, not yet in the ledger.")
    cents_per_point = serializers.FloatField()
    cost_cents = serializers.IntegerField()
    pending_cost_cents = serializers.IntegerField()
    breakage_points = serializers.IntegerField(help_text="Of the outstanding, never to be used.")
    confidence = serializers.ChoiceField(choices=["high", "medium", "low"])
    observed_months = serializers.IntegerField(help_text="Of a point's life that history shows.")
    difference = serializers.IntegerField(help_text="Ledger, wallets and lots disagree by: 0.")
    ages = AgeRowOut(many=True)
    months = MonthRowOut(many=True)


class PointsLiabilityView(ReportView):
    """The liability of points."""

    @extend_schema(
        operation_id="reports_points_liability",
        tags=["reports"],
        summary="Show what outstanding points will cost, and the roll-forward that leads there",
        description=(
            "For who sees the whole chain: points belong to the chain; else 403. docs/liability.md"
            " tells the method. CSV has the months. 406 for other formats."
        ),
        parameters=[ReportQuery],
        responses={JSON: LiabilityOut, CSV: OpenApiTypes.STR},
    )
    def get(self, request: Request) -> Response:
        """Show the liability."""
        ReportQuery(data=request.query_params.dict()).is_valid(raise_exception=True)
        if principal_of(request).store_ids is not None:
            raise PermissionDenied
        now = timezone.now()
        measured = liability.measure(
            now=now, points_per_yuan=tiers.programme().points_per_redeemed_yuan
        )
        months = liability.roll_forward(now=now)
        if is_csv(request):
            return as_csv([MonthRowOut(month).data for month in months], "points-liability")
        return Response(LiabilityOut({**asdict(measured), "months": months}).data)
