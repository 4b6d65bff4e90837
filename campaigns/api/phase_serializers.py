"""What goes in and out of the API of a campaign's phases."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns import guards, hours, performance, phase_facts, plans
from campaigns.models import Campaign, CampaignChange, CampaignPhase, Cause, Reservation
from campaigns.phase_drafts import PhaseDraft, PlanDraft
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
)

MOST_COUNT = 2_000_000_000
MOST_OFFERS = 50
MOST_LINES = 100


class CountField(StrictIntegerField):
    """A positive number of people or things."""

    def __init__(self, *, min_value: int = 1, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=MOST_COUNT, **kwargs)


def _codes(*, max_length: int) -> serializers.ListField:
    return serializers.ListField(
        child=StrictCharField(max_length=max_length), default=list, max_length=MOST_OFFERS
    )


class PlanLineRequest(StrictSerializer):
    """What a channel, or one of its links, is to cost and to bring."""

    channel = StrictCharField(max_length=32)
    link = StrictCharField(max_length=12, required=False, help_text="Without: all its links.")
    cost_cents = AmountField(min_value=0, default=0)
    reach = CountField(min_value=0, default=0)
    joins = CountField(min_value=0, default=0)


class PhaseTermsRequest(StrictSerializer):
    """Limits at which a phase pauses by itself; null is no limit."""

    budget_cents = AmountField(required=False, allow_null=True)
    daily_budget_cents = AmountField(required=False, allow_null=True)
    cpa_limit_cents = AmountField(
        required=False, allow_null=True, help_text="Most that a new member may cost."
    )
    cpa_min_joins = CountField(required=False, help_text="Judged from so many new members.")
    redemption_limit = CountField(
        required=False, allow_null=True, help_text="Uses of its coupons and promotions."
    )


class PhaseRequest(PhaseTermsRequest):
    """A stretch of a campaign; it ends just before `ends_at`."""

    kind = serializers.ChoiceField(choices=CampaignPhase.Kind.choices)
    starts_at = StrictDateTimeField()
    ends_at = StrictDateTimeField(
        required=False,
        allow_null=True,
        help_text="May be left out of a flash (72 hours), and of what is always on.",
    )
    target_joins = CountField(required=False, allow_null=True)
    target_first_orders = CountField(required=False, allow_null=True)
    target_sales_cents = AmountField(required=False, allow_null=True)
    target_cpa_cents = AmountField(required=False, allow_null=True)
    target_roas_percent = CountField(required=False, allow_null=True)
    coupon_definitions = _codes(max_length=32)
    promotions = _codes(max_length=32)
    open_coupons = serializers.ChoiceField(
        choices=CampaignPhase.OpenCoupons.choices,
        default=CampaignPhase.OpenCoupons.KEEP,
        help_text="Whether coupons that people hold at the end stay usable until they expire.",
    )
    reservation_coupon = StrictCharField(
        max_length=32, required=False, help_text="Of a preheat: what who reserved gets at T-0."
    )
    reservation_limit = CountField(required=False, allow_null=True)
    plan = serializers.ListField(child=PlanLineRequest(), default=list, max_length=MOST_LINES)


def to_phase_draft(data: Mapping[str, Any]) -> PhaseDraft:
    """Return a validated phase as the noun module takes it."""
    plan = [PlanDraft(**line) for line in data["plan"]]
    return PhaseDraft(**{**data, "plan": plan})


class PhaseOut(serializers.ModelSerializer[CampaignPhase]):
    """A stretch of a campaign."""

    class Meta:
        model = CampaignPhase
        fields = ("id", "kind", "status", "starts_at", "ends_at", "budget_cents")


class GaugeOut(serializers.Serializer[guards.Gauge]):
    """A limit of a phase and how much of it is used; at 100 % the phase pauses."""

    limit = serializers.ChoiceField(choices=[(limit.value, limit.value) for limit in guards.Limit])
    most = serializers.IntegerField()
    value = serializers.IntegerField()
    percent = serializers.IntegerField()


class PhaseDetail(serializers.ModelSerializer[CampaignPhase]):
    """A phase with its limits, its targets, its offers, and what it has cost.

    `left_cents` is null without a budget, `pause_cause` empty unless it is paused, `summary` null
    until it is over.
    """

    pause_cause = serializers.ChoiceField(choices=Cause.choices, allow_blank=True)
    cost_cents = serializers.IntegerField()
    left_cents = serializers.SerializerMethodField()
    gauges = serializers.SerializerMethodField()
    coupon_definitions: Any = serializers.SlugRelatedField(
        many=True, read_only=True, slug_field="code"
    )
    promotions: Any = serializers.SlugRelatedField(many=True, read_only=True, slug_field="code")
    reservation_coupon = serializers.CharField(
        source="reservation_coupon.code", default=None, allow_null=True
    )
    summary: Any = serializers.DictField(allow_null=True, help_text="Plan and actual at the end.")

    class Meta:
        model = CampaignPhase
        fields = (
            *PhaseOut.Meta.fields,
            "pause_cause",
            "ended_at",
            "cost_cents",
            "left_cents",
            "daily_budget_cents",
            "cpa_limit_cents",
            "cpa_min_joins",
            "redemption_limit",
            "gauges",
            "target_joins",
            "target_first_orders",
            "target_sales_cents",
            "target_cpa_cents",
            "target_roas_percent",
            "coupon_definitions",
            "promotions",
            "open_coupons",
            "reservation_coupon",
            "reservation_limit",
            "reserved_count",
            "summary",
        )

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_left_cents(self, phase: Any) -> int | None:
        """Return what is left of the budget; below zero when the links cost more."""
        return None if phase.budget_cents is None else phase.budget_cents - phase.cost_cents

    @extend_schema_field(GaugeOut(many=True))
    def get_gauges(self, phase: CampaignPhase) -> Any:
        """Return the limits that say something, with what was measured."""
        spent = self.context["spent"].get(phase.pk, guards.Spent())
        found = guards.gauges(phase_facts.limits_of(phase), spent)
        return [GaugeOut(gauge).data for gauge in found]


class PhaseMoveRequest(StrictSerializer):
    """Where to move a phase, and why."""

    to = serializers.ChoiceField(choices=["running", "paused", "ended"])
    reason = StrictCharField(max_length=200)


class PhaseTermsChange(PhaseTermsRequest):
    """New limits of a phase; what is left out stays."""

    reason = StrictCharField(max_length=200)


class CampaignMoveRequest(StrictSerializer):
    """Where to move a campaign, and why."""

    to = serializers.ChoiceField(
        choices=[Campaign.Status.ACTIVE, Campaign.Status.PAUSED, Campaign.Status.ENDED]
    )
    reason = StrictCharField(max_length=200)


class CampaignChangeOut(serializers.ModelSerializer[CampaignChange]):
    """One move of a campaign, or of its phase; `details` say what was measured or changed."""

    phase = serializers.IntegerField(source="phase_id", allow_null=True)
    details: Any = serializers.DictField()

    class Meta:
        model = CampaignChange
        fields = (
            "id",
            "phase",
            "from_status",
            "to_status",
            "cause",
            "reason",
            "actor",
            "details",
            "occurred_at",
        )


class FiguresOut(serializers.Serializer[plans.Figures]):
    """What came of it. `cpa_cents` and `roas_percent` are null where nothing divides."""

    cost_cents = serializers.IntegerField()
    reached_estimated = serializers.IntegerField(help_text="The platforms' word.")
    reached = serializers.IntegerField(help_text="Visitors whom we met ourselves.")
    joined = serializers.IntegerField()
    first_orders = serializers.IntegerField()
    orders = serializers.IntegerField()
    sales_cents = serializers.IntegerField(help_text="Net of refunds.")
    cpa_cents = serializers.IntegerField(allow_null=True)
    roas_percent = serializers.IntegerField(allow_null=True)


class PlanLineOut(serializers.Serializer[plans.Line]):
    """A channel or a link: planned, actual, and percent of the plan (null without one)."""

    channel = serializers.CharField()
    link = serializers.CharField(help_text="Empty: the channel's other links together.")
    planned_cost_cents = serializers.IntegerField()
    planned_reach = serializers.IntegerField()
    planned_joins = serializers.IntegerField()
    actual = FiguresOut()
    cost_percent = serializers.IntegerField(allow_null=True)
    reach_percent = serializers.IntegerField(allow_null=True)
    joins_percent = serializers.IntegerField(allow_null=True)


class GoalOut(serializers.Serializer[plans.Goal]):
    """An aim; `expected` is what this pace leads to at the end. For `cpa_cents` less is better."""

    name = serializers.ChoiceField(
        choices=[
            (name, name)
            for name in (
                "cost_cents",
                "joins",
                "first_orders",
                "sales_cents",
                "cpa_cents",
                "roas_percent",
            )
        ]
    )
    target = serializers.IntegerField()
    actual = serializers.IntegerField(allow_null=True)
    percent = serializers.IntegerField(allow_null=True)
    expected = serializers.IntegerField(allow_null=True)


class ProgressOut(serializers.Serializer[plans.Progress]):
    """A phase against its plan; `days` and `elapsed_percent` are null for what has no end."""

    phase_id = serializers.IntegerField()
    kind = serializers.CharField()
    status = serializers.CharField()
    day = serializers.IntegerField(help_text="0 before the start.")
    days = serializers.IntegerField(allow_null=True)
    elapsed_percent = serializers.IntegerField(allow_null=True)
    total = FiguresOut()
    goals = GoalOut(many=True)
    lines = PlanLineOut(many=True)


class PerformanceOut(serializers.Serializer[performance.Performance]):
    """What came of a campaign. Sales are net of refunds; in `sales_cents` each order counts once.

    `attributed`: credited to its links. `carrying`: used one of its coupons or promotions.
    """

    cost_cents = serializers.IntegerField()
    reached = serializers.IntegerField(help_text="Visitors whom we met ourselves.")
    joined = serializers.IntegerField()
    first_orders = serializers.IntegerField()
    attributed_orders = serializers.IntegerField()
    attributed_sales_cents = serializers.IntegerField()
    carrying_orders = serializers.IntegerField()
    carrying_sales_cents = serializers.IntegerField()
    orders = serializers.IntegerField()
    sales_cents = serializers.IntegerField()
    discount_cents = serializers.IntegerField(help_text="Given by its offers.")


class HourOut(serializers.Serializer[hours.Hour]):
    """What one hour on the wall of the store brought."""

    starts_at = serializers.DateTimeField()
    local = serializers.CharField(help_text="Its beginning as the clock of the store shows it.")
    touches = serializers.IntegerField()
    joined = serializers.IntegerField()
    orders = serializers.IntegerField()
    revenue_cents = serializers.IntegerField(help_text="Net of refunds given in that hour.")
    cost_cents = serializers.IntegerField(help_text="The day's cost, spread over its hours.")
    coupons_issued = serializers.IntegerField()
    claims = serializers.IntegerField(help_text="Of the issued: taken by members themselves.")
    coupons_redeemed = serializers.IntegerField()


class ReservationOut(serializers.ModelSerializer[Reservation]):
    """A place on the list; the coupon is given when the campaign starts."""

    campaign = serializers.CharField(source="campaign.code")
    member = serializers.UUIDField(source="member.public_id")
    coupon = serializers.CharField(source="coupon.code", default=None, allow_null=True)

    class Meta:
        model = Reservation
        fields = ("campaign", "member", "reserved_at", "told_at", "coupon")
