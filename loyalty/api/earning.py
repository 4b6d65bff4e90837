"""Earning beside buying: the rules, and events that tills and staff record."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import earning_events
from loyalty.models import EarningEvent, EarningRule
from shop import members
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.pagination import OldestFirst
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictCharField, StrictSerializer, validated
from shop.models import Store


class EarningRuleOut(serializers.ModelSerializer[EarningRule]):
    """A rule by which points are earned; empty lists and nulls do not restrict it."""

    class Meta:
        model = EarningRule
        fields = (
            "code",
            "name_zh",
            "name_en",
            "kind",
            "event",
            "points",
            "percent",
            "is_active",
            "is_stackable",
            "priority",
            "starts_at",
            "ends_at",
            "weekdays",
            "from_time",
            "until_time",
            "tiers",
            "stores",
            "products",
            "categories",
            "min_order_cents",
            "max_points_per_order",
            "max_points_per_day",
            "max_points_per_member",
        )


class EarningEventRequest(StrictSerializer):
    """What happened; `key` names it among the member's events of its kind."""

    event = serializers.ChoiceField(choices=EarningRule.Event.choices)
    key = StrictCharField(
        max_length=64, help_text="Such as the review's number, or the day of a check-in."
    )


class EarningEventOut(serializers.ModelSerializer[EarningEvent]):
    """An event and what it earned: nothing if no rule gives any, or a cap is reached."""

    store = serializers.CharField(source="store.code")

    class Meta:
        model = EarningEvent
        fields = ("event", "key", "store", "points", "occurred_at")


class EarningRulesView(ListAPIView[EarningRule]):
    """The programme's rules."""

    permission_classes = [callers(Kind.STAFF, scope="earning:read")]
    serializer_class = EarningRuleOut
    pagination_class = OldestFirst
    filter_backends = ()
    queryset = EarningRule.objects.all()

    def get_queryset(self) -> QuerySet[EarningRule]:
        return EarningRule.objects.all()

    @extend_schema(
        operation_id="earning_rules_list",
        tags=["points"],
        summary="List the rules by which points are earned beside the base rate",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the earning rules."""
        return super().get(request, *args, **kwargs)


class MemberEventsView(APIView):
    """What a member did beside buying."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="events:write")]

    @extend_schema(
        operation_id="members_record_event",
        tags=["points"],
        summary="Record something a member did, and give the points for it",
        description=(
            "201 the first time; the same event and key again answers 200 with the first record."
            " A till's event is its store's, a person's that of the store where the member joined."
            " 409 `member-not-active`."
        ),
        request=EarningEventRequest,
        responses={200: EarningEventOut, 201: EarningEventOut},
        examples=[
            OpenApiExample(
                "A check-in", value={"event": "check_in", "key": "2026-06-18"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Record an event."""
        body = validated(EarningEventRequest, request.data)
        member, principal = members.get_active(member_id), principal_of(request)
        store = Store.objects.get(
            pk=principal.store_id if principal.kind is Kind.TILL else member.store_id
        )
        if not principal.sees_store(store.pk):
            raise NotFound
        event, is_new = earning_events.record(
            member.pk,
            event=body["event"],
            key=body["key"],
            store=store,
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(EarningEventOut(event).data, status=201 if is_new else 200)
