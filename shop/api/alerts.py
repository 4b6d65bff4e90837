"""Alarms: what somebody has to look at, who has seen it, and what is dealt with."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import alerts
from shop.kernel.errors import NotFound
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.models import Alert

WRITE = callers(Kind.STAFF, scope="alerts:write")


class AlertOut(serializers.ModelSerializer[Alert]):
    """An alarm; without a store it is for head office."""

    store = serializers.CharField(source="store.code", default=None, allow_null=True)
    details: Any = serializers.DictField(help_text="What was found; differs by code.")

    class Meta:
        model = Alert
        fields = (
            "id",
            "code",
            "subject",
            "severity",
            "is_condition",
            "store",
            "details",
            "raised_at",
            "acknowledged_at",
            "acknowledged_by",
            "resolved_at",
        )


EXAMPLE = OpenApiExample(
    "A budget that is nearly spent",
    value={
        "id": 12,
        "code": "phase-budget-nearly-spent",
        "subject": "phase:7",
        "severity": "warning",
        "is_condition": True,
        "store": None,
        "details": {"campaign": "cup618", "budget_cents": 100000, "cost_cents": 81000},
        "raised_at": "2026-06-18T12:00:00+08:00",
        "acknowledged_at": None,
        "acknowledged_by": "",
        "resolved_at": None,
    },
    response_only=True,
)


class AlertFilter(FilterSet):
    """How the list of alarms is narrowed."""

    code = filters.CharFilter()
    subject = filters.CharFilter()
    severity = filters.ChoiceFilter(choices=Alert.Severity.choices)
    is_open = filters.BooleanFilter(
        field_name="resolved_at", lookup_expr="isnull", label=_("not yet resolved")
    )

    class Meta:
        model = Alert
        fields = ("code", "subject", "severity", "is_open")


class AlertsView(ListAPIView[Alert]):
    """Alarms of the caller's stores; head office sees all, and those of no store."""

    permission_classes = [callers(Kind.STAFF, Kind.REPORT, scope="alerts:read")]
    serializer_class = AlertOut
    filterset_class = AlertFilter
    queryset = Alert.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[Alert]:
        return alerts.visible(principal_of(self.request)).select_related("store")

    @extend_schema(
        operation_id="alerts_list",
        tags=["alerts"],
        summary="List alarms, newest first",
        description=(
            "A condition (`is_condition`) is resolved by itself when it does not hold any more and"
            " may come again; an event stays until somebody says that it is dealt with."
        ),
        examples=[EXAMPLE],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List alarms."""
        return super().get(request, *args, **kwargs)


class AlertAcknowledgementView(APIView):
    """That somebody has seen it."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="alerts_acknowledge",
        tags=["alerts"],
        summary="Note that you have seen an alarm",
        description="The first who has seen it stays noted; again changes nothing.",
        request=None,
        responses={200: AlertOut},
        examples=[EXAMPLE],
    )
    def post(self, request: Request, alert_id: int) -> Response:
        """Note who has seen it."""
        alert = _found(request, alert_id)
        alerts.acknowledge([alert.pk], by=principal_of(request).key, now=timezone.now())
        return Response(AlertOut(_found(request, alert_id)).data)


class AlertResolutionView(APIView):
    """That somebody has dealt with it."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="alerts_resolve",
        tags=["alerts"],
        summary="Say that an event is dealt with",
        description="409 `alert-still-holds`: a condition goes away when its cause does.",
        request=None,
        responses={200: AlertOut},
        examples=[EXAMPLE],
    )
    def post(self, request: Request, alert_id: int) -> Response:
        """Resolve it."""
        alert = _found(request, alert_id)
        alerts.resolve([alert.pk], by=principal_of(request).key, now=timezone.now())
        return Response(AlertOut(_found(request, alert_id)).data)


def _found(request: Request, alert_id: int) -> Alert:
    alert = alerts.visible(principal_of(request)).filter(pk=alert_id).first()
    if alert is None:
        raise NotFound
    return alert
