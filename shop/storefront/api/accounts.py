"""Memberships frozen, closed, merged and erased, by staff; and erased by their own members."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop import accounts, members
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import StrictCharField, StrictSerializer, StrictUUIDField, validated
from shop.models import Member
from shop.storefront import departures, merging
from shop.storefront.merging import Merged

FREEZE = callers(Kind.STAFF, scope="members:freeze")
MERGE = callers(Kind.STAFF, scope="members:merge")
ERASE = callers(Kind.STAFF, scope="members:erase")
OTHER = "0197a0de-7c1c-7a3e-9d0a-5b1f1c9a2e11"


class ReasonRequest(StrictSerializer):
    """Why; it stays with the member."""

    reason = StrictCharField(max_length=200, min_length=3)


class MergeRequest(ReasonRequest):
    """Which membership stays, and why the two are one person's."""

    into = StrictUUIDField(help_text="The membership that stays.")


class ErasureRequest(StrictSerializer):
    """A fresh login code of one's own phone: erasing cannot be undone."""

    code = StrictCharField(max_length=6, min_length=6)


class MembershipOut(serializers.ModelSerializer[Member]):
    """Whether a membership may be used."""

    id = serializers.UUIDField(source="public_id")
    merged_into = serializers.UUIDField(source="merged_into.public_id", default=None)

    class Meta:
        model = Member
        fields = ("id", "status", "merged_into", "erased_at")


class MergedOut(serializers.Serializer[Any]):
    """What went to the membership that stays."""

    source: Any = serializers.UUIDField(source="source.public_id")
    target = serializers.UUIDField(source="target.public_id")
    points = serializers.DictField(
        child=serializers.IntegerField(), help_text="By wallet; a debt is negative."
    )
    coupons = serializers.IntegerField(help_text="Usable ones.")
    orders = serializers.IntegerField()


class EndedOut(serializers.Serializer[Any]):
    """A membership that ended, and the points that were given up with it."""

    id = serializers.UUIDField()
    points_given_up = serializers.IntegerField()


REASON = OpenApiExample("Reason", value={"reason": "lost phone"}, request_only=True)


class MemberFreezeView(APIView):
    """Keeping a member from spending and earning."""

    permission_classes = [FREEZE]

    @extend_schema(
        operation_id="members_freeze",
        tags=["members"],
        summary="Freeze a member: no spending, no earning, signed out",
        description="409 `member-not-switchable` unless active.",
        request=ReasonRequest,
        responses={200: MembershipOut},
        examples=[REASON],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Freeze a member."""
        return _switch(request, member_id, accounts.freeze)


class MemberUnfreezeView(APIView):
    """Letting a frozen member go on."""

    permission_classes = [FREEZE]

    @extend_schema(
        operation_id="members_unfreeze",
        tags=["members"],
        summary="Let a frozen member spend and earn again",
        description="409 `member-not-switchable` unless frozen.",
        request=ReasonRequest,
        responses={200: MembershipOut},
        examples=[REASON],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Unfreeze a member."""
        return _switch(request, member_id, accounts.unfreeze)


class MemberCloseView(APIView):
    """Ending a membership."""

    permission_classes = [FREEZE]

    @extend_schema(
        operation_id="members_close",
        tags=["members"],
        summary="Close a membership for good; what it had is given up",
        description=(
            "409 `orders-open` while orders wait for payment, `member-busy` when something is being"
            " done for the member at this moment, `member-not-switchable` once closed."
        ),
        request=ReasonRequest,
        responses={200: EndedOut},
        examples=[REASON],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Close a membership."""
        return _end(request, member_id, departures.close_member)


class MemberEraseView(APIView):
    """Erasing a person, as the law on personal data asks."""

    permission_classes = [ERASE]

    @extend_schema(
        operation_id="members_erase",
        tags=["members"],
        summary="Close a membership and shred name, phone and birthday",
        description=(
            "Orders and ledger stay under the public id; unpaid orders are cancelled. 409"
            " `member-busy`; `member-not-switchable` once erased or merged."
        ),
        request=ReasonRequest,
        responses={200: EndedOut},
        examples=[REASON],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Erase a member."""
        return _end(request, member_id, departures.erase_member)


class MemberMergeView(APIView):
    """Making two memberships of one person one."""

    permission_classes = [MERGE]

    @extend_schema(
        operation_id="members_merge",
        tags=["members"],
        summary="Merge a duplicate into the membership that stays",
        description=(
            "Points, coupons, orders, visits and friends go to the other; this one is closed."
            " 409 `orders-open` or `points-held` while an order or a reward is open,"
            " `member-not-active`, `member-busy`, `merge-into-self`."
        ),
        request=MergeRequest,
        responses={200: MergedOut},
        examples=[
            OpenApiExample(
                "New phone", value={"into": OTHER, "reason": "new phone"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request, member_id: UUID) -> Response:
        """Merge two members."""
        body = validated(MergeRequest, request.data)
        principal = principal_of(request)
        merged: Merged = merging.merge_members(
            members.find_visible(member_id, principal),
            into=members.find_visible(body["into"], principal),
            reason=body["reason"],
            actor=principal.key,
            now=timezone.now(),
        )
        return Response(MergedOut(merged).data)


class MeErasureView(APIView):
    """Erasing oneself."""

    permission_classes = [callers(Kind.MEMBER, scope="")]

    @extend_schema(
        operation_id="me_erase",
        tags=["me"],
        summary="End my membership and erase who I am",
        description=(
            "Needs a login code sent to my phone now: 401 `login-code-wrong` otherwise. What I have"
            " is given up, and unpaid orders are cancelled."
        ),
        request=ErasureRequest,
        responses={200: EndedOut},
        examples=[OpenApiExample("Code", value={"code": "123456"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Erase me."""
        body = validated(ErasureRequest, request.data)
        principal = principal_of(request)
        now = timezone.now()
        member = members.get_active(principal.extra["public_id"])
        lost = None
        with transaction.atomic():
            # A wrong try is counted for good; a right code of a refused erasure is not used up.
            if members.use_login_code(phone=member.phone, code=body["code"], now=now):
                lost = departures.erase_member(
                    member, reason="asked for it", actor=principal.key, now=now
                )
        if lost is None:
            raise members.LoginCodeWrong
        return Response(EndedOut({"id": member.public_id, "points_given_up": lost}).data)


def _switch(request: Request, member_id: UUID, flow: Any) -> Response:
    body = validated(ReasonRequest, request.data)
    principal = principal_of(request)
    member = members.find_visible(member_id, principal)
    flow(member, reason=body["reason"], actor=principal.key, now=timezone.now())
    member.refresh_from_db()
    return Response(MembershipOut(member).data)


def _end(request: Request, member_id: UUID, flow: Any) -> Response:
    body = validated(ReasonRequest, request.data)
    principal = principal_of(request)
    member = members.find_visible(member_id, principal)
    lost = flow(member, reason=body["reason"], actor=principal.key, now=timezone.now())
    return Response(EndedOut({"id": member.public_id, "points_given_up": lost}).data)
