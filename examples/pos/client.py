"""One keep-alive connection to the API, with the retries that make a till safe.

What a till must do, and why:

* Every POST that moves value carries an Idempotency-Key. When no answer comes, send the *same*
  request with the *same* key again, as often as needed: the server repeats its first answer and
  does nothing twice.
* 409 ``request-in-flight``: the first try is still running. Wait a moment, repeat.
* 429 and 503: wait as long as ``Retry-After`` says, and longer each time.
* Any other 4xx is final for this key. A changed request is a new request with a new key.
"""

import http.client
import json
import random
import time
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

TRIES = 8
TIMEOUT_SECONDS = 30
LONGEST_WAIT_SECONDS = 20.0


class Refused(Exception):
    """The server said no: a problem document (RFC 9457) with a stable `code`."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail') or problem}")
        self.status = status
        self.code = problem.get("code", "")
        self.problem = problem


class Unreachable(Exception):
    """No answer after every try."""


@dataclass(slots=True)
class CallLog:
    """How long calls took and what went wrong on the way, of all tills together."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    events: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def took(self, name: str, seconds: float) -> None:
        """Note an answered call."""
        with self.lock:
            self.seconds[name].append(seconds)

    def happened(self, event: str) -> None:
        """Count something that is not a plain answer."""
        with self.lock:
            self.events[event] += 1


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer; `is_replayed` tells that the server had answered this key before."""

    status: int
    body: Any
    raw: bytes
    is_replayed: bool


class Api:
    """The API as one till sees it. Not for use by two threads at once."""

    def __init__(self, url: str, key: str, *, log: CallLog, dice: random.Random) -> None:
        parts = urlsplit(url)
        self.is_secure = parts.scheme == "https"
        self.host = parts.netloc
        self.base = parts.path.rstrip("/") + "/api/v1"
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.log = log
        self.dice = dice
        self._connection: http.client.HTTPConnection | None = None

    def get(self, name: str, path: str, **query: Any) -> Any:
        """Return the body of a GET."""
        if query:
            path += "?" + urlencode(query)
        return self._call(name, "GET", path).body

    def pages(self, name: str, path: str, **query: Any) -> list[Any]:
        """Return every row of a list, following its `next` links."""
        rows: list[Any] = []
        page = self.get(name, path, **query, page_size=100)
        while True:
            rows += page["results"]
            if not page["next"]:
                return rows
            _, _, cursor = page["next"].partition("?")
            page = self.get(name, f"{path}?{cursor}")

    def ask(self, name: str, path: str, body: Any = None) -> Any:
        """Return the body of a POST that moves nothing and needs no key."""
        return self._call(name, "POST", path, body).body

    def do(
        self, name: str, path: str, body: Any = None, *, key: str = "", is_dropped: bool = False
    ) -> Answer:
        """Return the answer to a POST that moves value.

        `is_dropped` loses the first answer on purpose: the connection is closed before it is read.
        """
        return self._call(name, "POST", path, body, key=key or new_key(), is_dropped=is_dropped)

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _call(
        self,
        name: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = "",
        is_dropped: bool = False,
    ) -> Answer:
        """Make a call until there is an answer that stands.

        Raises:
            Refused, Unreachable
        """
        reason = ""
        for attempt in range(TRIES):
            try:
                started = time.perf_counter()
                self._send(method, path, body, key)
                if is_dropped and attempt == 0:
                    self._lose_answer()
                    continue
                response, raw = self._receive()
            except (OSError, http.client.HTTPException) as problem:
                self.close()
                self.log.happened("connections lost")
                reason = repr(problem)
                self._wait(attempt)
                continue
            answer = json.loads(raw) if raw else None
            if self._is_to_repeat(response, answer, attempt):
                reason = f"{response.status} {answer}"
                continue
            self.log.took(name, time.perf_counter() - started)
            is_replayed = response.headers.get("Idempotent-Replayed") == "true"
            if is_replayed:
                self.log.happened("answers replayed")
            if response.status >= http.client.BAD_REQUEST:
                raise Refused(response.status, answer or {})
            return Answer(response.status, answer, raw, is_replayed)
        raise Unreachable(f"{method} {path}: no answer after {TRIES} tries; last: {reason}")

    def _is_to_repeat(self, response: http.client.HTTPResponse, answer: Any, attempt: int) -> bool:
        """Wait and return True for an answer that asks to come again."""
        if response.status in (429, 503):
            self.log.happened("back-offs")
            self._wait(attempt, at_least=float(response.headers.get("Retry-After") or 0))
            return True
        is_in_flight = isinstance(answer, dict) and answer.get("code") == "request-in-flight"
        if is_in_flight:
            self.log.happened("waits for the first try")
            self._wait(attempt)
        return is_in_flight

    def _send(self, method: str, path: str, body: Any, key: str) -> None:
        headers = dict(self.headers)
        if key:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body)
        if self._connection is None:
            kind = http.client.HTTPSConnection if self.is_secure else http.client.HTTPConnection
            self._connection = kind(self.host, timeout=TIMEOUT_SECONDS)
        self._connection.request(method, self.base + path, content, headers)

    def _receive(self) -> tuple[http.client.HTTPResponse, bytes]:
        assert self._connection is not None  # noqa: S101 - just used to send
        response = self._connection.getresponse()
        return response, response.read()

    def _lose_answer(self) -> None:
        """Do what a bad network does, at a moment of its own choosing."""
        time.sleep(self.dice.uniform(0, 0.03))
        self.close()
        self.log.happened("answers dropped on purpose")

    def _wait(self, attempt: int, *, at_least: float = 0.0) -> None:
        longest = min(0.05 * 2**attempt, LONGEST_WAIT_SECONDS)
        time.sleep(min(at_least, LONGEST_WAIT_SECONDS) + self.dice.uniform(longest / 2, longest))


def new_key() -> str:
    """Return a key for one intention of the till; write it down before sending."""
    return str(uuid.uuid4())


def part(text: str) -> str:
    """Return text as one segment of a path."""
    return quote(text, safe="")
