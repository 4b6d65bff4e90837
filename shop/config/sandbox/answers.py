"""What a stand-in gets and gives: one request, one answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

import orjson


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request as it came; `path` is below the platform's own prefix."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; None when it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def form(self) -> dict[str, str]:
        """Return the body as the fields of a form."""
        return flat(self.body.decode())


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What to answer."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Serve = Callable[[Asked], Answer]
NOT_FOUND = Answer(status=404, body={"message": "no such interface"})


def flat(text: str) -> dict[str, str]:
    """Return a query or a form with the last value of each name."""
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
