"""Rewards: the catalogue, those one took, giving one back, handing goods out at the counter."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty import queries, rewards
from loyalty.api import serializers
from loyalty.models import Reward, RewardRedemption
from shop.api.on_behalf import OnBehalfRequest, acting_member
from shop.kernel.idempotency import idempotent
from shop.kernel.pagination import OldestFirst
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of

TAKE = callers(Kind.TILL, Kind.MEMBER, scope="rewards:write")


class RewardsView(ListAPIView[Reward]):
    """What points buy."""

    permission_classes = [TAKE]
    serializer_class = serializers.RewardOut
    pagination_class = OldestFirst
    filter_backends = ()
    queryset = Reward.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[Reward]:
        return queries.rewards_on_offer(now=timezone.now())

    @extend_schema(
        operation_id="rewards_list", tags=["rewards"], summary="List rewards that can be had"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List rewards."""
        return super().get(request, *args, **kwargs)


class MeRedemptionsView(ListAPIView[RewardRedemption]):
    """The rewards one took."""

    permission_classes = [callers(Kind.MEMBER, scope="")]
    serializer_class = serializers.RedemptionOut
    filter_backends = ()
    queryset = RewardRedemption.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[RewardRedemption]:
        return queries.redemptions(principal_of(self.request).id)

    @extend_schema(
        operation_id="me_redemptions", tags=["me"], summary="List the rewards I took, newest first"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the rewards I took."""
        return super().get(request, *args, **kwargs)


class RedemptionCancellationView(APIView):
    """Giving an unused reward back."""

    permission_classes = [TAKE]

    @extend_schema(
        operation_id="redemptions_cancel",
        tags=["rewards"],
        summary="Give an unused reward back",
        description=(
            "Its points are free again. A till names the member. 409 `reward-not-usable`: used,"
            " returned, expired, or reserved by an order."
        ),
        request=OnBehalfRequest,
        responses={200: serializers.RedemptionOut},
        examples=[OpenApiExample("A member", value={}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Give an unused reward back."""
        member = acting_member(principal_of(request), OnBehalfRequest(data=request.data))
        redemption = rewards.cancel(code, member_id=member.pk, now=timezone.now())
        return Response(serializers.RedemptionOut(redemption).data)


class RedemptionView(APIView):
    """A reward that a guest shows at the counter."""

    permission_classes = [callers(Kind.TILL, scope="rewards:write")]

    @extend_schema(
        operation_id="redemptions_retrieve",
        tags=["rewards"],
        summary="Show what a reward code is for, and whether it can still be used",
        responses={200: serializers.RedemptionOut},
    )
    def get(self, request: Request, code: str) -> Response:
        """Show a reward that somebody took."""
        return Response(serializers.RedemptionOut(rewards.find(code)).data)


class RedemptionUseView(APIView):
    """Handing out goods."""

    permission_classes = [callers(Kind.TILL, scope="rewards:write")]

    @extend_schema(
        operation_id="redemptions_use",
        tags=["rewards"],
        summary="Hand out goods for their code",
        description=(
            "Spends the held points, once. 409 `reward-not-usable`: used, returned or expired; or,"
            " with the `reason` use-on-an-order, a drink or a topping: the order's `reward`."
        ),
        request=None,
        responses={200: serializers.RedemptionOut},
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Hand out goods."""
        till = principal_of(request)
        row = rewards.hand_out_goods(
            code, store_id=till.store_id, actor=till.key, now=timezone.now()
        )
        return Response(serializers.RedemptionOut(row).data)
