"""One answer per Idempotency-Key, whatever the network does.

The wrapper owns the one durable transaction of a request: the key and the effects commit together,
or neither does. So a key without an answer cannot exist, and a retry after a lost answer replays it
byte for byte. A refusal has no effects: it is stored by itself, once all that was begun is rolled
back.
"""

import hashlib
import random
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar

import orjson
import psycopg
from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.kernel import locks, problems, rows
from shop.kernel.errors import DomainError
from shop.kernel.models import IdempotencyRecord
from shop.kernel.principals import principal_of

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{8,128}\Z")
KEPT_FOR = timedelta(hours=72)
REPLAYED_HEADER = "Idempotent-Replayed"
STORED_REFUSALS = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
ATTEMPTS = 3
TRANSIENT = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)

ViewT = TypeVar("ViewT", bound=APIView)
Args = ParamSpec("Args")


class IdempotencyKeyRequired(DomainError):
    """The call moves value and must carry a key of 8 to 128 letters, digits, - or _."""

    code = "idempotency-key-required"
    title = _("Send an Idempotency-Key of 8 to 128 letters, digits, '-' or '_'.")
    status = HTTPStatus.BAD_REQUEST


class IdempotencyKeyReused(DomainError):
    """The key was used before for another request."""

    code = "idempotency-key-reused"
    title = _("This Idempotency-Key was already used for a different request.")
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class RequestInFlight(DomainError):
    """The first request with this key is still running; repeat the same request in a moment."""

    code = "request-in-flight"
    title = _("The first request with this Idempotency-Key is still running.")


def idempotent(
    handler: Callable[Concatenate[ViewT, Request, Args], Response],
) -> Callable[Concatenate[ViewT, Request, Args], HttpResponse]:
    """Make a POST handler answer each Idempotency-Key once, and repeat that answer.

    Raises:
        IdempotencyKeyRequired, IdempotencyKeyReused, RequestInFlight
    """

    @wraps(handler)
    def wrapper(
        view: ViewT, request: Request, *args: Args.args, **kwargs: Args.kwargs
    ) -> HttpResponse:
        key = _key_of(request)
        for attempt in range(ATTEMPTS):
            try:
                return _answer(key, request, lambda: handler(view, request, *args, **kwargs))
            except (OperationalError, _AnsweredMeanwhile) as error:
                is_last = attempt == ATTEMPTS - 1
                if is_last or not _may_pass(error):
                    raise
                time.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    wrapper.requires_idempotency_key = True  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]  # wraps() forgets the parameter names


def keyed(
    handler: Callable[Concatenate[ViewT, Request, Args], Response],
) -> Callable[Concatenate[ViewT, Request, Args], Response]:
    """Require the key of a POST whose flow calls others' servers, and leave repeats to the flow.

    No transaction may wait for a stranger, so such a flow commits before it asks. Its own rows make
    a repeat harmless; `request_digest` names the call.

    Raises:
        IdempotencyKeyRequired
    """

    @wraps(handler)
    def wrapper(view: ViewT, request: Request, *args: Args.args, **kwargs: Args.kwargs) -> Response:
        _key_of(request)
        return handler(view, request, *args, **kwargs)

    wrapper.requires_idempotency_key = True  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]  # wraps() forgets the parameter names


class _AnsweredMeanwhile(Exception):
    """The first request with this key committed while this one was already under way."""


def _may_pass(error: Exception) -> bool:
    """Tell whether the same request may fare better at once."""
    return isinstance(error, _AnsweredMeanwhile) or isinstance(error.__cause__, TRANSIENT)


def _answer(key: str, request: Request, handle: Callable[[], Response]) -> HttpResponse:
    principal = principal_of(request).key
    record = IdempotencyRecord(
        principal=principal,
        key=key,
        route=f"{request.method} {request.path}"[:200],
        fingerprint=_fingerprint(request),
    )
    with transaction.atomic(durable=True):
        if former := _take(record):
            return _replay(former, record)
        try:
            response = handle()
        except DomainError as error:
            if error.status not in STORED_REFUSALS:
                raise
            refusal = error
            transaction.set_rollback(True)
        else:
            _remember(record, response, now=timezone.now())
            return response
    return _refuse(record, refusal)


def _refuse(record: IdempotencyRecord, refusal: DomainError) -> HttpResponse:
    """Store a refusal whose flow was rolled back; one that was stored meanwhile counts."""
    response = Response(
        problems.problem_of(refusal), status=refusal.status, content_type=problems.CONTENT_TYPE
    )
    with transaction.atomic(durable=True):
        if former := _take(record):
            return _replay(former, record)
        _remember(record, response, now=timezone.now())
    return response


def _take(record: IdempotencyRecord) -> IdempotencyRecord | None:
    """Take the key until the transaction ends; return what it was answered before, if it was.

    Lock and answer are asked for at once: an answer that commits between the two is not seen here,
    but when this request's own is stored.

    Raises:
        RequestInFlight
    """
    values = {
        "lock": locks.number(f"{record.principal}\n{record.key}"),
        "principal": record.principal,
        "key": record.key,
    }
    ((former, is_free),) = rows.select(_TAKE_SQL, values, IdempotencyRecord)
    if not is_free:
        raise RequestInFlight(retry_after_seconds=1)
    return former if former.pk else None


_TAKE_SQL = """
SELECT {columns}, asked.is_free
FROM (SELECT pg_try_advisory_xact_lock(%(lock)s) AS is_free) asked
LEFT JOIN kernel_idempotencyrecord ON principal = %(principal)s AND key = %(key)s
"""


def _replay(former: IdempotencyRecord, record: IdempotencyRecord) -> HttpResponse:
    if bytes(former.fingerprint) != bytes(record.fingerprint):
        raise IdempotencyKeyReused(route=former.route)
    return HttpResponse(
        bytes(former.body),
        status=former.status,
        content_type=former.content_type,
        headers={REPLAYED_HEADER: "true"},
    )


def _remember(record: IdempotencyRecord, response: Response, *, now: datetime) -> None:
    """Store the answer; the unique key lets only one request have it."""
    record.status = response.status_code
    record.content_type = response.content_type or "application/json"
    record.body = orjson.dumps(response.data, default=str)
    record.created_at = now
    record.expires_at = now + KEPT_FOR
    if not rows.insert(record, unless_exists="principal, key"):
        raise _AnsweredMeanwhile


def request_digest(request: Request) -> str:
    """Return 64 hex digits that stand for the caller and their key: the name of what they did."""
    return hashlib.sha256(f"{principal_of(request).key}\n{_key_of(request)}".encode()).hexdigest()


def _key_of(request: Request) -> str:
    # The draft standard makes the key a quoted string; many clients send it bare. Both are one.
    key = request.headers.get("Idempotency-Key", "")
    if key[:1] == key[-1:] == '"':
        key = key[1:-1]
    if not KEY_PATTERN.match(key):
        raise IdempotencyKeyRequired
    return key


def _fingerprint(request: Request) -> bytes:
    try:
        body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ParseError("The body is nested too deeply.") from error
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + body).digest()


def forget_answers_to(principal: str) -> int:
    """Delete every answer that a caller got; return how many."""
    deleted, _rows = IdempotencyRecord.objects.filter(principal=principal).delete()
    return deleted


def forget_expired(*, now: datetime) -> int:
    """Delete answers that no retry may ask for any more; return how many."""
    deleted, _rows = IdempotencyRecord.objects.filter(expires_at__lt=now).delete()
    return deleted
