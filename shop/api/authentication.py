"""Turns a bearer token or a staff session into a principal."""

import hmac
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from shop.kernel import crypto, rows
from shop.kernel.principals import Kind, Principal
from shop.models import Member, MemberSession, ReportKey, Staff, Store, Till, TillKey
from shop.models.staff import AccessKey

TOKEN = re.compile(r"[a-z]{2}_[A-Za-z0-9]+_[A-Za-z0-9_-]+\Z")
DEMO_KEY_IDS = {"pk_demo", "rk_demo"}
PERMISSIONS_OF_SCOPES = {
    "menu:read": "shop.view_product",
    "menu:write": "shop.change_storeproduct",
    "members:read": "shop.view_member",
    "members:write": "shop.add_member",
    "orders:read": "shop.view_order",
    "orders:write": "shop.change_order",
    "members:freeze": "shop.freeze_member",
    "members:merge": "shop.merge_member",
    "members:erase": "shop.erase_member",
    "points:adjust": "loyalty.add_pointsentry",
    "points:approve": "loyalty.approve_pointsadjustment",
    "tiers:pin": "loyalty.add_tierpin",
    "rewards:refund": "loyalty.change_rewardredemption",
    "gift-cards:issue": "loyalty.add_giftcard",
    "earning:read": "loyalty.view_earningrule",
    "events:write": "loyalty.add_earningevent",
    "campaigns:read": "campaigns.view_campaign",
    "campaigns:write": "campaigns.change_campaign",
    "coupons:issue": "campaigns.add_coupon",
    "coupons:revoke": "campaigns.change_coupon",
    "codes:read": "campaigns.view_codebatch",
    "codes:write": "campaigns.add_codebatch",
    "links:write": "campaigns.add_channellink",
    "costs:write": "campaigns.add_dailycost",
    "touches:write": "campaigns.add_touch",
    "contents:write": "campaigns.add_content",
    "partners:read": "campaigns.view_koldeal",
    "partners:write": "campaigns.add_koldeal",
    "partners:approve": "campaigns.approve_dealstatement",
    "reports:read": "shop.view_order",
    "alerts:read": "shop.view_alert",
    "alerts:write": "shop.change_alert",
}
"""What a member of staff must be allowed in the back office to hold a scope of the API."""

KNOWN_ELSEWHERE: dict[str, Callable[[str, str, datetime], Principal | None]] = {}
"""For the prefix of a key whose holders live on a higher floor, what tells who holds it now."""


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`: the key of a till (pk_), of a report reader (rk_), of a partner
    (pt_), or a member's token (mt_).
    """

    def authenticate(self, request: Request) -> tuple[Principal, str] | None:
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not TOKEN.match(token):
            raise AuthenticationFailed(_("Send 'Authorization: Bearer …'."))
        prefix, key_id, secret = token.split("_", 2)
        public_id = f"{prefix}_{key_id}"
        if public_id in DEMO_KEY_IDS and not settings.DEMO:
            raise AuthenticationFailed(_("These credentials are not valid."))
        load = {"pk": _till, "rk": _report_reader, "mt": _member}.get(prefix)
        if elsewhere := KNOWN_ELSEWHERE.get(prefix):
            principal = elsewhere(public_id, secret, timezone.now())
        else:
            principal = load(public_id, secret) if load else None
        if principal is None:
            raise AuthenticationFailed(_("These credentials are not valid."))
        return principal, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="huigan"'


class StaffSessionAuthentication(BaseAuthentication):
    """The back office's session cookie; writing needs its CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        staff = get_user(request._request)
        if not isinstance(staff, Staff) or not staff.is_active or not staff.is_staff:
            return None
        reason = _CsrfCheck(lambda _request: HttpResponse()).process_view(
            request._request, lambda _request: HttpResponse(), (), {}
        )
        if reason:
            raise PermissionDenied(_("The CSRF token is missing or wrong."))
        return staff_principal(staff), None


def staff_principal(staff: Staff) -> Principal:
    """Return a person of the staff as a principal: their stores, and scopes from permissions."""
    scopes = {
        scope for scope, permission in PERMISSIONS_OF_SCOPES.items() if staff.has_perm(permission)
    }
    covers_all = staff.covers_all_stores or staff.is_superuser
    return Principal(
        kind=Kind.STAFF,
        id=staff.pk,
        name=staff.get_username(),
        scopes=frozenset(scopes),
        store_ids=None if covers_all else frozenset(staff.stores.values_list("id", flat=True)),
    )


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: Any, reason: str) -> Any:
        return reason


def _is_valid(key: AccessKey | MemberSession, secret: str) -> bool:
    is_right = hmac.compare_digest(bytes(key.secret_hash), crypto.secret_hash(secret))
    is_over = key.expires_at is not None and key.expires_at <= timezone.now()
    return is_right and key.revoked_at is None and not is_over


def _till(public_id: str, secret: str) -> Principal | None:
    found = rows.select(_TILL_SQL, {"public_id": public_id}, TillKey, Till, Store)
    if not found or not _is_valid(found[0][0], secret):
        return None
    key, till, store = found[0]
    return Principal(
        kind=Kind.TILL,
        id=till.pk,
        name=f"{store.code}/{till.code}",
        scopes=frozenset(key.scopes),
        store_ids=frozenset([store.pk]),
        extra={"store": store},
    )


_TILL_SQL = """
SELECT {columns} FROM shop_tillkey
JOIN shop_till ON shop_till.id = shop_tillkey.till_id
JOIN shop_store ON shop_store.id = shop_till.store_id
WHERE shop_tillkey.public_id = %(public_id)s
"""


def _report_reader(public_id: str, secret: str) -> Principal | None:
    key = ReportKey.objects.filter(public_id=public_id).first()
    if key is None or not _is_valid(key, secret):
        return None
    stores = None if key.covers_all_stores else frozenset(key.stores.values_list("id", flat=True))
    return Principal(
        kind=Kind.REPORT,
        id=key.pk,
        name=key.name,
        scopes=frozenset(key.scopes),
        store_ids=stores,
    )


def _member(public_id: str, secret: str) -> Principal | None:
    session = MemberSession.objects.select_related("member").filter(public_id=public_id).first()
    if session is None or not _is_valid(session, secret):
        return None
    if session.member.status != Member.Status.ACTIVE:
        return None
    return Principal(
        kind=Kind.MEMBER,
        id=session.member_id,
        name=str(session.member.public_id),
        extra={"public_id": session.member.public_id, "session_id": session.pk},
    )


class _BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": (
                "A till key (pk_…), a report key (rk_…), a partner key (pt_…)"
                " or a member token (mt_…)."
            ),
        }


class _StaffScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = StaffSessionAuthentication
    name = "staff"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
