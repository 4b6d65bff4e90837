"""What tills sold while they could not reach us."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import prepaid
from shop.kernel import problems
from shop.kernel.errors import DomainError
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import (
    AmountField,
    StrictCharField,
    StrictSerializer,
    StrictUUIDField,
    validated,
)
from shop.models import OrderType
from shop.storefront import offline_sales
from shop.storefront.api.basket_serializers import MAX_LINES, BasketLineRequest
from shop.storefront.api.order_serializers import TenderRequest
from shop.storefront.offline_sales import MOST_DAYS, Sold, SoldLine

MOST_SALES = 200
REVIEWS = ["price", "member"]


class SoldLineRequest(BasketLineRequest):
    """A product as it was sold."""

    unit_price_cents = AmountField(
        min_value=0, required=False, help_text="What a piece cost; without it, as on the menu."
    )

    def to_sold(self, data: dict[str, Any]) -> SoldLine:
        """Return the validated data as the flow takes it."""
        return SoldLine(line=self.to_line(data), unit_price_cents=data.get("unit_price_cents"))


class SaleRequest(StrictSerializer):
    """A sale as the till remembers it; without tenders all of it was cash."""

    pos_order_no = StrictCharField(
        max_length=64, help_text="The till's own number; unique in its store, repeats nothing."
    )
    sold_at = serializers.DateTimeField()
    order_type = serializers.ChoiceField(choices=OrderType.choices, default=OrderType.PICKUP)
    lines = serializers.ListField(
        child=SoldLineRequest(), min_length=1, max_length=MAX_LINES, allow_empty=False
    )
    tenders = serializers.ListField(
        child=TenderRequest(), required=False, min_length=1, max_length=5
    )
    member = StrictUUIDField(required=False, help_text="Whom the till knew.")

    def validate_tenders(self, tenders: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Nobody could look offline what a wallet or a card holds."""
        if any(tender["method"] in prepaid.METHODS for tender in tenders):
            raise serializers.ValidationError(
                _("Stored value and gift cards cannot pay offline."), code="method"
            )
        return tenders

    def to_sold(self, data: dict[str, Any]) -> Sold:
        """Return the validated data as the flow takes it."""
        return Sold(
            pos_order_no=data["pos_order_no"],
            sold_at=data["sold_at"],
            order_type=data["order_type"],
            lines=[SoldLineRequest().to_sold(line) for line in data["lines"]],
            tenders=[TenderRequest().to_tender(each) for each in data["tenders"]]
            if "tenders" in data
            else None,
            member=data.get("member"),
        )


class OfflineSalesRequest(StrictSerializer):
    """A batch of sales, in any order."""

    sales = serializers.ListField(child=SaleRequest(), min_length=1, max_length=MOST_SALES)


class SaleResult(serializers.Serializer[Any]):
    """What became of one sale."""

    pos_order_no = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["created", "duplicate", "refused"])
    order = serializers.CharField(required=False, help_text="Its number here.")
    points_earned = serializers.IntegerField(required=False)
    reviews = serializers.ListField(
        child=serializers.ChoiceField(choices=REVIEWS),
        required=False,
        help_text="What a person will look at: a price that is not the menu's, an unusable member.",
    )
    problem = serializers.DictField(required=False, help_text="Why it was refused.")


class OfflineSalesTaken(serializers.Serializer[Any]):
    """What became of each sale, in the order sent."""

    results = SaleResult(many=True)


class OfflineSalesView(APIView):
    """Where tills bring what they sold alone."""

    permission_classes = [callers(Kind.TILL, scope="orders:write")]

    @extend_schema(
        operation_id="offline_sales_create",
        tags=["orders"],
        summary="Take in what a till sold while it was offline",
        description=(
            f"Up to {MOST_SALES} sales of the last {MOST_DAYS} days, in any order, each by itself:"
            " one that is refused keeps out no other. A `pos_order_no` counts once, however often"
            " it is sent, also if its settling went through and only the answer was lost; so a"
            " batch is simply sent again, and no Idempotency-Key is needed. What was charged is"
            " what was sold: a price that is not the menu's, or a member who cannot be found or"
            " served, is taken in and left to a person (`reviews`). Members get the points of a"
            " claimed receipt. Coupons, points, rewards, vouchers and stored value cannot be used"
            " offline. `problem` of a refused sale: `sale-time-impossible`, `payment-mismatch`,"
            " `payment-ref-taken`, `pos-order-no-taken` (by a sale of another amount),"
            " `invalid-input`. A batch of another form is refused as a whole."
        ),
        request=OfflineSalesRequest,
        responses={200: OfflineSalesTaken},
        examples=[
            OpenApiExample(
                "One cup",
                value={
                    "sales": [
                        {
                            "pos_order_no": "T1-20261124-0042",
                            "sold_at": "2026-11-24T18:05:00+08:00",
                            "lines": [
                                {
                                    "product": "MT01",
                                    "options": {"size": "M", "temp": "ice_std", "sugar": "s70"},
                                    "unit_price_cents": 1200,
                                }
                            ],
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Take in a batch of sales."""
        body = validated(OfflineSalesRequest, request.data)
        principal = principal_of(request)
        results = [_taken(SaleRequest().to_sold(data), principal) for data in body["sales"]]
        return Response(OfflineSalesTaken({"results": results}).data)


def _taken(sold: Sold, principal: Principal) -> dict[str, Any]:
    try:
        taken = offline_sales.take_in(
            sold,
            store=principal.extra["store"],
            till_id=principal.id,
            actor=principal.key,
            now=timezone.now(),
        )
    except DomainError as refusal:
        return {
            "pos_order_no": sold.pos_order_no,
            "outcome": "refused",
            "problem": problems.problem_of(refusal),
        }
    return {
        "pos_order_no": sold.pos_order_no,
        "outcome": "created" if taken.is_new else "duplicate",
        "order": taken.order.number,
        "points_earned": taken.points_earned,
        "reviews": taken.reviews,
    }
