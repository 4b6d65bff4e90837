"""The schema of the API, and the script of the Redoc page, each made once per process.

Making the schema takes a second of the processor: nobody who asks often may cost us that.
"""

from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI schema in the reader's language; YAML unless JSON is asked for."""
    accepted = request.headers.get("Accept", "")
    is_json = request.GET.get("format") == "json" or "json" in accepted
    renderer = OpenApiJsonRenderer if is_json else OpenApiYamlRenderer
    body = _schema(get_language() or "en", renderer)
    return HttpResponse(body, content_type=f"{renderer.media_type}; charset=utf-8")


@cache
def _schema(language: str, renderer: type[Any]) -> bytes:
    description = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    rendered: bytes = renderer().render(description, renderer_context={})
    return rendered


@require_safe
@cache_control(max_age=3600)
def redoc_script(request: HttpRequest) -> HttpResponse:
    """Answer with the bundle; its pages ask no other host for anything."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8")


@cache
def _script() -> str:
    found = finders.find(BUNDLE)
    assert isinstance(found, str)  # noqa: S101 - a pinned requirement brings it
    return Path(found).read_text().replace(LOGO, static("huigan/icon.svg"))
