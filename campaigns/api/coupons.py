"""Coupons: what may be claimed, claiming it, and the wallet."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property
from django_filters import filters
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import codes, coupons, queries, revocations
from campaigns.api import coupon_serializers as serializers
from campaigns.api.code_serializers import CouponCodeRequest
from campaigns.models import Coupon, CouponDefinition
from shop import members
from shop.api.on_behalf import OnBehalfRequest, acting_member
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.pagination import ByExpiry, OldestFirst
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import validated
from shop.models import Member

ENTRY = (
    "A printed code or a word. Entering it again gives the same coupon. 404 `coupon-code-unknown`"
    " whether it does not exist, was used, ran out or is another's; 409 `claim-limit-reached`,"
    " `coupon-exhausted`, `member-not-active`; 429 `rate-limited` after ten bad codes in a minute."
)
ENTRY_EXAMPLE = OpenApiExample("A word", value={"code": "TEA2026"}, request_only=True)


class CouponDefinitionFilter(FilterSet):
    """Tills may ask for one member."""

    member = filters.UUIDFilter(method="for_member", label="Tills only: how many they have had.")

    class Meta:
        model = CouponDefinition
        fields = ("member",)

    def for_member(
        self, rows: QuerySet[CouponDefinition], name: str, value: UUID
    ) -> QuerySet[CouponDefinition]:
        """Count what a member has had; members themselves see their own in any case."""
        principal = principal_of(self.request)
        if principal.kind is not Kind.TILL:
            return rows
        return _with_taken(rows, members.find_visible(value, principal).pk)


class CouponDefinitionsView(ListAPIView[CouponDefinition]):
    """What members may claim now."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="coupons:write")]
    serializer_class = serializers.CouponDefinitionOut
    pagination_class = OldestFirst
    filterset_class = CouponDefinitionFilter
    queryset = CouponDefinition.objects.none()  # tells the schema the model

    def get_queryset(self) -> QuerySet[CouponDefinition]:
        rows = queries.claimable_definitions(now=timezone.now())
        principal = principal_of(self.request)
        return _with_taken(rows, principal.id) if principal.kind is Kind.MEMBER else rows

    @extend_schema(
        operation_id="coupon_definitions_list",
        tags=["coupons"],
        summary="List coupons that may be claimed now",
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what may be claimed now."""
        return super().get(request, *args, **kwargs)


class CouponClaimsView(APIView):
    """Putting a coupon into a wallet."""

    permission_classes = [callers(Kind.TILL, Kind.MEMBER, scope="coupons:write")]

    @extend_schema(
        operation_id="coupon_definitions_claim",
        tags=["coupons"],
        summary="Claim a coupon",
        description=(
            "A till names the member. 409 `coupon-not-claimable`, `coupon-exhausted`,"
            " `claim-limit-reached`, `member-not-active`."
        ),
        request=OnBehalfRequest,
        responses={201: serializers.CouponOut},
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
        """Claim a coupon."""
        member = acting_member(principal_of(request), OnBehalfRequest(data=request.data))
        now = timezone.now()
        coupon = coupons.claim(code, member_id=member.pk, now=now)
        return Response(serializers.CouponOut(coupon, context={"now": now}).data, status=201)


class CouponGivingView(APIView):
    """A coupon that staff put into a wallet: to make good for something, or by agreement."""

    permission_classes = [callers(Kind.STAFF, scope="coupons:issue")]

    @extend_schema(
        operation_id="coupon_definitions_give",
        tags=["coupons"],
        summary="Give a member a coupon",
        description=(
            "Within the definition's limits, whether or not members may claim it. 409"
            " `coupon-not-claimable`, `coupon-exhausted`, `claim-limit-reached`,"
            " `member-not-active`."
        ),
        request=serializers.GivingRequest,
        responses={201: serializers.CouponOut},
        examples=[
            OpenApiExample(
                "An apology",
                value={"member": "3f0c8e9a-6a0e-4a55-9d4a-3f8f3a4f2f10"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Give a member a coupon."""
        body = validated(serializers.GivingRequest, request.data)
        principal = principal_of(request)
        member = members.get_active(members.find_visible(body["member"], principal).public_id)
        now = timezone.now()
        coupon = coupons.give(code, member_id=member.pk, source=f"given:{principal.key}", now=now)
        return Response(serializers.CouponOut(coupon, context={"now": now}).data, status=201)


class CouponRevocationView(APIView):
    """Taking a coupon back."""

    permission_classes = [callers(Kind.STAFF, scope="coupons:revoke")]

    @extend_schema(
        operation_id="coupons_revoke",
        tags=["coupons"],
        summary="Revoke a coupon",
        description=(
            "One that an unpaid order holds may still be paid with; it does not come back from"
            " there. 409 `coupon-not-revocable`: expired, given away or revoked already."
        ),
        request=serializers.RevocationRequest,
        responses={200: serializers.CouponOut},
        examples=[
            OpenApiExample("A mistake", value={"reason": "issued by mistake"}, request_only=True)
        ],
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Revoke a coupon."""
        body = validated(serializers.RevocationRequest, request.data)
        principal, now = principal_of(request), timezone.now()
        coupon = queries.visible_coupons(principal).filter(code=code).first()
        if coupon is None:
            raise NotFound
        coupon = revocations.revoke(coupon, reason=body["reason"], actor=principal.key, now=now)
        return Response(serializers.CouponOut(coupon, context={"now": now}).data)


class WalletView(ListAPIView[Coupon]):
    """A member's coupons, the soonest to expire first."""

    serializer_class = serializers.CouponOut
    pagination_class = ByExpiry
    filter_backends = ()

    @cached_property
    def now(self) -> datetime:
        """Return one moment for the whole answer."""
        return timezone.now()

    def member_id(self) -> int:
        """Return whose wallet it is."""
        return principal_of(self.request).id

    def get_queryset(self) -> QuerySet[Coupon]:
        query = serializers.WalletQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return queries.wallet(self.member_id(), now=self.now, status=query.validated_data["status"])

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": self.now}


class MeCouponsView(WalletView):
    """One's own wallet."""

    permission_classes = [callers(Kind.MEMBER)]

    @extend_schema(
        operation_id="me_coupons",
        tags=["me"],
        summary="List my coupons, the soonest to expire first",
        parameters=[serializers.WalletQuery],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List my coupons."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="me_enter_coupon_code",
        tags=["me"],
        summary="Enter a code; its coupon comes into my wallet",
        description=ENTRY,
        request=CouponCodeRequest,
        responses={201: serializers.CouponOut},
        examples=[ENTRY_EXAMPLE],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a code."""
        principal = principal_of(request)
        return _enter_code(
            request,
            members.get_active(principal.extra["public_id"]),
            guesser=codes.guesser(till_id=None, member=principal.extra["public_id"]),
        )


class MemberCouponsView(WalletView):
    """The wallet of the guest at the counter."""

    def get_permissions(self) -> list[Any]:
        if self.request.method == "POST":
            return [callers(Kind.TILL, scope="coupons:write")()]
        return [callers(Kind.TILL, Kind.STAFF, scope="members:read")()]

    def member_id(self) -> int:
        return members.find_visible(self.kwargs["member_id"], principal_of(self.request)).pk

    @extend_schema(
        operation_id="members_coupons",
        tags=["members"],
        summary="List a member's coupons, the soonest to expire first",
        parameters=[serializers.WalletQuery],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List a member's coupons."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="members_enter_coupon_code",
        tags=["members"],
        summary="Enter a code for a member; its coupon comes into their wallet",
        description=ENTRY,
        request=CouponCodeRequest,
        responses={201: serializers.CouponOut},
        examples=[ENTRY_EXAMPLE],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Enter a code for a member."""
        member = members.get_active(member_id)
        till_id = principal_of(request).id
        return _enter_code(
            request, member, guesser=codes.guesser(till_id=till_id, member=member_id)
        )


def _enter_code(request: Request, member: Member, *, guesser: str) -> Response:
    body = CouponCodeRequest(data=request.data)
    body.is_valid(raise_exception=True)
    now = timezone.now()
    coupon = codes.enter(body.validated_data["code"], member_id=member.pk, guesser=guesser, now=now)
    return Response(serializers.CouponOut(coupon, context={"now": now}).data, status=201)


def _with_taken(rows: QuerySet[CouponDefinition], member_id: int) -> QuerySet[CouponDefinition]:
    taken = Count("coupons", filter=Q(coupons__member_id=member_id))
    return rows.annotate(taken=taken)
