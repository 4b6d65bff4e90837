"""Every error as an RFC 9457 problem document with a stable code."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from shop.kernel.errors import DomainError, NotFound, PermissionDenied

CONTENT_TYPE = "application/problem+json"
CODES_OF_STATUS = {
    400: "invalid-input",
    401: "not-authenticated",
    403: "permission-denied",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    413: "too-large",
    415: "unsupported-media-type",
    429: "rate-limited",
    500: "internal-error",
    503: "unavailable",
}


def problem(status: int, code: str, title: str, **members: Any) -> dict[str, Any]:
    """Return the body of a problem document."""
    return {"type": f"/problems/{code}", "title": title, "status": status, "code": code} | members


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any expected error of a view into a problem; leave bugs to Django (500)."""
    if isinstance(error, DomainError):
        return _respond(error.status, problem_of(error))
    if isinstance(error, (OperationalError, InterfaceError)):
        return unavailable()
    if isinstance(error, RequestDataTooBig):
        return _respond(413, problem(413, CODES_OF_STATUS[413], _title(413)))
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    body = problem(
        response.status_code,
        CODES_OF_STATUS.get(response.status_code, "error"),
        _title(response.status_code),
        **_details(error),
    )
    # DRF built the response first, so that its headers (Retry-After, WWW-Authenticate) survive.
    response.data = body
    response.content_type = CONTENT_TYPE
    return response


def problem_of(error: DomainError) -> dict[str, Any]:
    """Return the problem document of a domain error."""
    members = {"detail": str(error.detail)} if error.detail else {}
    return problem(error.status, error.code, str(error.title), **members, **error.members)


def unavailable() -> Response:
    """Return the 503 of a database that is away or too busy; the caller may try again."""
    body = problem(503, "unavailable", _title(503))
    response = _respond(503, body)
    response["Retry-After"] = "1"
    return response


def plain_response(status: int, **members: Any) -> HttpResponse:
    """Return a problem outside of DRF: unknown URLs, CSRF failures, crashes."""
    body = problem(status, CODES_OF_STATUS.get(status, "error"), _title(status), **members)
    return HttpResponse(orjson.dumps(body), status=status, content_type=CONTENT_TYPE)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown URL."""
    return plain_response(404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refused."""
    return plain_response(400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a forbidden request outside of the API."""
    return plain_response(403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug."""
    return plain_response(500)


def _respond(status: int, body: dict[str, Any]) -> Response:
    response = Response(body, status=status, content_type=CONTENT_TYPE)
    if "retry_after_seconds" in body:
        response["Retry-After"] = str(body["retry_after_seconds"])
    return response


def _title(status: int) -> str:
    if status == HTTPStatus.BAD_REQUEST:
        return _("The request has values that cannot be used.")
    if status == HTTPStatus.NOT_FOUND:
        return str(NotFound.title)
    if status == HTTPStatus.FORBIDDEN:
        return str(PermissionDenied.title)
    return HTTPStatus(status).phrase


def _details(error: Exception) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return {"errors": list(_pointers(error.detail, ""))}
    if isinstance(error, exceptions.APIException):
        return {"detail": str(error.detail)}
    return {}


def _pointers(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested errors into JSON pointers."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            here = pointer if name == api_settings.NON_FIELD_ERRORS_KEY else f"{pointer}/{name}"
            yield from _pointers(inner, here)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            yield from _pointers(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        code = getattr(detail, "code", "invalid").replace("_", "-")
        yield {"pointer": pointer, "detail": str(detail), "code": code}
