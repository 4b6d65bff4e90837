"""Members: joining and being found at the till, signing in, one's own pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import links, referrals
from campaigns.models import Referral
from shop import external_ids, members, messages, stores
from shop.kernel.errors import NotFound
from shop.kernel.idempotency import idempotent
from shop.kernel.permissions import callers
from shop.kernel.principals import Kind, principal_of
from shop.kernel.serializers import shown, validated
from shop.models import Member, Store
from shop.storefront import facts, milestones, registration
from shop.storefront.api import member_serializers as serializers
from shop.storefront.registration import Application

MEMBER_ONLY = callers(Kind.MEMBER, scope="")


class MembersView(APIView):
    """New members at the till."""

    permission_classes = [callers(Kind.TILL, scope="members:write")]

    @extend_schema(
        operation_id="members_create",
        tags=["members"],
        summary="Register a member at the till",
        description="409 `member-exists`: look them up instead. 409 `referral-code-unknown`.",
        request=serializers.MemberRequest,
        responses={201: serializers.MemberOut},
        examples=[OpenApiExample("Phone only", value={"phone": "13800138000"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Register a member."""
        body = serializers.MemberRequest(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        member = registration.join(
            _application(body.validated_data, principal_of(request).extra["store"]), now=now
        )
        found = facts.load(member.pk, now=now, with_place=True)
        return Response(serializers.MemberOut(found).data, status=201)


class MemberLookupView(APIView):
    """Finding the guest at the counter."""

    permission_classes = [callers(Kind.TILL, scope="members:read")]

    @extend_schema(
        operation_id="members_lookup",
        tags=["members"],
        summary="Find a member by phone or member code",
        description=(
            "404 covers unknown phones and used or stale codes alike. 409 `member-not-active`."
        ),
        request=serializers.LookupRequest,
        responses={200: serializers.MemberOut},
        examples=[OpenApiExample("By phone", value={"phone": "13800138000"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Find a member."""
        body = validated(serializers.LookupRequest, request.data)
        now = timezone.now()
        if phone := body.get("phone"):
            found = facts.find_by_phone(members.parse_phone(phone), now=now)
        else:
            code = body["member_code"]
            found = facts.find_by_id(members.use_member_code(code, now=now), now=now)
        return Response(shown(serializers.MemberOut, found))


class ExternalMemberView(APIView):
    """A member by what another system calls them."""

    permission_classes = [callers(Kind.TILL, scope="members:write")]

    @extend_schema(
        operation_id="members_external_retrieve",
        tags=["members"],
        summary="Find a member by the number that another system knows them by",
        description="409 `member-not-active`.",
        responses={200: serializers.MemberOut},
    )
    def get(self, request: Request, system: str, external_id: str) -> Response:
        """Find a member."""
        member = external_ids.find(system, external_id)
        if member is None:
            raise NotFound
        found = facts.find_by_id(member.pk, now=timezone.now())
        return Response(shown(serializers.MemberOut, found))

    @extend_schema(
        operation_id="members_external_upsert",
        tags=["members"],
        summary="Bind a member to the number of another system; who is none yet joins",
        description=(
            "201 when they joined, 200 when they were a member, by the number or by the phone. The"
            " same again changes nothing. 409 `external-id-taken`: the number is a member's with"
            " another phone. 409 `member-not-active`, `referral-code-unknown`."
        ),
        request=serializers.MemberRequest,
        responses={200: serializers.MemberOut, 201: serializers.MemberOut},
        examples=[OpenApiExample("Phone only", value={"phone": "13800138000"}, request_only=True)],
    )
    def put(self, request: Request, system: str, external_id: str) -> Response:
        """Bind a member, or register one."""
        named = {"system": system, "external_id": external_id}
        validated(serializers.ExternalIdPath, named)
        body = serializers.MemberRequest(data=request.data)
        body.is_valid(raise_exception=True)
        now, principal = timezone.now(), principal_of(request)
        member, has_joined = registration.upsert(
            _application(body.validated_data, principal.extra["store"]),
            **named,
            actor=principal.key,
            now=now,
        )
        found = facts.load(member.pk, now=now, with_place=True)
        return Response(serializers.MemberOut(found).data, status=201 if has_joined else 200)


class MemberView(APIView):
    """One member, as the till sees them."""

    permission_classes = [callers(Kind.TILL, Kind.STAFF, scope="members:read")]

    @extend_schema(
        operation_id="members_retrieve",
        tags=["members"],
        summary="Show a member with balance and tier",
        responses={200: serializers.MemberOut},
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """Show a member."""
        found = facts.find(member_id, now=timezone.now(), with_place=True)
        if principal_of(request).kind is Kind.STAFF:
            _ensure_of_store(request, found.store)
        return Response(serializers.MemberOut(found).data)


class LoginCodesView(APIView):
    """Codes by which a phone proves itself."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="auth_send_code",
        tags=["auth"],
        summary="Send a login code to a phone",
        description="The same answer for known and unknown phones. 429 with `retry_after_seconds`.",
        request=serializers.LoginCodeRequest,
        responses={202: serializers.LoginCodeSent},
        auth=[],
        examples=[OpenApiExample("Phone", value={"phone": "13800138000"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Send a login code."""
        body = serializers.LoginCodeRequest(data=request.data)
        body.is_valid(raise_exception=True)
        phone = members.parse_phone(body.validated_data["phone"])
        code = members.new_login_code(phone=phone, now=timezone.now())
        provider = messages.provider()
        provider.send(phone=phone, text=code)
        shown = code if provider.shows_login_codes else None
        return Response(serializers.LoginCodeSent({"sandbox_code": shown}).data, status=202)


class TokensView(APIView):
    """Signing in, and joining on the way."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="auth_create_token",
        tags=["auth"],
        summary="Exchange a phone and its code for a member token",
        description=(
            "Whoever is not a member yet joins; `link`, `visitor` and `referral_code` say where"
            " they came from and count only then. 401 `login-code-wrong`."
        ),
        request=serializers.TokenRequest,
        responses={201: serializers.Token},
        auth=[],
        examples=[
            OpenApiExample(
                "From a flyer",
                value={"phone": "13800138000", "code": "123456", "link": "SH001FLY"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Sign in, joining if need be."""
        body = serializers.TokenRequest(data=request.data)
        body.is_valid(raise_exception=True)
        data = body.validated_data
        now = timezone.now()
        phone = members.parse_phone(data["phone"])
        token = None
        with transaction.atomic():
            # A wrong try is counted for good; a right code that cannot join yet is not used up.
            if members.use_login_code(phone=phone, code=data["code"], now=now):
                token = _sign_in(data | {"phone": phone}, now=now)
        if token is None:
            raise members.LoginCodeWrong
        return Response(serializers.Token(token).data, status=201)


class LogoutView(APIView):
    """Signing out."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="auth_logout",
        tags=["auth"],
        summary="Make the token stop working",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Sign out."""
        members.end_session(principal_of(request).extra["session_id"], now=timezone.now())
        return Response(status=204)


class MeView(APIView):
    """The member's own page."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_retrieve",
        tags=["me"],
        summary="Show my points, tier and coupons",
        responses={200: serializers.MemberOut},
    )
    def get(self, request: Request) -> Response:
        """Show me."""
        me = facts.load(principal_of(request).id, now=timezone.now(), with_place=True)
        return Response(serializers.MemberOut(me).data)


class MeBirthdayView(APIView):
    """The member's birthday."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_set_birthday",
        tags=["me"],
        summary="Set my birthday",
        description=(
            "409 `birthday-fixed` with `changeable_at`: once set, it can be changed once a year."
        ),
        request=serializers.BirthdayRequest,
        responses={200: serializers.MemberOut},
        examples=[OpenApiExample("A day", value={"birthday": "2000-02-29"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Set my birthday."""
        body = serializers.BirthdayRequest(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        me = Member.objects.get(pk=principal_of(request).id)
        milestones.set_birthday(
            me, birthday=body.validated_data["birthday"], actor=principal_of(request).key, now=now
        )
        return Response(serializers.MemberOut(facts.load(me.pk, now=now, with_place=True)).data)


class MeCodeView(APIView):
    """The code to show at the till."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_create_code",
        tags=["me"],
        summary="Get a code to show at the till",
        request=None,
        responses={201: serializers.MemberCodeOut},
    )
    def post(self, request: Request) -> Response:
        """Get a code to show at the till."""
        member = Member.objects.get(pk=principal_of(request).id)
        code = members.new_member_code(member, now=timezone.now())
        return Response(serializers.MemberCodeOut(code).data, status=201)


class MeReferralCodeView(APIView):
    """The code to hand to friends."""

    permission_classes = [MEMBER_ONLY]

    @extend_schema(
        operation_id="me_referral_code",
        tags=["me"],
        summary="Get my referral code and what came of it",
        responses={200: serializers.ReferralCodeOut},
    )
    def get(self, request: Request) -> Response:
        """Get my referral code."""
        member = Member.objects.get(pk=principal_of(request).id)
        made = Referral.objects.filter(referrer=member)
        answer = {
            "code": referrals.code_of(member, now=timezone.now()).code,
            "friends_joined": made.count(),
            "friends_bought": made.filter(status=Referral.Status.QUALIFIED).count(),
            "points_per_friend": referrals.programme().referrer_points,
        }
        return Response(serializers.ReferralCodeOut(answer).data)


def _sign_in(data: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    member, is_new = _join_or_find(data, now=now)
    members.ensure_active(member)
    return {
        "token": members.start_session(member, now=now),
        "member": facts.load(member.pk, now=now, with_place=True),
        "is_new": is_new,
    }


def _join_or_find(data: dict[str, Any], *, now: datetime) -> tuple[Member, bool]:
    member = members.find_by_phone(data["phone"])
    if member is not None:
        return member, False
    try:
        return registration.join(_application(data, _store_to_join(data)), now=now), True
    except members.MemberExists:
        member = members.find_by_phone(data["phone"])
        if member is None:
            raise
        return member, False


def _store_to_join(data: dict[str, Any]) -> Store:
    """Return the store that was named, else that of the link, else the chain's first."""
    if "store" in data:
        return stores.find(data["store"])
    return links.store_of(data.get("link", "")) or stores.first()


def _application(data: dict[str, Any], store: Store) -> Application:
    return Application(
        phone=members.parse_phone(data["phone"]),
        store=store,
        name=data.get("name", ""),
        birthday=data.get("birthday"),
        visitor_id=data.get("visitor", ""),
        link_code=data.get("link", ""),
        referral_code=data.get("referral_code", ""),
    )


def _ensure_of_store(request: Request, code: str) -> Store:
    store = Store.objects.get(code=code)
    if not principal_of(request).sees_store(store.pk):
        raise NotFound
    return store
