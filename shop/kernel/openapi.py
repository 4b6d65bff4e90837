"""OpenAPI: every operation declares its problems and its Idempotency-Key."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "An RFC 9457 problem document. `code` is stable; other members depend on it.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body."},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
                "required": ["pointer", "detail", "code"],
            },
        },
    },
    "required": ["type", "title", "status", "code"],
    "additionalProperties": True,
    "examples": [
        {
            "type": "/problems/not-found",
            "title": "There is nothing here under that name.",
            "status": 404,
            "code": "not-found",
        }
    ],
}
STATUS = re.compile(r"\b4\d\d\b")
"""What a description says about errors, as in "409 `member-exists`", is declared with it."""
IDEMPOTENCY_KEY = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    required=True,
    description=(
        "8 to 128 letters, digits, '-' or '_'. A repeated key repeats the first answer; kept for"
        " 72 hours."
    ),
    type={"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[A-Za-z0-9_-]{8,128}$"},
)


class ProblemAutoSchema(AutoSchema):
    """Adds what every operation has: its Idempotency-Key, where it needs one."""

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, self.method.lower(), None)
        needs_key = getattr(handler, "requires_idempotency_key", False)
        return [IDEMPOTENCY_KEY] if needs_key else []


def describe_problems(
    result: dict[str, Any],
    generator: Any,
    request: Any,
    public: bool,  # noqa: FBT001 - hook signature
) -> dict[str, Any]:
    """Give every operation its error responses as problem documents."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path in result["paths"].values():
        for method, operation in path.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                _add_problems(method, operation)
    return result


def _add_problems(method: str, operation: dict[str, Any]) -> None:
    for status, description in _statuses(method, operation).items():
        operation["responses"].setdefault(status, _problem_response(description))
    for status, response in operation["responses"].items():
        if status[0] in "45" and "content" not in response:
            response.update(_problem_response(response.get("description", "")))


def _statuses(method: str, operation: dict[str, Any]) -> dict[str, str]:
    statuses = {
        "400": "Malformed, or values that cannot be used.",
        "429": "Too many requests.",
        "503": "Busy; retry.",
    }
    parameters = operation.get("parameters", [])
    if operation.get("security"):
        statuses |= {"401": "No valid credentials.", "403": "Not this caller's to do."}
    if operation.get("security") or any(p["in"] == "path" for p in parameters):
        statuses["404"] = "Nothing here that this caller may see."
    if method != "get":
        statuses |= {"415": "Not JSON.", "413": "Body too large."}
    names = {p["name"] for p in parameters}
    if "cursor" in names:
        statuses["404"] = "No such page."
    if IDEMPOTENCY_KEY.name in names:
        statuses |= {"409": "Refused as things are.", "422": "The key was used for another call."}
    for status in STATUS.findall(operation.get("description", "")):
        statuses.setdefault(status, "Refused; the description says with which codes.")
    return statuses


def _problem_response(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}
