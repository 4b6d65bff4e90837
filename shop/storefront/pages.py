"""Pages for guests, who have a phone and a flyer and nothing installed."""

import re
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from campaigns import links, queries, referrals
from campaigns.models import ChannelLink
from loyalty.models import Tier
from shop import stores
from shop.kernel import identifiers, qr
from shop.kernel.errors import NotFound
from shop.kernel.middleware import STRICT_POLICY
from shop.models import Member, Store

LONGEST_VALUE = 40
"""Longer ones of the address bar are nobody's code; a visitor id is at most this long."""
MEMBER_CODE = re.compile(r"9\d{9}")
REFERRAL_CODE = re.compile(rf"[{identifiers.ALPHABET}]{{{referrals.CODE_LENGTH + 1}}}")


@require_safe
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Show where a scanned QR code or a friend's invitation leads: joining, then one's card.

    Whatever stands in the address bar, there is a page: a guest who comes with a code that nobody
    knows (any more) joins without it.
    """
    link = ChannelLink.objects.select_related("store").filter(code=_given(request, "link")).first()
    referral_code = identifiers.normalise_code(_given(request, "ref"))
    friend = _find_friend(referral_code)
    store = _find_store(request, link=link, friend=friend)
    origin = {
        "store": store.code if store else "",
        "link": link.code if link else "",
        "visitor": _given(request, "visitor"),
        "referral_code": referral_code if friend else "",
    }
    programme = referrals.programme()
    context = {
        "store": store,
        "gifts": queries.welcome_gifts(now=timezone.now()).order_by("id"),
        "is_invited": friend is not None,
        "bonus_points": programme.referee_points if programme.is_active else 0,
        "data": {
            "origin": {name: value for name, value in origin.items() if value},
            "tiers": {tier.code: tier.name for tier in Tier.objects.all()},
            "invitation": _invitation(""),
            "coupon": _coupon_code(request),
            "texts": _texts(),
        },
    }
    response = render(request, "storefront/welcome.html", context)
    response["Content-Security-Policy"] = STRICT_POLICY
    return response


@require_safe
@never_cache
def member_code_image(request: HttpRequest, code: str) -> HttpResponse:
    """Draw what the member's screen shows as digits; whose it is, if anybody's, is not asked."""
    if not MEMBER_CODE.fullmatch(code):
        raise Http404
    return _svg(code)


@require_safe
@cache_control(max_age=24 * 3600)
def invitation_image(request: HttpRequest, code: str) -> HttpResponse:
    """Draw the address behind a member's invitation."""
    if not REFERRAL_CODE.fullmatch(code):
        raise Http404
    return _svg(_invitation(code))


def _given(request: HttpRequest, name: str) -> str:
    text = request.GET.get(name, "").strip()
    return text if len(text) <= LONGEST_VALUE and text.isprintable() else ""


def _coupon_code(request: HttpRequest) -> str:
    """Return the code of the paper that was scanned, to be entered once the guest is a member."""
    code = identifiers.normalise_code(_given(request, "coupon"))
    return code if code.isalnum() and code.isascii() else ""


def _find_friend(referral_code: str) -> Member | None:
    try:
        return referrals.referrer_of(referral_code)
    except referrals.ReferralCodeUnknown:
        return None


def _find_store(
    request: HttpRequest, *, link: ChannelLink | None, friend: Member | None
) -> Store | None:
    """Return the store that is asked for, the link's or the friend's, else the first one."""
    try:
        return stores.find(_given(request, "store"))
    except NotFound:
        near = (link and link.store) or (friend and friend.store)
    if near and near.is_active:
        return near
    try:
        return stores.first()
    except NotFound:
        return None


def _invitation(code: str) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{links.WELCOME_PATH}?ref={code}"


def _svg(text: str) -> HttpResponse:
    return HttpResponse(qr.draw(text, kind="svg"), content_type="image/svg+xml")


def _texts() -> dict[str, Any]:
    """Return what the script says; `{…}` is filled in by it."""
    return {
        "problems": {
            "invalid-input": _("Please check what you typed."),
            "login-code-wrong": _("This code is wrong or too old. Check it, or ask for a new one."),
            "rate-limited": _("That was too often. Please try again in {wait}."),
            "member-not-active": _("This membership is on hold. Please ask our staff."),
            "referral-code-unknown": _(
                "Your friend's invitation is no longer valid. Press again to join without it."
            ),
            "not-authenticated": _("You were signed out. Please sign in again."),
            "not-found": _("This shop takes no members at the moment. Please ask our staff."),
            "unavailable": _("We are very busy. Please try again in a moment."),
            "internal-error": _("Something went wrong on our side. Please try again."),
            "no-connection": _("There is no connection. Check your network and try again."),
        },
        "fields": {
            "/phone": _("This does not look like a phone number."),
            "/code": _("The code has six digits."),
        },
        "seconds": _("{n} s"),
        "minutes": _("{n} min"),
        "sendAgain": _("Send a new code"),
        "sendAgainIn": _("Send a new code ({wait})"),
        "codeSent": _("A code is on its way."),
        "joined": _("Welcome! You are a member now."),
        "back": _("Good to see you again!"),
        "card": _("My card"),
        "couponEntered": _("Your coupon is in your wallet."),
        "signedOut": _("You are signed out."),
        "validUntil": _("until {date}"),
        "perFriend": _("{n} points for you for every friend who buys their first tea."),
        "noReward": _("Share the tea you like with a friend."),
        "codeShown": _("Your code is shown. It changes every 30 seconds."),
        "copied": _("Copied"),
        "inviteText": _("Have a tea with me!"),
    }
