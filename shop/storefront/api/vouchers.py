"""Group-buy vouchers at the till, and what their platforms tell us."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import verifications
from campaigns.group_buying import VoucherRefused
from campaigns.models import Voucher
from campaigns.models.vouchers import Platform
from campaigns.vouchers import VoucherUsed
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import keyed, request_digest
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of, scope
from shop.kernel.serializers import StrictCharField, StrictSerializer, validated
from shop.storefront import voucher_desk
from shop.storefront.api.basket_serializers import VouchersField
from shop.storefront.voucher_desk import Desk

USE = callers(Kind.TILL, scope="coupons:write")
READ = callers(Kind.TILL, Kind.STAFF, scope="orders:read")
CODE_LENGTH = 300
ID = "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11"


class VoucherPrepareRequest(StrictSerializer):
    """What the till scanned or the guest read out."""

    platform = serializers.ChoiceField(choices=Platform.choices)
    code = StrictCharField(
        max_length=CODE_LENGTH, help_text="The code, or the link in Douyin's QR code."
    )


class VoucherVerifyRequest(StrictSerializer):
    """Vouchers of one look, to be used up together."""

    vouchers = VouchersField(is_required=True)


class VoucherOut(serializers.ModelSerializer[Voucher]):
    """A voucher as it stands. The price is what its deal sells for, and who bears it."""

    id = serializers.UUIDField(source="public_id")
    deal = serializers.CharField(
        source="deal.name", default=None, allow_null=True, help_text="Null: not accepted here."
    )
    takes_off = serializers.CharField(
        source="deal.coupon_definition.code",
        default=None,
        allow_null=True,
        help_text="The coupon definition whose discount it gives; null: it only pays.",
    )
    order = serializers.CharField(source="order.number", default=None, allow_null=True)

    class Meta:
        model = Voucher
        fields = (
            "id",
            "platform",
            "status",
            "title",
            "deal",
            "takes_off",
            "price_cents",
            "guest_cents",
            "platform_cents",
            "shop_cents",
            "order",
            "refusal",
            "expires_at",
            "verified_at",
            "cancelled_at",
        )


class VouchersOut(serializers.Serializer[Any]):
    """Vouchers of one look."""

    vouchers = VoucherOut(many=True)


class VoucherPrepareView(APIView):
    """A look at a voucher."""

    permission_classes = [USE]

    @extend_schema(
        operation_id="vouchers_prepare",
        tags=["vouchers"],
        summary="Look at a voucher of another platform",
        description=(
            "Uses nothing up. Quote with the ids to see what the guest will pay; what is looked at"
            " can be verified once. 409 `voucher-refused` in the platform's words;"
            " 409 `voucher-platform-off`; 503 `voucher-platform-silent`: try again."
        ),
        request=VoucherPrepareRequest,
        responses={200: VouchersOut},
        examples=[
            OpenApiExample(
                "Typed", value={"platform": "douyin", "code": "108800000001"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Look at a voucher."""
        body = validated(VoucherPrepareRequest, request.data)
        found = voucher_desk.prepare(
            body["platform"], body["code"], desk=_desk(request), now=timezone.now()
        )
        return Response(VouchersOut({"vouchers": found}).data)


class VoucherVerifyView(APIView):
    """The use of a voucher."""

    permission_classes = [USE]

    @extend_schema(
        operation_id="vouchers_verify",
        tags=["vouchers"],
        summary="Use vouchers up, so that they can pay for an order",
        description=(
            "202: the platform gave no answer, and the vouchers stand as `unknown`; ask for each"
            " until it is `verified` or `refused`, and let no goods go before. The same key again"
            " tells how they stand. 409 `voucher-used` shows the first use; 409 `voucher-refused`,"
            " `voucher-not-usable`, `voucher-deal-unknown`, `voucher-platform-off`."
        ),
        request=VoucherVerifyRequest,
        responses={200: VouchersOut, 202: VouchersOut},
        examples=[OpenApiExample("One", value={"vouchers": [ID]}, request_only=True)],
    )
    @keyed
    def post(self, request: Request) -> Response:
        """Use vouchers up."""
        rows = voucher_desk.verify(
            validated(VoucherVerifyRequest, request.data)["vouchers"],
            desk=_desk(request),
            claim_key=request_digest(request),
            now=timezone.now(),
        )
        return _answer(rows)


class VoucherCancelView(APIView):
    """The way back of a voucher."""

    permission_classes = [USE]

    @extend_schema(
        operation_id="vouchers_cancel",
        tags=["vouchers"],
        summary="Give a verified voucher back on its platform",
        description=(
            "Within an hour, and not while it pays for an order that is not refunded whole. 202:"
            " no answer yet. 409 `voucher-not-cancellable` with the reason; 409 `voucher-refused`:"
            " the platform keeps it."
        ),
        request=None,
        responses={200: VouchersOut, 202: VouchersOut},
    )
    @keyed
    def post(self, request: Request, voucher_id: UUID) -> Response:
        """Give a voucher back."""
        row = voucher_desk.cancel(voucher_id, desk=_desk(request), now=timezone.now())
        if row.status == Voucher.Status.VERIFIED:
            raise VoucherRefused(voucher=str(voucher_id), platform_message=row.refusal)
        return _answer([row])


class VoucherView(APIView):
    """One voucher."""

    permission_classes = [READ]

    @extend_schema(
        operation_id="vouchers_retrieve",
        tags=["vouchers"],
        summary="Show how a voucher stands",
        responses={200: VoucherOut},
    )
    def get(self, request: Request, voucher_id: UUID) -> Response:
        """Show how a voucher stands."""
        row = _visible(request).filter(public_id=voucher_id).first()
        if row is None:
            raise NotFound
        return Response(VoucherOut(row).data)


def _desk(request: Request) -> Desk:
    principal = principal_of(request)
    return Desk(store=principal.extra["store"], till_id=principal.id)


def _visible(request: Request) -> QuerySet[Voucher]:
    rows = Voucher.objects.select_related("store", "till", "order", "deal__coupon_definition")
    return scope(rows, principal_of(request), store="store_id")


def _answer(rows: list[Voucher]) -> Response:
    """Return vouchers as they stand; if none of them was taken, why not.

    Raises:
        VoucherUsed, VoucherRefused
    """
    if all(row.status == Voucher.Status.REFUSED for row in rows):
        for row in rows:
            if first_use := verifications.first_use_of(row):
                raise VoucherUsed(first_use=first_use)
        raise VoucherRefused(platform_message=rows[0].refusal)
    waits = {Voucher.Status.VERIFYING, Voucher.Status.UNKNOWN, Voucher.Status.CANCELLING}
    is_open = any(row.status in waits for row in rows)
    return Response(VouchersOut({"vouchers": rows}).data, status=202 if is_open else 200)
