"""Claiming the receipt of an order that was bought as a guest."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import stores
from shop.api.on_behalf import OnBehalfRequest, acting_member
from shop.kernel.errors import InvalidInput
from shop.kernel.idempotency import idempotent
from shop.kernel.money import Cents
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, Principal, principal_of
from shop.kernel.serializers import AmountField, StrictCharField
from shop.models import Store
from shop.storefront import receipt_claims


class ReceiptClaimRequest(OnBehalfRequest):
    """What stands on the receipt. Members name the store; a till's is that of its key."""

    receipt = StrictCharField(
        max_length=64, help_text="The order's number, or the till's own number."
    )
    amount_cents = AmountField(help_text="What was paid.")
    store = StrictCharField(max_length=16, required=False, help_text="Members only.")


class ReceiptClaimOut(serializers.Serializer[Any]):
    """What the order gave, without what was refunded before."""

    order = serializers.CharField(source="order.number")
    points_earned = serializers.IntegerField()
    balance = serializers.IntegerField(help_text="Points that can be spent now.")
    tier = serializers.CharField()


class ReceiptClaimsView(APIView):
    """Orders of guests who turn out to be members."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="orders:write")]

    @extend_schema(
        operation_id="receipt_claims_create",
        tags=["orders"],
        summary="Claim the receipt of a guest's order for its points",
        description=(
            "Within the programme's days, once per order; only what was not refunded counts. 404"
            " `receipt-unknown` when number, store and amount do not fit together or it is too old;"
            " 409 `order-not-claimable` whose `reason` is claimed or refunded; 429 after ten wrong"
            " receipts within an hour."
        ),
        request=ReceiptClaimRequest,
        responses={201: ReceiptClaimOut},
        examples=[
            OpenApiExample(
                "A member",
                value={"receipt": "T1-0042", "store": "SH001", "amount_cents": 1200},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Claim a receipt."""
        principal = principal_of(request)
        body = ReceiptClaimRequest(data=request.data)
        member = acting_member(principal, body)
        claimed = receipt_claims.claim_receipt(
            body.validated_data["receipt"],
            store=_store(principal, body.validated_data),
            amount_cents=Cents(body.validated_data["amount_cents"]),
            member_id=member.pk,
            guesser=f"receipt:{principal.key}",
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(ReceiptClaimOut(claimed).data, status=201)


def _store(principal: Principal, body: dict[str, Any]) -> Store:
    named = body.get("store")
    if principal.kind is Kind.TILL:
        if named is not None:
            raise InvalidInput(
                "/store", _("A till's store is the one of its key."), reason="unknown-field"
            )
        return Store.objects.get(pk=principal.store_id)
    if named is None:
        raise InvalidInput("/store", _("Name the store."), reason="required")
    return stores.find(named)
