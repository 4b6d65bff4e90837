"""Giving coupons to friends: the link, taking it, taking it back, and what became of it."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import transfers
from campaigns.api import coupon_serializers as serializers
from campaigns.models import CouponTransfer
from shop import members
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import validated


class CouponTransferView(APIView):
    """The link by which a friend may have a coupon of mine."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_coupons_transfer",
        tags=["me"],
        summary="Make a link that gives a coupon to a friend",
        description=(
            "The token works once, for 24 hours at most; a new link takes the older one back. Until"
            " somebody accepts it the coupon stays usable. 409 `coupon-not-transferable`."
        ),
        request=None,
        responses={201: serializers.OfferedOut},
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Make a link that gives a coupon to a friend."""
        member_id, now = principal_of(request).id, timezone.now()
        offered = transfers.offer(code, member_id=member_id, now=now)
        context = {"member_id": member_id, "now": now}
        shown = serializers.TransferOut(offered.transfer, context=context).data
        return Response({"token": offered.token, **shown}, status=201)


class CouponTransferCancellationView(APIView):
    """Taking a link back."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_coupons_transfer_cancel",
        tags=["me"],
        summary="Take the link of a coupon back",
        description="409 `transfer-not-open`: accepted already, taken back, or too old.",
        request=None,
        responses={200: serializers.CouponOut},
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Take the link of a coupon back."""
        now = timezone.now()
        coupon = transfers.cancel(code, member_id=principal_of(request).id, now=now)
        return Response(serializers.CouponOut(coupon, context={"now": now}).data)


class TransferAcceptancesView(APIView):
    """Taking what a friend gives."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="coupon_transfers_accept",
        tags=["coupons"],
        summary="Accept a coupon from a friend",
        description=(
            "Of all who have the link the first gets the coupon, with its own end. 404: no such"
            " link. 409 `transfer-not-open`, `transfer-to-self`, `coupon-not-usable`,"
            " `claim-limit-reached`, `member-not-active`."
        ),
        request=serializers.AcceptanceRequest,
        responses={201: serializers.CouponOut},
        examples=[
            OpenApiExample(
                "From a link", value={"token": "8Jm3kQ0Zb1xY2cW5vN7tR9uP"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Accept a coupon from a friend."""
        body = validated(serializers.AcceptanceRequest, request.data)
        member = members.get_active(principal_of(request).extra["public_id"])
        now = timezone.now()
        coupon = transfers.accept(body["token"], member_id=member.pk, now=now)
        return Response(serializers.CouponOut(coupon, context={"now": now}).data, status=201)


class MeTransfersView(ListAPIView[CouponTransfer]):
    """What I gave and what I was given."""

    permission_classes = [callers(Kind.MEMBER, scope="")]
    serializer_class = serializers.TransferOut
    filter_backends = ()
    queryset = CouponTransfer.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[CouponTransfer]:
        return transfers.history(principal_of(self.request).id)

    def get_serializer_context(self) -> dict[str, Any]:
        member_id = principal_of(self.request).id
        return {**super().get_serializer_context(), "now": timezone.now(), "member_id": member_id}

    @extend_schema(
        operation_id="me_coupon_transfers",
        tags=["me"],
        summary="List coupons I gave and received, newest first",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List coupons I gave and received."""
        return super().get(request, *args, **kwargs)
