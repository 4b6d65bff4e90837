"""What opinion leaders have on the house."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictCharField, StrictSerializer, validated
from shop.models.catalog import OrderType
from shop.storefront import hospitality
from shop.storefront.api.basket_serializers import MAX_LINES, BasketLineRequest
from shop.storefront.api.order_serializers import OrderDetail
from shop.storefront.baskets import Basket


class HouseOrderRequest(StrictSerializer):
    """What the visitor has; it costs them nothing."""

    order_type = serializers.ChoiceField(choices=OrderType.choices, default=OrderType.PICKUP)
    lines = serializers.ListField(
        child=BasketLineRequest(), min_length=1, max_length=MAX_LINES, allow_empty=False
    )
    pos_order_no = StrictCharField(
        max_length=64, help_text="The till's own number; unique in its store."
    )


class KolVisitOrderView(APIView):
    """The order of a visit."""

    permission_classes = [callers(Kind.TILL, scope="orders:write")]

    @extend_schema(
        operation_id="kol_visits_order",
        tags=["partners"],
        summary="Settle what a visiting opinion leader has on the house",
        description=(
            "An order like any other for the kitchen and the stock; no sale, and nobody's: no"
            " points, no visit, no credit to a channel. On the day of the visit, once: 409"
            " `visit-not-due`, `visit-limit-exceeded`, `pos-order-no-taken`,"
            " `product-not-available`."
        ),
        request=HouseOrderRequest,
        responses={201: OrderDetail},
        examples=[
            OpenApiExample(
                "One cup",
                value={
                    "lines": [
                        {
                            "product": "MT01",
                            "options": {"size": "M", "temp": "ice_std", "sugar": "s70"},
                        }
                    ],
                    "pos_order_no": "T1-20260618-0042",
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, visit_id: UUID) -> Response:
        """Settle the order of a visit."""
        body = validated(HouseOrderRequest, request.data)
        principal = principal_of(request)
        line = BasketLineRequest()
        basket = Basket(
            store=principal.extra["store"],
            till_id=principal.id,
            member=None,
            order_type=body["order_type"],
            lines=[line.to_line(item) for item in body["lines"]],
        )
        order = hospitality.serve_visit(
            visit_id,
            basket,
            pos_order_no=body["pos_order_no"],
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(OrderDetail(order).data, status=201)
