"""Paid memberships given back at the till."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from loyalty.api.plans import PurchaseOut
from shop import members
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictSerializer, StrictUUIDField
from shop.storefront import plan_returns


class PlanMemberRequest(StrictSerializer):
    """Whose period it is."""

    member = StrictUUIDField()


class PlanRefundView(APIView):
    """Giving a plan back at the till."""

    permission_classes = [callers(Kind.TILL, scope="members:write")]

    @extend_schema(
        operation_id="memberships_refund",
        tags=["points"],
        summary="Give a paid membership back for its unused whole days",
        description=(
            "`refunded_cents` is what the till gives back; where the member paid on the phone the"
            " provider sends it back. Its benefits end now, and its unused coupons are gone. 409"
            " `plan-not-refundable`: over, given back already, or followed"
            " by another period."
        ),
        request=PlanMemberRequest,
        responses={200: PurchaseOut},
        examples=[
            OpenApiExample(
                "Whose", value={"member": "3f0c8e9a-6a0e-4a55-9d4a-3f8f3a4f2f10"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request, purchase_id: int) -> Response:
        """Give a plan back."""
        body = PlanMemberRequest(data=request.data)
        body.is_valid(raise_exception=True)
        member = members.get_active(body.validated_data["member"])
        found = plan_returns.give_back(
            purchase_id,
            member_id=member.pk,
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return Response(PurchaseOut(found).data)
