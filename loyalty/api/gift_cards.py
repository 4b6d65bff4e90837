"""Gift cards: sold at the till, issued by head office, looked at by who holds the code."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import gift_cards
from loyalty.api.stored_value import SELL, MoneyTenderRequest, desk_of, tenders_of
from loyalty.models import GiftCard
from shop.kernel.errors import PermissionDenied
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import (
    AmountField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)

MOST_CARDS = 200


class GiftCardSaleRequest(StrictSerializer):
    """A card's value, and the money that was taken for it."""

    face_value_cents = AmountField()
    tenders = serializers.ListField(child=MoneyTenderRequest(), min_length=1, max_length=5)


class GiftCardIssueRequest(StrictSerializer):
    """How many cards of which value; `is_paid` when somebody pays for them."""

    count = StrictIntegerField(min_value=1, max_value=MOST_CARDS)
    face_value_cents = AmountField()
    is_paid = StrictBooleanField(help_text="Cards that are given away earn no points.")
    note = StrictCharField(max_length=80, required=False, allow_blank=True, default="")


class GiftCardLookupRequest(StrictSerializer):
    """The code as it stands on the card; a POST, so that no log keeps it."""

    code = StrictCharField(max_length=40)


class GiftCardOut(serializers.ModelSerializer[GiftCard]):
    """A card and what is on it."""

    id = serializers.UUIDField(source="public_id")
    balance_cents = serializers.IntegerField(source="account.balance_cents")

    class Meta:
        model = GiftCard
        fields = ("id", "last4", "status", "face_value_cents", "balance_cents", "expires_at")


class GiftCardIssuedOut(GiftCardOut):
    """A new card with its code, which is told this once; the same key tells it again."""

    code = serializers.SerializerMethodField()

    class Meta:
        model = GiftCard
        fields = ("code", *GiftCardOut.Meta.fields)

    def get_code(self, card: GiftCard) -> str:
        """Return the code that goes with the card."""
        return str(self.context["codes"][card.pk])


class GiftCardsIssuedOut(serializers.Serializer[Any]):
    """New cards with their codes."""

    cards = GiftCardIssuedOut(many=True)


class GiftCardsView(APIView):
    """A card for sale."""

    permission_classes = [SELL]

    @extend_schema(
        operation_id="gift_cards_sell",
        tags=["stored value"],
        summary="Sell a gift card for money that the till took",
        description=(
            "The answer tells the code, once. 409 `stored-value-off` unless head office has"
            " switched gift cards on; 409 `stored-value-cap-exceeded`, `payment-mismatch`,"
            " `payment-ref-taken`."
        ),
        request=GiftCardSaleRequest,
        responses={201: GiftCardIssuedOut},
        examples=[
            OpenApiExample(
                "A card of 100 yuan",
                value={
                    "face_value_cents": 10000,
                    "tenders": [{"method": "cash", "amount_cents": 10000}],
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Sell a card."""
        body = GiftCardSaleRequest(data=request.data)
        body.is_valid(raise_exception=True)
        card, code = gift_cards.sell(
            face_value_cents=Cents(body.validated_data["face_value_cents"]),
            tenders=tenders_of(body.validated_data["tenders"]),
            desk=desk_of(request),
            now=timezone.now(),
        )
        shown = GiftCardIssuedOut(card, context={"codes": {card.pk: code}})
        return Response(shown.data, status=201)


class GiftCardIssuesView(APIView):
    """Cards of head office."""

    permission_classes = [callers(Kind.STAFF, scope="gift-cards:issue")]

    @extend_schema(
        operation_id="gift_cards_issue",
        tags=["stored value"],
        summary="Issue gift cards, sold elsewhere or given away",
        description=(
            "The answer tells the codes, once. Head office only. 409 `stored-value-off`,"
            " `stored-value-cap-exceeded`."
        ),
        request=GiftCardIssueRequest,
        responses={201: GiftCardsIssuedOut},
        examples=[
            OpenApiExample(
                "Two for a raffle",
                value={"count": 2, "face_value_cents": 5000, "is_paid": False, "note": "raffle"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Issue cards."""
        body = GiftCardIssueRequest(data=request.data)
        body.is_valid(raise_exception=True)
        principal = principal_of(request)
        if principal.store_ids is not None:
            raise PermissionDenied(_("What is not one store's own is for head office to change."))
        data: dict[str, Any] = dict(body.validated_data)
        issued = gift_cards.issue(**data, actor=principal.key, now=timezone.now())
        codes = {card.pk: code for card, code in issued}
        shown = GiftCardsIssuedOut(
            {"cards": [card for card, _code in issued]}, context={"codes": codes}
        )
        return Response(shown.data, status=201)


class GiftCardLookupView(APIView):
    """What is on a card."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="orders:read")]

    @extend_schema(
        operation_id="gift_cards_lookup",
        tags=["stored value"],
        summary="Show what is on the gift card of a code",
        description=(
            "404 `gift-card-unknown` for every code that is none; 429 `rate-limited` after a few"
            " of them within a minute."
        ),
        request=GiftCardLookupRequest,
        responses={200: GiftCardOut},
        examples=[
            OpenApiExample("A code", value={"code": "7KQM-2XWP-R9TA-3HJD"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Show a card."""
        body = GiftCardLookupRequest(data=request.data)
        body.is_valid(raise_exception=True)
        card = gift_cards.find(
            body.validated_data["code"], guesser=principal_of(request).key, now=timezone.now()
        )
        return Response(GiftCardOut(card).data)
