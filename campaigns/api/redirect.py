"""`/t/{code}`: where every link and QR code comes in. Not part of the JSON API.

It answers without a session and, for a link read before, without the database: nobody in front of a
poster is kept waiting for our bookkeeping.
"""

import re
import secrets
from http import HTTPStatus

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns import clicks, links
from campaigns.models import Touch
from shop.kernel import problems

PROGRAMS = ["application/json", problems.CONTENT_TYPE]
VISITOR_COOKIE = "visitor"
VISITOR_SECONDS = 365 * 24 * 3600
VISITOR_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,40}\Z")
REFERRAL_PATTERN = re.compile(r"[A-Za-z0-9]{1,16}\Z")
CRAWLERS = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp/|lighthouse",
    re.IGNORECASE,
)
"""Programs that open links which nobody clicked. Cubot is a phone."""


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
    known = request.COOKIES.get(VISITOR_COOKIE, "")
    visitor_id = known if VISITOR_PATTERN.match(known) else secrets.token_urlsafe(16)
    given = request.GET.get("ref", "")
    target = links.destination(
        link.target_url,
        code=code,
        visitor_id=visitor_id,
        referral_code=given if REFERRAL_PATTERN.match(given) else "",
    )
    response = HttpResponseRedirect(target)
    if not _is_machine(request):
        kind = Touch.Kind.SCAN if request.GET.get("via") == "qr" else Touch.Kind.CLICK
        clicks.record(link.id, kind=kind, visitor_id=visitor_id, now=timezone.now())
        _remember(response, visitor_id)
    return response


def _remember(response: HttpResponse, visitor_id: str) -> None:
    response.set_cookie(
        VISITOR_COOKIE,
        visitor_id,
        max_age=VISITOR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _is_machine(request: HttpRequest) -> bool:
    """Tell crawlers, previews and prefetches, which must not look like guests."""
    headers = request.headers
    hints = f"{headers.get('Purpose', '')} {headers.get('Sec-Purpose', '')}".lower()
    is_early = "prefetch" in hints or "preview" in hints or "prerender" in hints
    is_early = is_early or headers.get("X-Moz", "").lower() == "prefetch"
    is_crawler = CRAWLERS.search(headers.get("User-Agent", "")) is not None
    return request.method == "HEAD" or is_early or is_crawler


def _sorry(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    """Answer a link that leads nowhere: a page for people, a problem for programs."""
    if request.get_preferred_type(["text/html", *PROGRAMS]) in PROGRAMS:
        return problems.plain_response(status)
    is_gone = status == HTTPStatus.NOT_FOUND
    response = render(request, "campaigns/lost.html", {"is_gone": is_gone}, status=status)
    if not is_gone:
        response["Retry-After"] = "5"
    return response
