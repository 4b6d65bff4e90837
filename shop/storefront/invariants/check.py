"""A check, and running them all over one snapshot."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

EXAMPLES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A statement whose every row is a violation; `%(now)s` is the time of the check."""

    id: str
    name: str
    sql: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a check found; `examples` are the first few offending rows."""

    id: str
    name: str
    violations: int
    examples: Sequence[dict[str, Any]]
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The findings of all checks over one snapshot."""

    checked_at: datetime
    findings: Sequence[Finding]
    seconds: float

    @property
    def broken(self) -> Sequence[Finding]:
        """Return the findings that found something."""
        return [finding for finding in self.findings if finding.violations]


def run(checks: Sequence[Check], *, now: datetime) -> Report:
    """Run the checks over one read-only snapshot, or within the transaction there is already."""
    started = time.perf_counter()
    with _snapshot():
        findings = [_find(check, now) for check in checks]
    return Report(checked_at=now, findings=findings, seconds=time.perf_counter() - started)


@contextmanager
def _snapshot() -> Iterator[None]:
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield


def _find(check: Check, now: datetime) -> Finding:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH violation AS MATERIALIZED ({check.sql})"  # noqa: S608 - our own statements
            " SELECT (SELECT count(*) FROM violation), to_json(violation)::text FROM violation"
            f" LIMIT {EXAMPLES}",
            {"now": now},
        )
        rows = cursor.fetchall()
    return Finding(
        id=check.id,
        name=check.name,
        violations=rows[0][0] if rows else 0,
        examples=[json.loads(row) for _count, row in rows],
        seconds=time.perf_counter() - started,
    )
