"""The script of the Redoc page, without the one picture that it fetches from its makers."""

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.views.decorators.cache import cache_control

BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@cache_control(max_age=3600)
def redoc_script(request: HttpRequest) -> HttpResponse:
    """Answer with the bundle; its pages ask no other host for anything."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@cache
def _script() -> str:
    found = finders.find(BUNDLE)
    assert isinstance(found, str)  # noqa: S101 - a pinned requirement brings it
    return Path(found).read_text().replace(LOGO, static("huigan/icon.svg"))
