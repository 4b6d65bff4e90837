"""Orders: placed, paid, made, given back."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of, scope
from shop.kernel.serializers import shown, validated
from shop.models import Order
from shop.orders import Tender
from shop.storefront import checkout, kitchen, payments, refunds
from shop.storefront.api import order_serializers as serializers
from shop.storefront.api import quote_serializers
from shop.storefront.api.baskets import BASKET_EXAMPLE, basket_of
from shop.storefront.quotes import QuoteChanged

READ = callers(Kind.TILL, Kind.MEMBER, Kind.STAFF, scope="orders:read")
WRITE = callers(Kind.TILL, Kind.MEMBER, scope="orders:write")
TILL_WRITE = callers(Kind.TILL, scope="orders:write")
COUNTER_WRITE = callers(Kind.TILL, Kind.STAFF, scope="orders:write")


class OrderPricingView(APIView):
    """Why an order cost what it cost."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="orders:read")]

    @extend_schema(
        operation_id="orders_pricing",
        tags=["orders"],
        summary="Show how each offer fared when an order was priced",
        description="As it was kept with the order: every condition, needed and found.",
        responses={200: serializers.PricingTrace},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show the trace that was kept with an order."""
        order = _found(_visible_orders(principal_of(request)).filter(number=number).first())
        return Response(
            serializers.PricingTrace({"order": number, "trace": order.pricing_trace}).data
        )


class OrderFilter(django_filters.FilterSet):
    """How a list of orders is narrowed."""

    status = django_filters.ChoiceFilter(choices=Order.Status.choices)
    business_date = django_filters.DateFilter()
    member = django_filters.UUIDFilter(field_name="member__public_id")
    store = django_filters.CharFilter(field_name="store__code")

    class Meta:
        model = Order
        fields = ("status", "business_date", "member", "store", "pos_order_no")


class OrdersView(ListAPIView[Order]):
    """The orders a caller may see, and placing a new one."""

    permission_classes = [READ]
    serializer_class = serializers.OrderSummary
    filterset_class = OrderFilter
    queryset = Order.objects.none()  # tells the schema the model

    def get_permissions(self) -> list[Any]:
        return [WRITE()] if self.request.method == "POST" else [READ()]

    def get_queryset(self) -> QuerySet[Order]:
        return _visible_orders(principal_of(self.request))

    @extend_schema(operation_id="orders_list", tags=["orders"], summary="List orders, newest first")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List orders."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="orders_create",
        tags=["orders"],
        summary="Place an order",
        description=(
            "Holds its coupons, points and reward for 15 minutes. 409 `quote-changed` carries the"
            " new quote; 409 `coupon-not-usable`, `offer-limit-reached`, `not-enough-points`,"
            " `reward-not-usable`: taken"
            " by another order meanwhile; 409 `product-not-available`, `member-required`."
        ),
        request=serializers.OrderRequest,
        responses={201: serializers.OrderPlaced},
        examples=[
            OpenApiExample(
                "Two cups",
                value=BASKET_EXAMPLE | {"expected_total_cents": 4200},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Place an order."""
        body = validated(serializers.OrderRequest, request.data)
        basket = basket_of(request, body)
        with _quote_in_problem():
            order = checkout.place_order(
                basket,
                expected_total_cents=Cents(body["expected_total_cents"]),
                now=timezone.now(),
            )
        return Response(shown(serializers.OrderPlaced, order), status=201)


class SettleView(APIView):
    """A sale at the till."""

    permission_classes = [TILL_WRITE]

    @extend_schema(
        operation_id="pos_settle",
        tags=["orders"],
        summary="Place and pay an order at once",
        description=(
            "For a till that has the money already. 409 `quote-changed` carries the new quote; 409"
            " `pos-order-no-taken` names the order that has this till number; 409"
            " `payment-mismatch`, `coupon-not-usable`, `offer-limit-reached`, `not-enough-points`,"
            " `reward-not-usable`; 409 `voucher-not-usable`, `voucher-not-applicable`: the basket"
            " does not hold what the deal is for."
        ),
        request=serializers.SettleRequest,
        responses={201: serializers.Receipt},
        examples=[
            OpenApiExample(
                "Cash",
                value=BASKET_EXAMPLE
                | {"expected_total_cents": 4200, "pos_order_no": "T1-20261122-0001"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Place and pay an order at once."""
        body = validated(serializers.SettleRequest, request.data)
        basket = basket_of(request, body)
        total = Cents(body["expected_total_cents"])
        with _quote_in_problem():
            receipt = checkout.settle_order(
                basket,
                tenders=_tenders(body["tenders"]) if "tenders" in body else None,
                expected_total_cents=total,
                pos_order_no=body["pos_order_no"],
                actor=principal_of(request).key,
                now=timezone.now(),
            )
        return Response(shown(serializers.Receipt, receipt), status=201)


class OrderView(APIView):
    """One order."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="orders_retrieve",
        tags=["orders"],
        summary="Show an order with its lines",
        responses={200: serializers.OrderDetail},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show an order with its lines."""
        order = (
            _visible_orders(principal_of(request)).prefetch_related("lines").filter(number=number)
        )
        return Response(serializers.OrderDetail(_found(order.first())).data)


class OrderPaymentView(APIView):
    """The payment of one order: reported by the till that took the money, or from one's wallet."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="orders_pay",
        tags=["orders"],
        summary="Pay a placed order",
        description=(
            "A till reports what it took. Members pay their own orders from their wallet and with"
            " gift cards; anything else is 403, since a phone takes no money. 409"
            " `order-not-payable`, `payment-mismatch`, `pay-code-wrong`, `not-enough-stored-value`."
        ),
        request=serializers.PaymentRequest,
        responses={200: serializers.Receipt},
        examples=[
            OpenApiExample(
                "WeChat Pay",
                value={"tenders": [{"method": "wechat", "amount_cents": 4200}]},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Pay a placed order; the member earns points."""
        body = serializers.PaymentRequest(data=request.data)
        body.is_valid(raise_exception=True)
        principal, now = principal_of(request), timezone.now()
        _ensure_visible(principal, number)
        tenders = _tenders(body.validated_data["tenders"])
        pay = payments.pay_own if principal.kind is Kind.MEMBER else checkout.pay_order
        receipt = pay(number=number, tenders=tenders, actor=principal.key, now=now)
        return Response(shown(serializers.Receipt, receipt))


class OrderCancellationView(APIView):
    """Giving up an order that was not paid."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, Kind.STAFF, scope="orders:write")]

    @extend_schema(
        operation_id="orders_cancel",
        tags=["orders"],
        summary="Cancel an unpaid order",
        description="Frees what it held. 409 `order-not-cancellable`: paid already, or cancelled.",
        request=None,
        responses={200: serializers.OrderSummary},
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Cancel an unpaid order."""
        _ensure_visible(principal_of(request), number)
        order = checkout.cancel_order(
            number=number, actor=principal_of(request).key, now=timezone.now()
        )
        return Response(serializers.OrderSummary(order).data)


class OrderRefundsView(APIView):
    """Money given back for an order."""

    permission_classes = [COUNTER_WRITE]

    @extend_schema(
        operation_id="orders_refund",
        tags=["orders"],
        summary="Refund an order by lines, by amount or whole",
        description=(
            "Points follow the money in proportion; coupons and rewards come back with a whole"
            " refund, as their policy says. 409 `order-not-refundable`, `refund-too-large`."
        ),
        request=serializers.RefundOrderRequest,
        responses={201: serializers.RefundOut},
        examples=[
            OpenApiExample(
                "One cup",
                value={"lines": [{"line": 1, "quantity": 1}], "reason": "spilled"},
                request_only=True,
            ),
            OpenApiExample("Everything", value={}, request_only=True),
        ],
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Refund an order."""
        body = serializers.RefundOrderRequest(data=request.data)
        body.is_valid(raise_exception=True)
        _ensure_visible(principal_of(request), number)
        refund = refunds.refund_order(
            number=number,
            request=body.to_request(),
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return Response(serializers.RefundOut(refund).data, status=201)


class OrderStatusView(APIView):
    """The kitchen's progress."""

    permission_classes = [COUNTER_WRITE]

    @extend_schema(
        operation_id="orders_advance",
        tags=["orders"],
        summary="Record a step of the kitchen",
        description="409 `step-not-allowed` when the order cannot take this step now.",
        request=serializers.StepRequest,
        responses={200: serializers.OrderSummary},
        examples=[OpenApiExample("Ready", value={"status": "ready"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, number: str) -> Response:
        """Record a step of the kitchen."""
        body = serializers.StepRequest(data=request.data)
        body.is_valid(raise_exception=True)
        _ensure_visible(principal_of(request), number)
        order = kitchen.advance_order(
            number,
            to=body.validated_data["status"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return Response(serializers.OrderSummary(order).data)


class _quote_in_problem:  # noqa: N801 - reads as a statement
    """Put the new quote into the problem as the API shows quotes."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, QuoteChanged):
            error.members["quote"] = shown(quote_serializers.Quote, error.members["quote"])


def _tenders(data: list[dict[str, Any]]) -> list[Tender]:
    return [serializers.TenderRequest().to_tender(item) for item in data]


def _visible_orders(principal: Principal) -> QuerySet[Order]:
    rows = Order.objects.select_related("store", "member")
    return scope(rows, principal, store="store_id", member="member_id")


def _ensure_visible(principal: Principal, number: str) -> None:
    if not _visible_orders(principal).filter(number=number).exists():
        raise NotFound


def _found(order: Order | None) -> Order:
    if order is None:
        raise NotFound
    return order
