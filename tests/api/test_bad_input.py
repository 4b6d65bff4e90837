"""Input that no client of ours sends: refused as a problem with a code, never a crash.

The valid request of each operation is spoilt in one place after another; what its own schema does
not allow must be refused with 400. Peer bugs 28, 34, 45, 67, 68.
"""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings

from tests.api.requests import NOTHING, permitted, send, spoilt, undone, with_value
from tests.authorization.scene import ASKED, Scene, build
from tests.schema import Operation, document, operations

pytestmark = pytest.mark.django_db

OPERATIONS = operations()
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
WITH_QUERY = [operation for operation in OPERATIONS if operation.query]
WITH_PATH = [operation for operation in OPERATIONS if "{" in operation.path]
CALLBACKS = {"payments_sandbox_callback", "vouchers_douyin_callback"}
# The slow run tries the second list of each too.
JUNK = [
    pytest.param([None, 2**63, "\x00", []], id="some"),
    pytest.param([True, -1, 1.5, "", "x" * 5000, {}, [[]]], id="more", marks=pytest.mark.slow),
]
TEXT_JUNK = [
    pytest.param(["\x00", "9" * 40, "😀"], id="some"),
    pytest.param(
        ["", "-1", "x" * 3000, "'; DROP TABLE shop_order; --", "[]"],
        id="more",
        marks=pytest.mark.slow,
    ),
]
NAMES_OF_WHAT_IS_NEW = {("members_external_upsert", "external_id")}
"""Parts of paths that name what is made."""
MALFORMED = [
    b'{"a": 1,}',
    b'{"a": NaN}',
    b"\xff\xfe",
    b'"\\ud800"',
    b"[" * 2000 + b"]" * 2000,
    b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
]
NOT_OBJECTS = [b'"text"', b"1", b"true", b"1e400"]
LONGER = MALFORMED + NOT_OBJECTS
SHORTEST = [b"", b"{", b"[]", b"null"]


def by_id(operation: Operation) -> str:
    return operation.id


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """A shop that is built once; every request is rolled back."""
    with django_db_blocker.unblock(), undone():
        yield build()


def complaint(response: Any, *, must_refuse: bool) -> str | None:
    """Return what is wrong with the answer to a spoilt request, if anything is."""
    if response.status_code >= 500:
        return f"crashed with {response.status_code}"
    if response.status_code < 400:
        return f"took it: {response.status_code}" if must_refuse else None
    if response.headers["Content-Type"] != "application/problem+json":
        return f"refused it without a problem: {response.headers['Content-Type']}"
    body = json.loads(response.content)
    is_problem = {"type", "title", "status", "code"} <= set(body)
    if not is_problem or body["status"] != response.status_code:
        return f"refused it with another problem: {body}"
    return None


@pytest.mark.parametrize("operation", WITH_BODY, ids=by_id)
class TestBody:
    @pytest.mark.parametrize("junk", JUNK)
    def test_with_one_value_spoilt_is_refused(
        self, scene: Scene, operation: Operation, junk: list[Any]
    ) -> None:
        allows = jsonschema_rs.validator_for(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": document()["components"],
                **(operation.body or {}),
            }
        )
        wrong = []
        for place, body in spoilt(ASKED[operation.id].body(scene, permitted(operation)), junk):
            must_refuse = not allows.is_valid(body)
            found = complaint(send(scene, operation, body=body), must_refuse=must_refuse)
            if found:
                wrong.append(f"{place}: {found}")

        assert not wrong, "\n".join(wrong)

    def test_with_an_unknown_field_is_refused(self, scene: Scene, operation: Operation) -> None:
        """Peer bug 45: nothing that a client names beside the known fields has any effect."""
        valid = ASKED[operation.id].body(scene, permitted(operation))
        wrong = []
        for place in objects_in(valid):
            body = with_value(valid, (*place, "is_staff"), True)
            response = send(scene, operation, body=body)
            codes = [error["code"] for error in response.json().get("errors", ())]
            if response.status_code != 400 or codes != ["unknown-field"]:
                wrong.append(f"{place}: {response.status_code} {response.content[:200]!r}")

        if operation.id not in CALLBACKS:  # providers may say more than we know
            assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize(
        "raw",
        [*SHORTEST, *(pytest.param(raw, marks=pytest.mark.slow) for raw in LONGER)],
        ids=lambda raw: repr(raw[:12]),
    )
    def test_that_is_no_json_object_is_refused(
        self, scene: Scene, operation: Operation, raw: bytes
    ) -> None:
        response = send(scene, operation, raw=raw)

        is_open = raw == b"" and not (operation.body or {}).get("required")
        assert complaint(response, must_refuse=not is_open) is None

    def test_of_another_type_is_refused(self, scene: Scene, operation: Operation) -> None:
        for content_type in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ):
            response = send(scene, operation, raw=b"a=1", content_type=content_type)

            assert response.status_code == 415 or operation.id == "payments_sandbox_callback"
            assert complaint(response, must_refuse=True) is None

    def test_that_is_too_large_is_refused(self, scene: Scene, operation: Operation) -> None:
        padding = b'{"padding":"' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'

        response = send(scene, operation, raw=padding)

        assert response.status_code == 413
        assert complaint(response, must_refuse=True) is None


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_id)
class TestRequest:
    def test_with_another_method_is_refused(self, scene: Scene, operation: Operation) -> None:
        others = {"get", "post", "put", "patch", "delete"} - set(
            document()["paths"][f"/api/v1{operation.path}"]
        )
        for method in sorted(others):
            response = send(scene, operation, method=method)

            assert response.status_code == 405
            assert "Allow" in response.headers
            assert complaint(response, must_refuse=True) is None

    def test_for_another_format_is_refused(self, scene: Scene, operation: Operation) -> None:
        response = send(scene, operation, headers={"Accept": "application/x-yaml"})

        assert response.status_code == 406
        assert complaint(response, must_refuse=True) is None


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.needs_key], ids=by_id)
def test_a_key_that_is_missing_or_malformed_is_refused(scene: Scene, operation: Operation) -> None:
    for key in ("", "short", "with space", "x" * 129, "umläut-key", '"unclosed'):
        response = send(scene, operation, headers={"Idempotency-Key": key})

        assert response.status_code == 400, key
        assert response.json()["code"] == "idempotency-key-required"


@pytest.mark.parametrize("operation", WITH_PATH, ids=by_id)
@pytest.mark.parametrize("junks", TEXT_JUNK)
def test_a_path_that_names_nothing_is_refused(
    scene: Scene, operation: Operation, junks: list[str]
) -> None:
    wrong = []
    valid = ASKED[operation.id].path(scene)
    for name in valid:
        for junk in junks:
            if junk:
                response = send(scene, operation, path=valid | {name: junk})
                is_name = (operation.id, name) in NAMES_OF_WHAT_IS_NEW
                found = complaint(response, must_refuse=not is_name)
                if found or not (is_name or response.status_code in {400, 404}):
                    wrong.append(f"{name}={junk!r}: {found or response.status_code}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("operation", WITH_QUERY, ids=by_id)
@pytest.mark.parametrize("junks", TEXT_JUNK)
def test_a_query_of_junk_crashes_nothing(
    scene: Scene, operation: Operation, junks: list[str]
) -> None:
    """Peer bugs 41, 67."""
    wrong = []
    for parameter in operation.query:
        for junk in junks:
            query = ASKED[operation.id].query | {parameter["name"]: junk}
            response = send(scene, operation, query=query)
            found = complaint(response, must_refuse=False)
            if found:
                wrong.append(f"{parameter['name']}={junk!r}: {found}")

    assert not wrong, "\n".join(wrong)


def objects_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the JSON objects stand whose fields are fixed, outermost first."""
    if isinstance(value, dict):
        if not place or place[-1] not in {"options", "toppings"}:
            yield place
        for name, inner in value.items():
            yield from objects_in(inner, (*place, name))
    elif isinstance(value, list) and value:
        yield from objects_in(value[0], (*place, 0))


def test_credentials_that_are_junk_are_refused() -> None:
    """Peer bugs 46, 53: nothing that merely looks like a key opens anything."""
    wrong = []
    for header in [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer pk_demo_",
        "Bearer pk__",
        "Bearer xx_a_b",
        "Bearer pk_\x00_b",
        "Bearer pk_" + "9" * 5000 + "_b",
        "Bearer mt_ü_b",
        "Basic YTpi",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    ]:
        response = NOTHING.client.get("/api/v1/orders", headers={"Authorization": header})
        if response.status_code != 401 or response.json()["code"] != "not-authenticated":
            wrong.append(f"{header[:40]!r}: {response.status_code} {response.content[:100]!r}")

    assert not wrong, "\n".join(wrong)


def test_a_caller_who_comes_back_too_soon_is_told_when() -> None:
    NOTHING.post("/auth/codes", {"phone": "13900139000"})

    response = NOTHING.post("/auth/codes", {"phone": "13900139000"})

    assert (response.status_code, response.json()["code"]) == (429, "rate-limited")
    assert response.headers["Retry-After"] == str(response.json()["retry_after_seconds"])


class TestUrl:
    @pytest.mark.parametrize("path", ["", "nothing", "orders/", "orders//", "../admin", "%00", "é"])
    def test_that_nobody_serves_is_a_problem(self, path: str) -> None:
        response = NOTHING.client.get(f"/api/v1/{path}")

        assert response.status_code == 404
        assert complaint(response, must_refuse=True) is None
