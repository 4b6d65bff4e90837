"""Coupons for many: counting an audience, and issuing to it in the background."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.api.jobs import JobOut
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import (
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
    validated,
)
from shop.storefront import audiences, issues
from shop.storefront.audiences import Audience

MANY = 10_000
DAYS: dict[str, Any] = {"min_value": 1, "max_value": 3650, "required": False}


def _codes(help_text: str) -> Any:
    return serializers.ListField(
        child=StrictCharField(max_length=32),
        default=list,
        max_length=100,
        help_text=help_text,
    )


class AudienceRequest(StrictSerializer):
    """Who is meant: all that is named must hold; empty is every active member."""

    tiers = _codes("Tier codes, one of which the member is in.")
    channels = _codes("Codes of the channels that brought the member.")
    stores = _codes("Codes of home stores.")
    cities = _codes("Cities of home stores, as the stores are written.")
    joined_within_days = StrictIntegerField(**DAYS)
    joined_before = StrictDateTimeField(required=False)
    not_seen_for_days = StrictIntegerField(
        **DAYS, help_text="Their last visit is so many days ago, or longer."
    )
    birthday_month = StrictIntegerField(min_value=1, max_value=12, required=False)
    members = serializers.ListField(
        child=StrictUUIDField(), default=list, max_length=MANY, help_text="Ids of members."
    )


class IssueRequest(StrictSerializer):
    """One coupon each."""

    definition = StrictCharField(max_length=32, help_text="Code of the coupon definition.")
    audience = AudienceRequest()
    reference = StrictCharField(
        max_length=40,
        required=False,
        help_text="Your name for this issue: the same name again is the same issue.",
    )


class SomeoneOut(serializers.Serializer[Any]):
    """One of those who are meant, without saying who."""

    tier = serializers.CharField()
    store = serializers.CharField()
    joined_on = serializers.DateField()


class AudienceCount(serializers.Serializer[Any]):
    """How many members are meant, how many of which tier, and what some of them are like."""

    members = serializers.IntegerField()
    tiers = serializers.DictField(child=serializers.IntegerField(), help_text="By code.")
    sample = SomeoneOut(many=True, help_text="A few, picked by their random ids.")


class AudienceCountsView(APIView):
    """How many an audience is, before anything is sent."""

    permission_classes = [callers(Kind.STAFF, scope="coupons:issue")]

    @extend_schema(
        operation_id="audiences_count",
        tags=["coupons"],
        summary="Count the members of an audience",
        description=(
            "With a sample that says nothing of who they are. Only members of the caller's stores"
            " are counted."
        ),
        request=AudienceRequest,
        responses={200: AudienceCount},
        examples=[
            OpenApiExample(
                "Lapsed for two months", value={"not_seen_for_days": 60}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Count the members of an audience."""
        audience = _audience(principal_of(request), validated(AudienceRequest, request.data))
        preview = audiences.preview(audience, now=timezone.now())
        return Response(AudienceCount(preview).data)


class CouponIssuesView(APIView):
    """Coupons for an audience."""

    permission_classes = [callers(Kind.STAFF, scope="coupons:issue")]

    @extend_schema(
        operation_id="coupon_issues_create",
        tags=["coupons"],
        summary="Issue a coupon to each member of an audience",
        description=(
            "In the background; `GET /jobs/{id}` tells how far it is. Each member gets one, however"
            " often the job is restarted; who has as many as allowed gets none. Only members of the"
            " caller's stores are meant. 409 `coupon-not-claimable`, `audience-empty`."
        ),
        request=IssueRequest,
        responses={202: JobOut},
        examples=[
            OpenApiExample(
                "Silver and gold members",
                value={
                    "definition": "WINBACK_6",
                    "audience": {"tiers": ["silver", "gold"]},
                    "reference": "autumn-2026",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Issue a coupon to each member of an audience."""
        body, principal = validated(IssueRequest, request.data), principal_of(request)
        job = issues.start(
            body["definition"],
            audience=_audience(principal, body["audience"]),
            requested_by=principal.key,
            reference=body.get("reference", ""),
            now=timezone.now(),
        )
        return Response(JobOut(job).data, status=202)


def _audience(principal: Principal, data: dict[str, Any]) -> Audience:
    stores = principal.store_ids
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
    }
    return Audience(**values, of_stores=None if stores is None else tuple(sorted(stores)))
