"""Memberships that are paid for, and what tiers and plans give."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import benefits, plan_orders, plans
from loyalty.models import BenefitVersion, MembershipPlan, PlanOrder, PlanPurchase
from shop import members
from shop.kernel.idempotency import idempotent, request_digest
from shop.kernel.money import Cents
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import AmountField, StrictCharField, StrictSerializer, StrictUUIDField
from shop.models import Member, Payment, Store

PREPAID = {Payment.Method.STORED_VALUE, Payment.Method.GIFT_CARD}
TAKEN = [m for m in Payment.Method.values if m not in {"sandbox", "voucher", "none", *PREPAID}]
"""How a till may have been paid."""


class PlanOut(serializers.ModelSerializer[MembershipPlan]):
    """A membership to be bought."""

    class Meta:
        model = MembershipPlan
        fields = ("code", "name_zh", "name_en", "price_cents", "days")


class PurchaseRequest(StrictSerializer):
    """Who buys, and what they have paid."""

    member = StrictUUIDField()
    method = serializers.ChoiceField(choices=TAKEN)
    paid_cents = AmountField(help_text="What the guest paid: the price of the plan.")
    reference = StrictCharField(
        max_length=64, required=False, default="", help_text="Receipt number of the till."
    )


class PurchaseOut(serializers.ModelSerializer[PlanPurchase]):
    """A period of a plan."""

    plan = serializers.CharField(source="plan.code")

    class Meta:
        model = PlanPurchase
        fields = (
            "id",
            "plan",
            "price_cents",
            "method",
            "starts_at",
            "ends_at",
            "bought_at",
            "refunded_at",
            "refunded_cents",
        )


class PlanOrderRequest(StrictSerializer):
    """Which plan a member wants, at the price that they saw."""

    plan = StrictCharField(max_length=32)
    price_cents = AmountField()


class PlanOrderOut(serializers.ModelSerializer[PlanOrder]):
    """An order of a plan: waiting for the provider's word, or paid."""

    plan = serializers.CharField(source="plan.code")
    state = serializers.SerializerMethodField()
    membership = serializers.SerializerMethodField()

    class Meta:
        model = PlanOrder
        fields = ("number", "plan", "price_cents", "placed_at", "state", "membership")

    @extend_schema_field(serializers.ChoiceField(choices=["waiting", "paid"]))
    def get_state(self, order: PlanOrder) -> str:
        """Return whether the money is there."""
        return "paid" if hasattr(order, "payment") else "waiting"

    @extend_schema_field(PurchaseOut(allow_null=True))
    def get_membership(self, order: PlanOrder) -> Any:
        """Return the period that the payment began."""
        return PurchaseOut(order.payment.purchase).data if hasattr(order, "payment") else None


class BenefitOut(serializers.ModelSerializer[BenefitVersion]):
    """What members of a tier or plan have this month."""

    code = serializers.CharField(source="benefit.code")
    kind = serializers.CharField(source="benefit.kind")
    name_zh = serializers.CharField(source="benefit.name_zh")
    name_en = serializers.CharField(source="benefit.name_en")
    tier = serializers.CharField(source="benefit.tier.code", default=None, allow_null=True)
    plan = serializers.CharField(source="benefit.plan.code", default=None, allow_null=True)

    class Meta:
        model = BenefitVersion
        fields = (
            "code",
            "kind",
            "name_zh",
            "name_en",
            "tier",
            "plan",
            "coupon",
            "quantity",
            "percent",
            "amount_cents",
            "products",
            "categories",
            "text_zh",
            "text_en",
            "effective_month",
        )


class BenefitsView(APIView):
    """What tiers and plans give this month."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="benefits_list",
        tags=["points"],
        summary="List what tiers and plans give this month",
        responses={200: BenefitOut(many=True)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """List benefits."""
        found = benefits.effective(on=timezone.localdate())
        return Response(BenefitOut(found, many=True).data)


class PlansView(APIView):
    """The plans on offer."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="membership_plans_list",
        tags=["points"],
        summary="List the paid memberships on offer",
        responses={200: PlanOut(many=True)},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """List plans."""
        found = MembershipPlan.objects.filter(is_active=True).order_by("price_cents", "code")
        return Response(PlanOut(found, many=True).data)


class PlanPurchasesView(APIView):
    """Buying a plan at the till."""

    permission_classes = [callers(Kind.TILL, scope="members:write")]

    @extend_schema(
        operation_id="membership_plans_purchase",
        tags=["points"],
        summary="Sell a paid membership; a renewal begins where the last period ends",
        description="409 `plan-price-changed` with what it costs now. 409 `member-not-active`.",
        request=PurchaseRequest,
        responses={201: PurchaseOut},
        examples=[
            OpenApiExample(
                "Monthly card",
                value={
                    "member": "3f0c8e9a-6a0e-4a55-9d4a-3f8f3a4f2f10",
                    "method": "wechat",
                    "paid_cents": 1990,
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Sell a plan."""
        body = PurchaseRequest(data=request.data)
        body.is_valid(raise_exception=True)
        data, principal = body.validated_data, principal_of(request)
        bought = plans.purchase(
            code,
            member_id=members.get_active(data["member"]).pk,
            store=Store.objects.get(pk=principal.store_id),
            method=data["method"],
            paid_cents=Cents(data["paid_cents"]),
            reference=data["reference"],
            source=f"till:{request_digest(request)[:50]}",
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(PurchaseOut(bought).data, status=201)


class MeMembershipsView(APIView):
    """One's own paid memberships."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_memberships",
        tags=["me"],
        summary="List my paid memberships, the latest first",
        responses={200: PurchaseOut(many=True)},
    )
    def get(self, request: Request) -> Response:
        """List my paid memberships."""
        mine = PlanPurchase.objects.filter(member_id=principal_of(request).id)
        found = mine.select_related("plan").order_by("-ends_at", "-id")[:100]
        return Response(PurchaseOut(found, many=True).data)


class MePlanOrdersView(APIView):
    """Buying a plan, or another period of it, on the phone."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_plan_orders_place",
        tags=["me"],
        summary="Order a paid membership for myself; it begins when the provider has the money",
        description=(
            "Pay `number` with the payment provider, whose signed callback begins the period; a"
            " renewal begins where the last one ends. 409 `plan-price-changed` with what it costs"
            " now. 409 `member-not-active`."
        ),
        request=PlanOrderRequest,
        responses={201: PlanOrderOut},
        examples=[
            OpenApiExample(
                "Monthly card",
                value={"plan": "monthly-card", "price_cents": 1990},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Order a plan."""
        body = PlanOrderRequest(data=request.data)
        body.is_valid(raise_exception=True)
        order = plan_orders.place(
            body.validated_data["plan"],
            member=Member.objects.get(pk=principal_of(request).id),
            price_cents=Cents(body.validated_data["price_cents"]),
            now=timezone.now(),
        )
        return Response(PlanOrderOut(order).data, status=201)


class MePlanOrderView(APIView):
    """One order of a plan, to see whether the money is there."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_plan_order",
        tags=["me"],
        summary="Show whether my order of a membership is paid",
        responses={200: PlanOrderOut},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show an order of mine."""
        found = plan_orders.find(number, member_id=principal_of(request).id)
        return Response(PlanOrderOut(found).data)
