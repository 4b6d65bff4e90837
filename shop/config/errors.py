"""What people are told where there is no page for them; programs get a problem."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from shop.kernel import problems


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
