"""`/t/{code}`: where every link and QR code comes in. Not part of the JSON API.

It answers without a session and, for a link read before, without the database: nobody in front of a
poster is kept waiting for our bookkeeping.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from campaigns import ad_clicks, clicks, links
from campaigns.clicks import KnownLink
from campaigns.models import Touch
from shop.kernel import problems

PROGRAMS = ["application/json", problems.CONTENT_TYPE]
VISITOR_COOKIE = "visitor"
VISITOR_SECONDS = 90 * 24 * 3600
"""A visitor's name lasts so long from its first day and is never renewed: then they get another."""
VISITOR_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,40}\Z")
COUPON_PATTERN = re.compile(r"[A-Za-z0-9-]{4,40}\Z")
REFERRAL_PATTERN = re.compile(r"[A-Za-z0-9]{1,16}\Z")
CRAWLERS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp/|lighthouse"
    r"|qq-url-manager|security team|-linkservice|linkexpander|embedly|flipboardproxy|pinterest/"
    r"|headlesschrome|phantomjs|selenium|monitor|pingdom|uptime|scrapy|python-|aiohttp|httpx"
    r"|go-http-client|okhttp|java/|apache-httpclient|libwww|node-fetch|axios|curl/|wget/",
    re.IGNORECASE,
)
"""Programs that open links which nobody clicked: crawlers (Baiduspider, Bytespider, Sogou …), what
draws the preview of a link in a chat (iMessage calls itself facebookexternalhit, QQ and WeChat look
with QQ-URL-Manager, DingTalk has DingTalkBot-LinkService), monitors, scripts. Cubot is a phone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """How somebody opens a link, as their request says. `hints` are what prefetching says of it."""

    code: str
    method: str
    query: Mapping[str, str]
    visitor: str
    agent: str
    hints: Sequence[str]


@csrf_exempt  # what is no GET is refused as that, not for want of a token
@require_safe
@never_cache
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Record that somebody came through a link, and send them where it leads."""
    try:
        link = clicks.find_link(code)
    except Error:
        return _sorry(request, HTTPStatus.SERVICE_UNAVAILABLE)
    if link is None:
        return _sorry(request, HTTPStatus.NOT_FOUND)
    opening = Opening(
        code=code,
        method=str(request.method),
        query=request.GET.dict(),
        visitor=request.COOKIES.get(VISITOR_COOKIE, ""),
        agent=request.headers.get("User-Agent", ""),
        hints=[request.headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Moz")],
    )
    location, visitor_id = pass_on(link, opening, now=timezone.now())
    response = HttpResponseRedirect(location)
    if visitor_id:
        _remember(response, visitor_id)
    return response


def pass_on(link: KnownLink, opening: Opening, *, now: datetime) -> tuple[str, str]:
    """Record a click; return where it leads, and the name of a visitor who is new, or empty.

    A program gets no name that would last.
    """
    is_known = VISITOR_PATTERN.match(opening.visitor) is not None
    visitor_id = opening.visitor if is_known else secrets.token_urlsafe(16)
    given, coupon = opening.query.get("ref", ""), opening.query.get("coupon", "")
    ad_click = ad_clicks.find(opening.query) if opening.query else None
    target = links.destination(
        link.target_url,
        code=opening.code,
        visitor_id=visitor_id,
        referral_code=given if REFERRAL_PATTERN.match(given) else "",
        ad_click=ad_click,
        coupon_code=coupon if COUPON_PATTERN.match(coupon) else "",
    )
    is_bot = _is_by_machine(opening)
    clicks.record(
        link.id,
        kind=Touch.Kind.SCAN if opening.query.get("via") == "qr" else Touch.Kind.CLICK,
        visitor_id=visitor_id,
        now=now,
        is_bot=is_bot,
        ad_click=ad_click,
    )
    return target, "" if is_bot or is_known else visitor_id


def is_machine(agent: str) -> bool:
    """Tell a program by the name it gives itself; what hides its name is one."""
    return not agent.strip() or CRAWLERS.search(agent) is not None


def _remember(response: HttpResponse, visitor_id: str) -> None:
    response.set_cookie(
        VISITOR_COOKIE,
        visitor_id,
        max_age=VISITOR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _is_by_machine(opening: Opening) -> bool:
    """Tell crawlers, previews and prefetches, which must not count as guests."""
    hints = " ".join(opening.hints).lower()
    is_early = "prefetch" in hints or "preview" in hints or "prerender" in hints
    return opening.method == "HEAD" or is_early or is_machine(opening.agent)


def _sorry(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """Answer a link that leads nowhere: a page for people, a problem for programs."""
    if request.get_preferred_type(["text/html", *PROGRAMS]) in PROGRAMS:
        return problems.plain_response(status)
    is_gone = status == HTTPStatus.NOT_FOUND
    response = render(request, "campaigns/lost.html", {"is_gone": is_gone}, status=status)
    if not is_gone:
        response["Retry-After"] = "5"
    return response
