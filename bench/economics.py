"""``python -m bench.economics``: reports from roll-ups beside the same numbers from the orders.

Starts a PostgreSQL of its own, writes two years of orders, makes the roll-ups, and times the loop,
the economics and the budget against plain SQL over the facts. A number that differs ends the run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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


class NumbersDiffer(Exception):
    """The roll-ups do not say what the orders say: a speed of that means nothing."""


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
        NumbersDiffer
    """
    found = []
    for days, name, scope, build, compare in _cases():
        got = build(scope)
        times = [_cost(partial(build, scope)) for _round in range(rounds)]
        raw = _cost(partial(compare, got, scope))
        cpu_ms = sum(each.cpu_ms for each in times) / rounds
        found.append(
            Timing(
                name=name,
                days=days,
                rolled_ms=round(median(each.clock_ms for each in times), 1),
                raw_ms=round(raw.clock_ms, 1),
                rolled_cpu_ms=round(cpu_ms, 1),
                raw_cpu_ms=round(raw.cpu_ms, 1),
                ratio=round(raw.cpu_ms / max(cpu_ms, 1.0), 1),
            )
        )
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cost:
    clock_ms: float
    cpu_ms: float


def _cost(work: Callable[[], Any]) -> _Cost:
    clock, spent = time.perf_counter(), _cpu_seconds()
    work()
    return _Cost(
        clock_ms=(time.perf_counter() - clock) * 1000, cpu_ms=(_cpu_seconds() - spent) * 1000
    )


def _cpu_seconds() -> float:
    """Return what this process and its database session have used; workers do not help here."""
    from django.db import connection

    if connection.connection is None:
        connection.ensure_connection()
    return time.process_time() + cpu.seconds(connection.connection.info.backend_pid)


def _cases() -> Iterator[tuple[int, str, Any, Callable[..., Any], Callable[..., None]]]:
    """Yield a period in days, a report, what it is asked, and what asks it and the orders."""
    from django.utils import timezone

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
        yield days, "loop by channel", whole, loop.build, _same_loop
        yield days, "economics by channel and month", monthly, economics.build, _same_sales
        yield days, "budget", whole, rank, _same_buyers


def _same_loop(got: Sequence[Any], scope: Any) -> None:
    """Count the loop from members and orders, and hold it against the report."""
    rows = _raw(_LOOP, scope)
    ours = {
        row.key: [getattr(row, name) for name in _LOOP_NAMES]
        for row in got
        if row.key != "total" and row.joined
    }
    theirs = {row["key"]: [row[name] for name in _LOOP_NAMES] for row in rows}
    _ensure_same(ours, theirs)
    margins: dict[str, dict[int, int]] = {}
    for row in _raw(_AGES, scope):
        margins.setdefault(row["key"], {})[row["age"]] = row["margin_cents"]
    from shop.storefront.reports.newcomers import payback

    _ensure_same(
        {row.key: row.payback_days for row in got if row.key != "total"},
        {
            row.key: payback(row.cost_cents, margins.get(row.key, {}))
            for row in got
            if row.key != "total"
        },
    )


def _same_sales(got: Sequence[Any], scope: Any) -> None:
    names = ["orders", "revenue_cents", "margin_cents", "new_buyers"]
    ours = {
        (row.starts_on, row.key): [getattr(row, name) for name in names]
        for row in got
        if row.key != "total" and row.orders
    }
    theirs = {
        (row["starts_on"], row["key"]): [row[name] for name in names]
        for row in _raw(_SALES, scope)
        if row["orders"]
    }
    _ensure_same(ours, theirs)


def _same_buyers(got: Any, scope: Any) -> None:
    theirs: dict[str, int] = {}
    for row in _raw(_SALES, scope):
        theirs[row["key"]] = theirs.get(row["key"], 0) + row["new_buyers"]
    _ensure_same(
        {row.history.key: row.history.buyers for row in got.rows},
        {row.history.key: theirs.get(row.history.key, 0) for row in got.rows},
    )


def _ensure_same(ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> None:
    if ours != theirs:
        wrong = {key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}
        examples = {key: (ours.get(key), theirs.get(key)) for key in list(wrong)[:3]}
        raise NumbersDiffer(f"{len(wrong)} differ: {examples}")


def _raw(sql: str, scope: Any) -> list[dict[str, Any]]:
    from shop.storefront.reports import rows

    return rows.select(sql, scope.values())


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


_LOOP_NAMES = [
    *["joined", "first_order", "second_order", "long_term", "referrer", "friends", "orders"],
    *["revenue_cents", "margin_cents"],
]

_NEWCOMERS = """
newcomers AS (
    SELECT member.id, member.joined_at, channel.code AS key,
           ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
               AS joined_on
    FROM shop_member member
    JOIN shop_store store ON store.id = member.store_id
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
    JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
    WHERE ((member.joined_at AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date
          BETWEEN %(since)s AND %(until)s::date - 1
      AND member.store_id = ANY(%(stores)s)
)
"""
_BOUGHT = """
bought AS (
    SELECT newcomers.id AS member_id, newcomers.key, orders.paid_at,
           orders.business_date - newcomers.joined_on AS age,
           orders.paid_cents - orders.refunded_cents AS net_cents,
           orders.paid_cents - orders.refunded_cents
               - line.unit_cost_cents * (line.quantity - line.refunded_quantity) AS margin_cents,
           row_number() OVER person AS nth, first_value(orders.paid_at) OVER person AS first_at
    FROM newcomers
    JOIN shop_order orders ON orders.member_id = newcomers.id
    JOIN shop_orderline line ON line.order_id = orders.id
    WHERE orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
    WINDOW person AS (PARTITION BY orders.member_id ORDER BY orders.paid_at, orders.id)
)
"""

_LOOP = f"""
WITH {_NEWCOMERS}, {_BOUGHT},
people AS (
    SELECT newcomers.id, newcomers.key, count(bought.member_id) AS orders,
           COALESCE(sum(net_cents), 0) AS revenue_cents,
           COALESCE(sum(margin_cents), 0) AS margin_cents,
           COALESCE(bool_or(nth = 2 AND paid_at <= first_at + interval '30 days'), false) AS again,
           count(*) FILTER (WHERE paid_at < first_at + interval '90 days') >= 4
               OR max(tier.level) >= 2 AS regular,
           (SELECT count(*) FROM campaigns_referral referral
            WHERE referral.referrer_id = newcomers.id AND referral.status = 'qualified') AS friends
    FROM newcomers
    LEFT JOIN bought ON bought.member_id = newcomers.id
    JOIN loyalty_membership membership ON membership.member_id = newcomers.id
    JOIN loyalty_tier tier ON tier.id = membership.tier_id
    GROUP BY newcomers.id, newcomers.key
)
SELECT key, count(*) AS joined, count(*) FILTER (WHERE orders > 0) AS first_order,
       count(*) FILTER (WHERE again) AS second_order,
       count(*) FILTER (WHERE again AND regular) AS long_term,
       count(*) FILTER (WHERE orders > 0 AND friends > 0) AS referrer,
       sum(friends)::bigint AS friends, sum(orders)::bigint AS orders,
       sum(revenue_cents)::bigint AS revenue_cents, sum(margin_cents)::bigint AS margin_cents
FROM people GROUP BY key
"""

_AGES = f"""
WITH {_NEWCOMERS}, {_BOUGHT}
SELECT key, age, sum(margin_cents)::bigint AS margin_cents FROM bought GROUP BY 1, 2
"""

_SALES = """
WITH firsts AS (
    SELECT DISTINCT ON (member_id) id FROM shop_order
    WHERE paid_at IS NOT NULL AND status <> 'refunded' ORDER BY member_id, paid_at, id
),
part AS (
    SELECT conversion.channel_id, date_trunc('month', orders.business_date)::date AS starts_on,
           1 AS orders, orders.paid_cents AS revenue_cents,
           orders.paid_cents - line.unit_cost_cents * line.quantity AS margin_cents,
           CASE WHEN firsts.id IS NULL THEN 0 ELSE 1 END AS new_buyers
    FROM shop_order orders
    JOIN shop_orderline line ON line.order_id = orders.id
    JOIN campaigns_conversion conversion
         ON conversion.order_id = orders.id AND conversion.kind = 'order'
    LEFT JOIN firsts ON firsts.id = orders.id
    WHERE orders.business_date >= %(since)s AND orders.business_date < %(until)s
      AND orders.store_id = ANY(%(stores)s)
    UNION ALL
    SELECT conversion.channel_id,
           date_trunc('month', (refund.refunded_at AT TIME ZONE 'Asia/Shanghai')
                               - interval '5 hours')::date,
           0, -refund.amount_cents, line.unit_cost_cents * line.quantity - refund.amount_cents, 0
    FROM shop_refund refund
    JOIN shop_orderline line ON line.order_id = refund.order_id
    JOIN campaigns_conversion conversion
         ON conversion.order_id = refund.order_id AND conversion.kind = 'order'
    WHERE ((refund.refunded_at AT TIME ZONE 'Asia/Shanghai') - interval '5 hours')::date
          BETWEEN %(since)s AND %(until)s::date - 1
)
SELECT channel.code AS key, part.starts_on, sum(part.orders)::bigint AS orders,
       sum(part.revenue_cents)::bigint AS revenue_cents,
       sum(part.margin_cents)::bigint AS margin_cents, sum(part.new_buyers)::bigint AS new_buyers
FROM part JOIN campaigns_channel channel ON channel.id = part.channel_id
GROUP BY 1, 2
"""


if __name__ == "__main__":
    sys.exit(main())
