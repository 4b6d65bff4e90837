"""``python -m bench.economics``: reports from roll-ups beside the same numbers from the orders.

Starts a PostgreSQL of its own, writes two years of orders, makes the roll-ups, and times the loop,
the economics and the budget against plain SQL over the facts. A number that differs ends the run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import cpu, servers
from shop.config.processes import CannotStart

ROUNDS = 5
GOAL_MS = 50.0
DAY_GOAL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """One report, both ways: milliseconds by the clock, and of CPU in both processes.

    A busy machine stretches the clock; the ratio is of CPU.
    """

    name: str
    days: int
    rolled_ms: float
    raw_ms: float
    rolled_cpu_ms: float
    raw_cpu_ms: float
    ratio: float


def main() -> int:
    """Measure; return the exit code."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 110)
    try:
        with servers.data_stores() as stores:
            stores.use()
            measured = _measure(options.orders, console)
    except CannotStart as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    _show(measured, console)
    if options.output:
        options.output.write_text(json.dumps(measured, indent=2) + "\n")
    return 0


def _measure(orders: int, console: Console) -> dict[str, Any]:
    import django

    django.setup()  # only now: the settings need the server's address
    from django.db import connection

    from bench import history
    from shop.storefront.rollups import upkeep

    servers.manage("migrate", "--no-input", "--verbosity=0")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    console.print(f"Writing {orders:,} orders …")
    written = _seconds(lambda: history.write(orders=orders))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    history.mark_everything()
    console.print(f"… in {written:.0f} s. Making roll-ups …")
    made = _seconds(upkeep.refresh)
    console.print(f"… in {made:.0f} s. Asking …")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    return {
        "orders": orders,
        "write_seconds": round(written, 1),
        "make_seconds": round(made, 1),
        "day_seconds": round(_one_day(), 3),
        "timings": [asdict(timing) for timing in measure()],
    }


def _one_day() -> float:
    """Return how long it takes to add up anew one day of sales of all stores, and who bought."""
    from django.db import connection

    from bench.history import LAST_DAY
    from shop.storefront.rollups import upkeep

    day = LAST_DAY - timedelta(days=200)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storefront_rollupmark (order_id)"
            " SELECT id FROM shop_order WHERE business_date = %(day)s ORDER BY id",
            {"day": day},
        )
    return _seconds(upkeep.refresh)


def measure(*, rounds: int = ROUNDS) -> list[Timing]:
    """Ask each report, and hold it against the orders.

    Raises:
        recounts.NumbersDiffer
    """
    found = []
    for days, name, scope, build, compare in _cases():
        got = build(scope)
        rolled = _cost(partial(build, scope), rounds=rounds)
        raw = _cost(partial(compare, got, scope))
        found.append(
            Timing(
                name=name,
                days=days,
                rolled_ms=round(rolled.clock_ms, 1),
                raw_ms=round(raw.clock_ms, 1),
                rolled_cpu_ms=round(rolled.cpu_ms, 1),
                raw_cpu_ms=round(raw.cpu_ms, 1),
                ratio=round(raw.cpu_ms / max(rolled.cpu_ms, 1.0), 1),
            )
        )
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cost:
    clock_ms: float
    cpu_ms: float


def _cost(work: Callable[[], Any], *, rounds: int = 1) -> _Cost:
    """Return what a piece of work costs: the median by the clock, the mean of CPU.

    Reading /proc costs time of our own, so ours is read within that of the database session.
    """
    of_session, own = _session_seconds(), time.process_time()
    clocks = [_seconds(work) for _round in range(rounds)]
    own = time.process_time() - own
    of_session = _session_seconds() - of_session
    return _Cost(clock_ms=median(clocks) * 1000, cpu_ms=max(own + of_session, 0.0) * 1000 / rounds)


def _session_seconds() -> float:
    """Return what the database session has used; workers do not help here."""
    from django.db import connection

    connection.ensure_connection()
    return cpu.seconds(connection.connection.info.backend_pid)


def _cases() -> Iterator[tuple[int, str, Any, Callable[..., Any], Callable[..., None]]]:
    """Yield a period in days, a report, what it is asked, and what asks it and the orders."""
    from django.utils import timezone

    from bench import recounts
    from bench.history import LAST_DAY
    from shop.models import Store
    from shop.storefront.reports import channel_ranking, economics, loop
    from shop.storefront.reports.scopes import Scope

    rank = partial(channel_ranking.build, budget_cents=10**7, days=30)
    for days in (30, 365):
        until = LAST_DAY - timedelta(days=120)
        asked: dict[str, Any] = {
            "stores": list(Store.objects.order_by("id")),
            "since": until - timedelta(days=days),
            "until": until,
            "now": timezone.now(),
            "is_whole_chain": True,
        }
        whole, monthly = Scope(**asked), Scope(**asked, every="month")
        yield days, "loop by channel", whole, loop.build, recounts.same_loop
        yield days, "economics by channel and month", monthly, economics.build, recounts.same_sales
        yield days, "budget", whole, rank, recounts.same_buyers


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _show(measured: Mapping[str, Any], console: Console) -> None:
    table = Table(title=f"Reports over {measured['orders']:,} orders, from roll-ups and from them")
    for column in ("report", "days", "ms", "CPU ms", "orders: ms", "CPU ms", "ratio", "goal"):
        table.add_column(column, justify="left" if column == "report" else "right")
    for row in measured["timings"]:
        table.add_row(
            row["name"],
            str(row["days"]),
            f"{row['rolled_ms']:,}",
            f"{row['rolled_cpu_ms']:,}",
            f"{row['raw_ms']:,}",
            f"{row['raw_cpu_ms']:,}",
            f"× {row['ratio']:,}",
            "met" if row["rolled_cpu_ms"] <= GOAL_MS else f"≤ {GOAL_MS:.0f} ms",
        )
    console.print(table)
    console.print(
        f"Roll-ups made in {measured['make_seconds']} s; one day of them, all stores, in"
        f" {measured['day_seconds']} s (goal {DAY_GOAL_SECONDS} s)"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.economics", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="so many (1000000)")
    parser.add_argument("--output", type=Path, help="where results go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
