"""What head office asks about an offer before it runs: what it says, and what it would cost."""

from typing import Any

from django.db.models import Model
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import definitions, loss_guard, offer_texts
from campaigns.models import CouponDefinition, Promotion
from shop.kernel.errors import NotFound
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of

MOST = 100


class SummaryOut(serializers.Serializer[Any]):
    """An offer in plain words."""

    zh = serializers.CharField()
    en = serializers.CharField()


class CombinationOut(serializers.Serializer[Any]):
    """Offers that together sell an article at a price; `unit_cents` is what one costs on average.

    `is_loss` when that is below the floor, and cheaper than without the offer asked about.
    """

    product = serializers.CharField()
    sku = serializers.CharField()
    topping = serializers.CharField(help_text="The topping in each unit; empty for none.")
    quantity = serializers.IntegerField(help_text="Units in the cart.")
    list_cents = serializers.IntegerField()
    unit_cents = serializers.IntegerField()
    floor_cents = serializers.IntegerField()
    is_loss = serializers.BooleanField()
    offers = serializers.ListField(
        child=serializers.CharField(), help_text="Codes, in the order in which they are applied."
    )
    store = serializers.CharField()
    at = serializers.DateTimeField(help_text="A moment at which they all apply, store time.")


class LossCheckOut(serializers.Serializer[Any]):
    """The cheapest sale of each article that the offer takes part in, the worst first."""

    code = serializers.CharField()
    status = serializers.CharField()
    summary = SummaryOut()
    worst_loss_cents = serializers.IntegerField(help_text="Below the floor, per unit; 0 for none.")
    approved_loss_cents = serializers.IntegerField(
        allow_null=True, help_text="What a second person has agreed to."
    )
    needs_approval = serializers.BooleanField()
    combinations = CombinationOut(many=True)


EXAMPLE = OpenApiExample(
    "Three offers that sell a cup of ¥12 for ¥1.20",
    value={
        "code": "HALF",
        "status": "draft",
        "summary": {"zh": "打5折。", "en": "50% off."},
        "worst_loss_cents": 380,
        "approved_loss_cents": None,
        "needs_approval": True,
        "combinations": [
            {
                "product": "MT01",
                "sku": "MT01-M",
                "topping": "",
                "quantity": 1,
                "list_cents": 1200,
                "unit_cents": 120,
                "floor_cents": 500,
                "is_loss": True,
                "offers": ["FIVE", "HALF", "WELCOME"],
                "store": "SH001",
                "at": "2026-06-18T14:00:00+08:00",
            }
        ],
    },
    response_only=True,
)
DESCRIPTION = (
    "Prices every article of the menu with the offer and all that it can be combined with, by the"
    " evaluator of quotes. Head office only. docs/pricing.md says what is looked at."
)


class LossCheckView(APIView):
    """The loss guard, asked before activation."""

    permission_classes = [callers(Kind.STAFF, scope="campaigns:read")]
    model: type[Model]

    def answer(self, request: Request, code: str) -> Response:
        """Return the findings about one offer."""
        offer: Any = self.model._default_manager.filter(code=code).first()
        if offer is None or principal_of(request).store_ids is not None:
            raise NotFound
        findings = loss_guard.check(offer, now=timezone.now())
        worst = definitions.worst_loss(loss_guard.losses(findings))
        text = offer_texts.of(offer, names=offer_texts.load_names())
        found = {
            "code": offer.code,
            "status": offer.status,
            "summary": {"zh": text.zh, "en": text.en},
            "worst_loss_cents": worst,
            "approved_loss_cents": offer.approved_loss_cents,
            "needs_approval": worst > (offer.approved_loss_cents or 0),
            "combinations": [definitions.as_json(finding) for finding in findings[:MOST]],
        }
        return Response(LossCheckOut(found).data)


class PromotionLossCheckView(LossCheckView):
    """The loss guard about a promotion."""

    model = Promotion

    @extend_schema(
        operation_id="promotions_loss_check",
        tags=["campaigns"],
        summary="Show what a promotion would sell at which price, with all it can be combined with",
        description=DESCRIPTION,
        responses={200: LossCheckOut},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, code: str) -> Response:
        """Check a promotion."""
        return self.answer(request, code)


class CouponLossCheckView(LossCheckView):
    """The loss guard about a coupon definition."""

    model = CouponDefinition

    @extend_schema(
        operation_id="coupon_definitions_loss_check",
        tags=["coupons"],
        summary="Show what a coupon would sell at which price, with all it can be combined with",
        description=DESCRIPTION,
        responses={200: LossCheckOut},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, code: str) -> Response:
        """Check a coupon definition."""
        return self.answer(request, code)
