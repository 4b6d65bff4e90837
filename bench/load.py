"""A small load generator: keep-alive connections in one loop, each with one call under way.

Raw sockets instead of an HTTP library, because client and server share the machine's processors:
this loop takes some 30 µs a call.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a run; latencies are in seconds, sorted."""

    calls: int
    elapsed_seconds: float
    latencies: Sequence[float]
    statuses: Counter[int]

    @property
    def per_second(self) -> float:
        """Return the calls answered in a second."""
        return self.calls / self.elapsed_seconds

    def percentile_ms(self, percent: float) -> float:
        """Return the latency that this share of calls stayed below, in milliseconds."""
        index = min(int(len(self.latencies) * percent / 100), len(self.latencies) - 1)
        return self.latencies[index] * 1000


class ConnectionLost(Exception):
    """The server closed a connection in the middle of the run."""


class _Connection:
    """One keep-alive connection and the calls it makes, one after the other."""

    def __init__(self, port: int, calls: Iterator[bytes]) -> None:
        self.calls = calls
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = 0.0

    def send(self) -> None:
        """Send the next call."""
        call = next(self.calls)
        self.sent_at = time.perf_counter()
        self.socket.sendall(call)

    def receive(self) -> int | None:
        """Read what has come; return the status once the answer is whole."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionLost(self.buffer[:200].decode(errors="replace"))
        self.buffer += data
        head, found, body = self.buffer.partition(HEAD_END)
        if not found or len(body) < _content_length(head):
            return None
        self.buffer = b""
        return int(head[9:12])


def run(port: int, calls: Sequence[Iterator[bytes]], *, seconds: float) -> Outcome:
    """Make calls for some seconds, each iterator on a connection of its own."""
    connections = [_Connection(port, mine) for mine in calls]
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        started = time.perf_counter()
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send()
        under_way = len(connections)
        while under_way:
            ready = selector.select(TIMEOUT_SECONDS)
            if not ready:
                raise TimeoutError(f"no answer within {TIMEOUT_SECONDS} s")
            for key, _events in ready:
                status = key.data.receive()
                if status is None:
                    continue
                now = time.perf_counter()
                latencies.append(now - key.data.sent_at)
                statuses[status] += 1
                if now - started < seconds:
                    key.data.send()
                else:
                    under_way -= 1
        elapsed = time.perf_counter() - started
    for connection in connections:
        connection.socket.close()
    return Outcome(
        calls=len(latencies),
        elapsed_seconds=elapsed,
        latencies=sorted(latencies),
        statuses=statuses,
    )


def request(method: str, path: str, *, headers: str = "", body: str = "") -> bytes:
    """Return the bytes of an HTTP/1.1 request; `headers` are whole lines."""
    content = body.encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{head}\r\n".encode() + content


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(LENGTH):
            return int(line[len(LENGTH) :])
    return 0
