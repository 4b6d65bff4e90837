"""HTTP calls to others' servers: bounded in time and size, and never redirected.

Not one is made inside a database transaction: locks would be held for as long as a stranger takes.
"""

from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

TIMEOUT_SECONDS = 8.0
MAX_BYTES = 1024 * 1024
ERRORS_OF_THE_OTHER_SIDE = 500


class NoAnswer(Exception):
    """No answer that could be read; what was asked may have been done all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What the other side answered."""

    status: int
    body: bytes
    location: str = ""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Follow nothing: an answer could send us to a server inside our own walls."""


_opener = build_opener(_NoRedirects)


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Return the answer to one request; an answer of 500 or more counts as none.

    Raises:
        NoAnswer
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError(url)
    request = Request(url, data=body, headers=headers or {}, method=method)  # noqa: S310 - checked
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return _reply(answer.status, answer)
    except HTTPError as answer:
        with answer:
            if answer.code >= ERRORS_OF_THE_OTHER_SIDE:
                raise NoAnswer(f"{answer.code} from {request.host}") from answer
            return _reply(answer.code, answer)
    except (OSError, HTTPException) as error:
        raise NoAnswer(f"{type(error).__name__} from {request.host}") from error


def _reply(status: int, answer: Any) -> Reply:
    try:
        body = answer.read(MAX_BYTES + 1)
    except (OSError, HTTPException) as error:
        raise NoAnswer(type(error).__name__) from error
    if len(body) > MAX_BYTES:
        raise NoAnswer("too large")
    return Reply(status=status, body=body, location=answer.headers.get("Location") or "")
