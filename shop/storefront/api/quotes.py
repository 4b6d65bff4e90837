"""What a basket costs, and why; what each coupon would save on it."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import shown, validated
from shop.storefront import explanations, quotes, savings
from shop.storefront.api import quote_serializers as serializers
from shop.storefront.api.baskets import BASKET_EXAMPLE, basket_of

WRITE = callers(Kind.TILL, Kind.MEMBER, scope="orders:write")
EXPLAIN = callers(Kind.TILL, Kind.MEMBER, Kind.STAFF, scope="orders:read")


class QuoteView(APIView):
    """The price of a basket."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="quotes_create",
        tags=["quotes"],
        summary="Price a basket",
        description=(
            "Writes nothing and reserves nothing. Each entered code is applied or refused. 409"
            " `product-not-available`, `member-required`, `member-not-active`."
        ),
        request=serializers.QuoteRequest,
        responses={200: serializers.Quote},
        examples=[OpenApiExample("Two cups", value=BASKET_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Price a basket."""
        basket = basket_of(request, validated(serializers.QuoteRequest, request.data))
        return Response(shown(serializers.Quote, quotes.quote(basket, now=timezone.now())))


class QuoteExplanationView(APIView):
    """Why a basket costs what it costs."""

    permission_classes = [EXPLAIN]

    @extend_schema(
        operation_id="quotes_explain",
        tags=["quotes"],
        summary="Explain the price of a basket, offer by offer",
        description=(
            "Writes nothing. Tills and staff see each offer with every condition: what was needed,"
            " what there is; and whether an unknown code is in another member's wallet. A member"
            " sees which applied, and why each other one did not. Staff name the store. 409 as for"
            " a quote."
        ),
        request=serializers.QuoteRequest,
        responses={200: serializers.QuoteExplanation},
        examples=[OpenApiExample("Two cups", value=BASKET_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Explain the price of a basket."""
        basket = basket_of(request, validated(serializers.QuoteRequest, request.data))
        sees_all = principal_of(request).kind is not Kind.MEMBER
        explanation = explanations.explain(basket, sees_all=sees_all, now=timezone.now())
        return Response(serializers.QuoteExplanation(explanation).data)


class QuoteWalletView(APIView):
    """Which coupons to use on a basket."""

    permission_classes = [WRITE]

    @extend_schema(
        operation_id="quotes_wallet",
        tags=["quotes"],
        summary="Show what each coupon of the wallet would save on a basket",
        description=(
            "Writes nothing. The best first, with why not where one gives nothing, and the best"
            " together: what an order with exactly these codes costs. The 50 soonest to expire are"
            " looked at. 409 as for a quote."
        ),
        request=serializers.WalletQuoteRequest,
        responses={200: serializers.WalletQuote},
        examples=[OpenApiExample("Two cups", value=BASKET_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Show what each coupon of the wallet would save."""
        basket = basket_of(request, validated(serializers.WalletQuoteRequest, request.data))
        found = savings.on(basket, now=timezone.now())
        return Response(serializers.WalletQuote(found).data)
