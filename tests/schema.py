"""The API as its OpenAPI document tells it: the source of generated tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path; `path` is below /api/v1 and has its parameters in braces."""

    id: str
    method: str
    path: str
    spec: dict[str, Any]

    @property
    def needs_key(self) -> bool:
        """Tell whether it must be sent with an Idempotency-Key."""
        return any(p["name"] == "Idempotency-Key" for p in self.spec.get("parameters", []))

    @property
    def query(self) -> list[dict[str, Any]]:
        """Return its query parameters."""
        return [p for p in self.spec.get("parameters", []) if p["in"] == "query"]

    @property
    def body(self) -> dict[str, Any] | None:
        """Return the schema of its JSON body, with the reference resolved."""
        content = self.spec.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        return resolved(content["application/json"].get("schema", {}))

    @property
    def examples(self) -> list[Any]:
        """Return the example bodies."""
        content = self.spec.get("requestBody", {}).get("content", {})
        examples = content.get("application/json", {}).get("examples", {})
        return [example["value"] for example in examples.values()]


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of this code."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation of the API."""
    return tuple(_operations())


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with the reference at its top followed."""
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rsplit("/", 1)[1]
    found: dict[str, Any] = document()["components"]["schemas"][name]
    return resolved(found)


def _operations() -> Iterator[Operation]:
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                spec = item[method]
                yield Operation(
                    id=spec["operationId"],
                    method=method,
                    path=path.removeprefix("/api/v1"),
                    spec=spec,
                )
