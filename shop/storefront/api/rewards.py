"""Rewards that need coupons too: taking one, refunding one."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import rewards
from loyalty.api.serializers import RedemptionOut
from shop.api.on_behalf import OnBehalfRequest, acting_member
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer, validated
from shop.storefront import reward_desk


class RedemptionRefundRequest(StrictSerializer):
    """Why the points come back, and whether the thing does too."""

    reason = StrictCharField(max_length=200)
    restock = StrictBooleanField(default=False)


class RewardRedemptionsView(APIView):
    """Taking a reward."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="rewards:write")]

    @extend_schema(
        operation_id="rewards_redeem",
        tags=["rewards"],
        summary="Take a reward for points",
        description=(
            "Holds the points and answers the code that the till enters as an order's `reward`, or"
            " hands goods out for. A coupon goes into the wallet at once. A till names the member."
            " 409 `not-enough-points`; `reward-not-available`, whose `reason` is not-yet, over,"
            " out-of-stock, off-the-list; `reward-tier-too-low`, `reward-limit-reached`;"
            " `member-not-active`; for a coupon also `coupon-not-claimable`, `coupon-exhausted`,"
            " `claim-limit-reached`."
        ),
        request=OnBehalfRequest,
        responses={201: RedemptionOut},
        examples=[
            OpenApiExample("A member", value={}, request_only=True),
            OpenApiExample(
                "A till",
                value={"member": "3f0c8e9a-6a0e-4a55-9d4a-3f8f3a4f2f10"},
                request_only=True,
            ),
        ],
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Take a reward."""
        member = acting_member(principal_of(request), OnBehalfRequest(data=request.data))
        row = reward_desk.take(code, member_id=member.pk, now=timezone.now())
        return Response(RedemptionOut(row).data, status=201)


class RedemptionRefundView(APIView):
    """Giving the points of a used reward back."""

    permission_classes = [callers(Kind.STAFF, scope="rewards:refund")]

    @extend_schema(
        operation_id="redemptions_refund",
        tags=["rewards"],
        summary="Give the points of a used reward back",
        description=(
            "The points come back with the expiry that they had; `restock` puts the thing back."
            " 409 `reward-not-usable`: it is not used; `coupon-not-revocable`: its coupon is."
        ),
        request=RedemptionRefundRequest,
        responses={200: RedemptionOut},
        examples=[
            OpenApiExample("Broken cup", value={"reason": "The cup was broken."}, request_only=True)
        ],
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Refund a used reward."""
        body = validated(RedemptionRefundRequest, request.data)
        principal = principal_of(request)
        if not principal.sees_store(rewards.find(code).member.store_id):
            raise NotFound
        row = reward_desk.refund(
            code,
            reason=body["reason"],
            actor=principal.key,
            is_restocked=body["restock"],
            now=timezone.now(),
        )
        return Response(RedemptionOut(row).data)
