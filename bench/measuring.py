"""One measurement after the other: our calls and the floor in turns, so that noise meets both."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from django.db import connection

from bench import cpu, load
from bench.floor import Floor
from bench.seeding import CLAIMS, SOLD_OUT, Tills
from bench.servers import Web

WARM_UP_SECONDS = 1.0
WARM_UP_CLIENTS = 8
CROWD = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One of our calls, the answer it must get, and what is compared with it."""

    name: str
    requests: Callable[[int], Iterator[bytes]]
    status: int
    floor: str
    cpu_goal_ms: float | None = None
    by_crowd: bool = False
    """Made by a crowd at once, because the question is what they do to each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What one run of one thing gave. CPU is per call; what was not measured is None."""

    per_second: float
    p50_ms: float
    p99_ms: float | None
    server_cpu_ms: float
    postgres_cpu_ms: float
    statements: float | None = None


class WrongAnswer(Exception):
    """Calls were refused; a speed of refusals means nothing."""


def our_calls(tills: Tills) -> list[Call]:
    """Return what is measured. The goals are those of docs/performance.md."""
    return [
        Call(name="settle", requests=tills.settlements, status=201, floor="pay", cpu_goal_ms=2.8),
        Call(name="quote", requests=tills.quotes, status=200, floor="read", cpu_goal_ms=1.5),
        Call(name="lookup", requests=tills.lookups, status=200, floor="lookup", cpu_goal_ms=0.9),
        Call(name="click", requests=tills.clicks, status=302, floor="ping", cpu_goal_ms=0.4),
        Call(name="ping", requests=tills.pings, status=200, floor="ping", cpu_goal_ms=0.4),
        Call(
            name="settle, one coupon",
            requests=tills.contended_settlements,
            status=201,
            floor="pay_contended",
            cpu_goal_ms=2.8,
            by_crowd=True,
        ),
        *(
            Call(
                name=f"claim, {buckets} bucket{'s' if buckets > 1 else ''}",
                requests=partial(tills.claims, code),
                status=201,
                floor="claim",
                by_crowd=True,
            )
            for code, buckets in CLAIMS.items()
        ),
        Call(
            name="claim, all gone",
            requests=partial(tills.claims, SOLD_OUT),
            status=409,
            floor="ping",
            by_crowd=True,
        ),
    ]


class Bench:
    """Runs everything against the same servers."""

    def __init__(self, *, web: Web, postgres_pid: int, floor: Floor) -> None:
        self.web = web
        self.postgres_pid = postgres_pid
        self.floor = floor

    def warm_up(self, calls: Sequence[Call]) -> None:
        """Let every thread connect and prepare its statements."""
        for call in calls:
            self.call(call, clients=WARM_UP_CLIENTS, seconds=WARM_UP_SECONDS)

    def call(self, call: Call, *, clients: int, seconds: float) -> Sample:
        """Make one of our calls for some seconds.

        Raises:
            WrongAnswer
        """
        server_before, postgres_before = self._cpu()
        statements_before = _statements()
        outcome = load.run(
            self.web.port, [call.requests(number) for number in range(clients)], seconds=seconds
        )
        statements_after = _statements()
        server_after, postgres_after = self._cpu()
        if set(outcome.statuses) != {call.status}:
            raise WrongAnswer(f"{call.name} was answered with {dict(outcome.statuses)}")
        return Sample(
            per_second=outcome.per_second,
            p50_ms=outcome.percentile_ms(50),
            p99_ms=outcome.percentile_ms(99),
            server_cpu_ms=(server_after - server_before) * 1000 / outcome.calls,
            postgres_cpu_ms=(postgres_after - postgres_before) * 1000 / outcome.calls,
            statements=(statements_after - statements_before - 1) / outcome.calls,
        )

    def floor_of(self, script: str, *, clients: int, seconds: float) -> Sample:
        """Let pgbench do the same in the same PostgreSQL."""
        _server, postgres_before = self._cpu()
        run = self.floor.run(script, clients=clients, seconds=seconds)
        _server, postgres_after = self._cpu()
        return Sample(
            per_second=run.per_second,
            p50_ms=run.average_ms,
            p99_ms=None,
            server_cpu_ms=0.0,
            postgres_cpu_ms=(postgres_after - postgres_before) * 1000 / run.transactions,
        )

    def _cpu(self) -> tuple[float, float]:
        return cpu.seconds(self.web.master_pid), cpu.seconds(self.postgres_pid)


def summary(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return the medians of several runs, and how far their speeds lay apart."""
    speeds = [sample.per_second for sample in samples]
    latencies = [sample.p99_ms for sample in samples if sample.p99_ms is not None]
    counts = [sample.statements for sample in samples if sample.statements is not None]
    return {
        "per_second": round(median(speeds), 1),
        "per_second_range": [round(min(speeds), 1), round(max(speeds), 1)],
        "p50_ms": round(median(sample.p50_ms for sample in samples), 2),
        "p99_ms": round(median(latencies), 2) if latencies else None,
        "server_cpu_ms": round(median(sample.server_cpu_ms for sample in samples), 3),
        "postgres_cpu_ms": round(median(sample.postgres_cpu_ms for sample in samples), 3),
        "statements": round(median(counts), 1) if counts else None,
    }


def _statements() -> int:
    """Return how many statements the server was sent, transaction control included.

    PostgreSQL also counts its own checks of foreign keys, which nobody sent.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(sum(calls), 0) FROM pg_stat_statements"
            " WHERE query NOT LIKE 'SELECT % FROM ONLY % FOR KEY SHARE OF x'"
        )
        (calls,) = cursor.fetchone()
    return int(calls)
