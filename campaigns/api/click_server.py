"""`/t/{code}` in front of Django: who opens a link that is known needs none of its middleware.

It does what `redirect.follow` does, without its price. Whatever is not that plain case – an
unknown link, another method, a lost database, no TLS – is left to Django and `redirect.follow`.
"""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.db import Error
from django.utils import timezone

from campaigns import clicks
from campaigns.api import redirect
from campaigns.api.redirect import Opening
from shop.kernel.middleware import PAGE_POLICY

METHODS = {"GET", "HEAD"}
PATH = re.compile(r"/t/([A-Za-z0-9]{1,16})\Z")
COOKIE = re.compile(rf'(?:^|;\s*){redirect.VISITOR_COOKIE}="?([^;"]*)')
MOST_PARAMETERS = 100
Headers = list[tuple[str, str]]


class ClickServer:
    """The application: redirects by itself, and hands everything else on."""

    def __init__(self, django: WSGIApplication) -> None:
        self.django = django
        self.fixed = _fixed_headers()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = self._redirect(environ)
        if headers is None:
            return self.django(environ, start_response)
        start_response("302 Found", headers)
        return [b""]

    def _redirect(self, environ: WSGIEnvironment) -> Headers | None:
        """Return the headers of a redirect; None if it is not ours to answer."""
        path = PATH.match(environ["PATH_INFO"])
        if path is None or environ["REQUEST_METHOD"] not in METHODS or not _is_safe(environ):
            return None
        query = environ.get("QUERY_STRING", "")
        try:
            parameters = dict(parse_qsl(query, max_num_fields=MOST_PARAMETERS)) if query else {}
            link = clicks.find_link(path[1])
        except (Error, ValueError):
            return None
        if link is None:
            return None
        cookie = COOKIE.search(environ.get("HTTP_COOKIE", ""))
        opening = Opening(
            code=path[1],
            method=environ["REQUEST_METHOD"],
            query=parameters,
            visitor=cookie[1] if cookie else "",
            agent=environ.get("HTTP_USER_AGENT", ""),
            hints=(
                environ.get("HTTP_PURPOSE", ""),
                environ.get("HTTP_SEC_PURPOSE", ""),
                environ.get("HTTP_X_MOZ", ""),
            ),
        )
        location, visitor_id = redirect.pass_on(link, opening, now=timezone.now())
        headers = [("Location", location), *self.fixed]
        if visitor_id:
            headers.append(("Set-Cookie", _cookie(visitor_id)))
        return headers


def _is_safe(environ: WSGIEnvironment) -> bool:
    """Tell whether Django would not send this request to TLS first."""
    if not settings.SECURE_SSL_REDIRECT:
        return True
    name, value = settings.SECURE_PROXY_SSL_HEADER
    return bool(environ.get(name) == value or environ["wsgi.url_scheme"] == "https")


def _fixed_headers() -> Headers:
    """Return what stands in every redirect: never kept by a cache, and as safe as any page."""
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", "0"),
        ("Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, private"),
        ("Content-Security-Policy", PAGE_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", settings.X_FRAME_OPTIONS),
        ("Referrer-Policy", settings.SECURE_REFERRER_POLICY),
        ("Cross-Origin-Opener-Policy", settings.SECURE_CROSS_ORIGIN_OPENER_POLICY),
    ]
    if settings.SECURE_HSTS_SECONDS:
        lasts = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
        headers.append(("Strict-Transport-Security", lasts))
    return headers


def _cookie(visitor_id: str) -> str:
    name, lasts = redirect.VISITOR_COOKIE, redirect.VISITOR_SECONDS
    secure = "; Secure" if settings.SESSION_COOKIE_SECURE else ""
    return f"{name}={visitor_id}; HttpOnly; Max-Age={lasts}; Path=/; SameSite=Lax{secure}"
