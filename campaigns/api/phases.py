"""Phases of a campaign: what they cost and bring against their plan, moving them by hand."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import hours, performance, phase_drafts, phase_facts, phases, plans, queries
from campaigns.api import phase_serializers as shapes
from campaigns.models import Campaign, CampaignPhase
from shop.kernel.errors import InvalidInput, NotFound, PermissionDenied
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import StrictSerializer

READ = callers(Kind.STAFF, Kind.REPORT, scope="campaigns:read")
WRITE = callers(Kind.STAFF, scope="campaigns:write")
MOVES = {"running": phases.resume, "paused": phases.pause, "ended": phases.end}


class PhaseQuery(StrictSerializer):
    """Of which phase."""

    phase = serializers.IntegerField(min_value=1, max_value=2**62, required=False)


class CampaignPhasesView(APIView):
    """Plan and fact of each phase."""

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    @extend_schema(
        operation_id="campaigns_phases",
        tags=["campaigns"],
        summary="List a campaign's phases with limits, targets, offers and cost",
        responses={200: shapes.PhaseDetail(many=True)},
    )
    def get(self, request: Request, code: str) -> Response:
        """List a campaign's phases, the earliest first."""
        return Response(_shown(found_campaign(request, code).phases.order_by("starts_at", "pk")))

    @extend_schema(
        operation_id="campaigns_add_phase",
        tags=["campaigns"],
        summary="Add a phase to a campaign",
        description=(
            "Offers named here work only while one of their phases runs: one that works already is"
            " refused. Whoever may change the campaign may add to it."
        ),
        request=shapes.PhaseRequest,
        responses={201: shapes.PhaseDetail},
        examples=[
            OpenApiExample(
                "A flash with a coupon of its own",
                value={
                    "kind": "flash72",
                    "starts_at": "2026-06-18T00:00:00+08:00",
                    "budget_cents": 3000000,
                    "cpa_limit_cents": 3000,
                    "target_joins": 1500,
                    "coupon_definitions": ["FLASH618"],
                    "plan": [
                        {"channel": "douyin", "cost_cents": 2000000, "reach": 90000, "joins": 1000}
                    ],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, code: str) -> Response:
        """Add a phase."""
        body = shapes.PhaseRequest(data=request.data)
        body.is_valid(raise_exception=True)
        campaign = writable_campaign(request, code)
        draft = shapes.to_phase_draft(body.validated_data)
        phase_drafts.ensure_within(
            draft, starts_at=campaign.starts_at, ends_at=campaign.ends_at, pointer=""
        )
        phase = phase_drafts.write(campaign, draft, pointer="")
        (shown,) = _shown(CampaignPhase.objects.filter(pk=phase.pk))
        return Response(shown, status=201)


class PhaseMovesView(APIView):
    """Pause, resume or end a phase."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="campaigns_move_phase",
        tags=["campaigns"],
        summary="Pause, resume or end a phase by hand",
        description=(
            "What people pause no rule resumes. Pausing switches the phase's offers off: quotes"
            " come without them, coupons wait, links go on redirecting and counting. 409"
            " `phase-not-movable`, `phase-limit-reached`."
        ),
        request=shapes.PhaseMoveRequest,
        responses={200: shapes.PhaseDetail},
        examples=[
            OpenApiExample(
                "A shop has run out of milk",
                value={"to": "paused", "reason": "No milk until Friday"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, code: str, phase_id: int) -> Response:
        """Move a phase."""
        body = shapes.PhaseMoveRequest(data=request.data)
        body.is_valid(raise_exception=True)
        phase = _writable_phase(request, code, phase_id)
        MOVES[body.validated_data["to"]](
            phase.pk,
            reason=body.validated_data["reason"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        (shown,) = _shown(CampaignPhase.objects.filter(pk=phase.pk))
        return Response(shown)


class PhaseTermsView(APIView):
    """The limits of a phase."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="campaigns_change_phase_limits",
        tags=["campaigns"],
        summary="Change budgets and limits of a phase",
        description=(
            "What is left out stays; null takes a limit away. A phase that a limit has paused goes"
            " on within the minute if the new one has room. 409 `phase-not-movable`: it is over."
        ),
        request=shapes.PhaseTermsChange,
        responses={200: shapes.PhaseDetail},
        examples=[
            OpenApiExample(
                "More money",
                value={"budget_cents": 5000000, "reason": "It pays: ROAS 4.1"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, code: str, phase_id: int) -> Response:
        """Change limits."""
        body = shapes.PhaseTermsChange(data=request.data)
        body.is_valid(raise_exception=True)
        phase = _writable_phase(request, code, phase_id)
        terms = dict(body.validated_data)
        reason = terms.pop("reason")
        phases.change_terms(
            phase.pk, terms, reason=reason, actor=principal_of(request).key, now=timezone.now()
        )
        (shown,) = _shown(CampaignPhase.objects.filter(pk=phase.pk))
        return Response(shown)


class CampaignPlanView(APIView):
    """Plan against actual."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="campaigns_plan",
        tags=["campaigns"],
        summary="Compare each phase with its plan, by channel and link",
        description=(
            "“Day 5 of 30: 22 % of the budget, 17 % of the new members”: `day`, `days`, the `goals`"
            " with what this pace leads to, and a line per planned channel or link and per channel"
            " that came without a plan. What a link costs and brings counts for the phase that the"
            " link names."
        ),
        responses={200: shapes.ProgressOut(many=True)},
    )
    def get(self, request: Request, code: str) -> Response:
        """Compare each phase with its plan, the earliest first."""
        rows = list(found_campaign(request, code).phases.order_by("starts_at", "pk"))
        found = plans.compare(rows, now=timezone.now())
        return Response([shapes.ProgressOut(progress).data for progress in found])


class CampaignPerformanceView(APIView):
    """What a campaign sold."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="campaigns_performance",
        tags=["campaigns"],
        summary="Show what a campaign cost and sold",
        description=(
            "Orders credited to its links and orders that used one of its offers; both together,"
            " each order once, in `sales_cents`. Refunds lower it."
        ),
        responses={200: shapes.PerformanceOut},
    )
    def get(self, request: Request, code: str) -> Response:
        """Show what a campaign sold."""
        found = performance.measure(found_campaign(request, code))
        return Response(shapes.PerformanceOut(found).data)


class CampaignHoursView(APIView):
    """Hour by hour."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="campaigns_hourly",
        tags=["campaigns"],
        summary="Show what a campaign brings, hour by hour",
        description=(
            "Clock hours of the stores from the start of the phase, or of the campaign, up to now;"
            " of a longer stretch the last seven days. Touches, joins, orders and cost are those of"
            " its links, coupons those of its offers."
        ),
        parameters=[OpenApiParameter("phase", int, description="Id of one of its phases.")],
        responses={200: shapes.HourOut(many=True)},
    )
    def get(self, request: Request, code: str) -> Response:
        """Show what a campaign brings, hour by hour."""
        query = PhaseQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        campaign, phase = found_campaign(request, code), None
        if "phase" in query.validated_data:
            phase = campaign.phases.filter(pk=query.validated_data["phase"]).first()
            if phase is None:
                raise InvalidInput("/phase", _("The campaign has no such phase."), reason="phase")
        found = hours.build(campaign, phase, now=timezone.now())
        return Response([shapes.HourOut(hour).data for hour in found])


def found_campaign(request: Request, code: str) -> Campaign:
    """Return a campaign that the caller sees.

    Raises:
        NotFound
    """
    campaign = queries.visible_campaigns(principal_of(request)).filter(code=code).first()
    if campaign is None:
        raise NotFound
    return campaign


def writable_campaign(request: Request, code: str) -> Campaign:
    """Return a campaign that is the caller's to change: one that runs in their stores only.

    Raises:
        NotFound, PermissionDenied
    """
    campaign = found_campaign(request, code)
    if not _covers(principal_of(request), campaign):
        raise PermissionDenied(_("What is not one store's own is for head office to change."))
    return campaign


def _covers(principal: Principal, campaign: Campaign) -> bool:
    if principal.store_ids is None:
        return True
    stores = set(campaign.stores.values_list("pk", flat=True))
    return bool(stores) and stores <= principal.store_ids


def _writable_phase(request: Request, code: str, phase_id: int) -> CampaignPhase:
    phase = writable_campaign(request, code).phases.filter(pk=phase_id).first()
    if phase is None:
        raise NotFound
    return phase


def _shown(rows: Any) -> Any:
    found = list(
        phase_facts.with_cost(rows)
        .select_related("reservation_coupon")
        .prefetch_related("coupon_definitions", "promotions")
    )
    spent = phase_facts.measure(found, now=timezone.now())
    return shapes.PhaseDetail(found, many=True, context={"spent": spent}).data
