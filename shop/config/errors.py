"""What people are told where there is no page for them; programs get a problem."""

from collections.abc import Callable

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shop.kernel import problems

GetResponse = Callable[[HttpRequest], HttpResponse]


class UnusableValueMiddleware:
    """Refuses what no column can hold: the back office filters by whatever an address says.

    The API checks each value itself; there such an error is a bug, and stays one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        is_unusable = isinstance(error, DataError | OverflowError)
        if is_unusable and not request.path.startswith("/api/"):
            return bad_request(request, error)
        return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address or a form that cannot be read."""
    return _answer(request, 400, lambda: problems.bad_request(request, exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a forbidden request."""
    return _answer(request, 403, lambda: problems.permission_denied(request, exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown address."""
    return _answer(request, 404, lambda: problems.page_not_found(request, exception))


def _answer(request: HttpRequest, status: int, problem: Callable[[], HttpResponse]) -> HttpResponse:
    is_person = "text/html" in request.headers.get("Accept", "")
    if request.path.startswith("/api/") or not is_person:
        return problem()
    return render(request, "error.html", {"status": status}, status=status)
