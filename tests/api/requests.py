"""Requests spoilt in one place: the valid one of each operation, with something else in it."""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from tests.authorization.scene import ASKED, Scene
from tests.authorization.test_matrix import MAY
from tests.make import Api
from tests.schema import Operation

Place = tuple[Any, ...]
NOTHING = Api()
"""A client without any key."""


@contextmanager
def undone() -> Iterator[None]:
    """Undo what happens within; blocks that insist on being outermost may be within too."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


def permitted(operation: Operation) -> str:
    """Return a caller whom the operation serves."""
    return MAY[operation.id].split()[0]


def send(
    scene: Scene,
    operation: Operation,
    *,
    method: str = "",
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Any = None,
    raw: bytes | None = None,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Send the valid request of an operation with these things changed, and undo what it did."""
    asked = ASKED[operation.id]
    caller = permitted(operation)
    api = scene.callers[caller]
    parts = {name: quote(part, safe="") for name, part in (path or asked.path(scene)).items()}
    if body is None and operation.body is not None:
        body = asked.body(scene, caller)
    if raw is None:
        raw = b"" if body is None else json.dumps(body, cls=DjangoJSONEncoder).encode()
    all_headers = {"Idempotency-Key": "spoilt-0001", **api.headers, **asked.headers(raw)}
    with undone():
        return api.client.generic(
            (method or operation.method).upper(),
            f"/api/v1{operation.path.format(**parts)}",
            raw,
            content_type,
            query_params=dict(query or asked.query),
            headers={**all_headers, **(headers or {})},
        )


def spoilt(body: Any, junk: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the body with each of its values replaced by each piece of junk, or left out."""
    for place in _places(body):
        for value in junk:
            yield f"{_pointer(place)}={str(value)[:12]!r}", with_value(body, place, value)
        if isinstance(place[-1], str):
            yield f"{_pointer(place)} left out", _without(body, place)


def with_value(body: Any, place: Place, value: Any) -> Any:
    """Return a copy of the body with one value replaced, or added."""
    changed = copy.deepcopy(body)
    _inner(changed, place)[place[-1]] = value
    return changed


def _without(body: Any, place: Place) -> Any:
    changed = copy.deepcopy(body)
    del _inner(changed, place)[place[-1]]
    return changed


def _inner(body: Any, place: Place) -> Any:
    for step in place[:-1]:
        body = body[step]
    return body


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value[:1] if isinstance(value, list) else ())
    )
    for step, inner in steps:
        yield (*place, step)
        yield from _places(inner, (*place, step))


def _pointer(place: Place) -> str:
    return "".join(f"/{step}" for step in place)
