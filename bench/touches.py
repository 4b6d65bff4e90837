"""``python -m bench.touches``: the redirect beside a static file, and ingest beside COPY.

The same web server answers clicks, a file of 2 bytes and `/healthz` in turns; the same PostgreSQL
takes touches as the product stores them, and as COPY into a table of the same columns and indexes.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat
from statistics import median
from uuid import UUID

from rich.console import Console
from rich.table import Table

from bench import cpu, load, servers
from bench.load import request
from shop.config.processes import CannotStart

FILE = "floor.txt"
AGENT = "User-Agent: Mozilla/5.0 (iPhone) MicroMessenger/8.0.42\r\n"
CLIENTS = (1, 8)
WARM_UP_SECONDS = 1.0


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        with servers.data_stores() as stores:
            stores.use()
            (stores.directory / "static" / FILE).write_text("ok")
            _measure(stores, options, console)
    except CannotStart as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    return 0


def _measure(stores: servers.DataStores, options: argparse.Namespace, console: Console) -> None:
    import django

    django.setup()  # only now: the settings need the servers' addresses
    from bench import seeding

    servers.manage("migrate", "--no-input", "--verbosity=0")
    seeding.seed(members=100, now=datetime.now(UTC))
    with servers.web(stores.directory) as web:
        console.print(_redirects(web, options))
    console.print(_ingest(options))


# --- the redirect --------------------------------------------------------------------------------


def _redirects(web: servers.Web, options: argparse.Namespace) -> Table:
    from bench.seeding import LINK

    calls = {
        "click": request("GET", f"/t/{LINK}", headers=AGENT),
        "static file": request("GET", f"/static/{FILE}"),
        "ping": request("GET", "/healthz"),
    }
    runs: dict[tuple[str, int], list[tuple[load.Outcome, float]]] = {}
    for call in calls.values():
        load.run(web.port, [repeat(call)] * max(CLIENTS), seconds=WARM_UP_SECONDS)
    for _round in range(options.rounds):
        for clients in CLIENTS:
            for name, call in calls.items():
                before = cpu.seconds(web.master_pid)
                outcome = load.run(web.port, [repeat(call)] * clients, seconds=options.seconds)
                spent = (cpu.seconds(web.master_pid) - before) * 1000 / outcome.calls
                runs.setdefault((name, clients), []).append((outcome, spent))
    table = Table("call", "clients", "per s", "of static", "p50 ms", "p99 ms", "server CPU ms")
    for (name, clients), taken in runs.items():
        speed = median(outcome.per_second for outcome, _spent in taken)
        floor = median(outcome.per_second for outcome, _spent in runs["static file", clients])
        table.add_row(
            name,
            str(clients),
            f"{speed:,.0f}",
            f"{speed / floor:.2f}",
            f"{median(outcome.percentile_ms(50) for outcome, _spent in taken):.2f}",
            f"{median(outcome.percentile_ms(99) for outcome, _spent in taken):.2f}",
            f"{median(spent for _outcome, spent in taken):.3f}",
        )
    return table


# --- ingest --------------------------------------------------------------------------------------

Row = tuple[UUID, str, str, datetime, int]


def _ingest(options: argparse.Namespace) -> Table:
    from campaigns import touches
    from campaigns.models import ChannelLink
    from campaigns.touch_quality import TouchEvent

    link_id = ChannelLink.objects.values_list("pk", flat=True)[0]

    def ours(rows: list[Row]) -> None:
        touches.ingest(
            [
                TouchEvent(
                    event_id=event_id, kind=kind, link_id=link, visitor_id=who, occurred_at=at
                )
                for event_id, kind, who, at, link in rows
            ]
        )

    _execute(_FLOOR_SQL)
    table = Table("batch", "COPY per s", "ours per s", "of COPY")
    for size in (500, 5_000):
        floor = _rate(_copy, options.events, size=size, link_id=link_id)
        speed = _rate(ours, options.events, size=size, link_id=link_id)
        table.add_row(f"{size:,}", f"{floor:,.0f}", f"{speed:,.0f}", f"{speed / floor:.2f}")
    return table


def _rate(store: Callable[[list[Row]], None], events: int, *, size: int, link_id: int) -> float:
    batches = list(_batches(events, size=size, link_id=link_id))
    started = time.perf_counter()
    for batch in batches:
        store(batch)
    return events / (time.perf_counter() - started)


def _batches(events: int, *, size: int, link_id: int) -> Iterator[list[Row]]:
    rng, now = random.Random(size), datetime.now(UTC)
    for _batch in range(events // size):
        yield [
            (
                UUID(int=rng.getrandbits(128)),
                "click",
                f"{rng.getrandbits(64):016x}",
                now - timedelta(seconds=rng.random() * 86_400),
                link_id,
            )
            for _row in range(size)
        ]


def _copy(rows: list[Row]) -> None:
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy(_COPY_SQL) as copy:
        for row in rows:
            copy.write_row(row)


def _execute(sql: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)


_FLOOR_SQL = """
CREATE TABLE floor_touch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid UNIQUE, kind varchar(16),
    visitor_id varchar(40), occurred_at timestamptz,
    link_id bigint REFERENCES campaigns_channellink);
CREATE INDEX ON floor_touch (visitor_id, occurred_at);
CREATE INDEX ON floor_touch (link_id, occurred_at);
"""
_COPY_SQL = "COPY floor_touch (event_id, kind, visitor_id, occurred_at, link_id) FROM STDIN"


if __name__ == "__main__":
    sys.exit(main())
