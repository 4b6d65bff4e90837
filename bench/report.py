"""What was measured, as a table for people and as JSON to keep."""

import argparse
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connection
from rich.console import Console
from rich.table import Table

from bench import cpu
from bench.evaluation import LINES, Timing
from bench.measuring import CROWD, Call, Sample, summary
from bench.rush import PROCESSES, THREADS, Making, Rush
from bench.servers import ROOT, Web

WORKER_GOAL_MB = 110
PACKAGES = ["Django", "djangorestframework", "psycopg", "gunicorn", "orjson"]
POSTGRES_SETTINGS = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers"]


def memory_of(web: Web) -> dict[str, Any]:
    """Return what each web worker holds in memory after all its work."""
    return {
        "web_worker_mb": [round(cpu.resident_mb(pid), 1) for pid in web.workers()],
        "goal_mb": WORKER_GOAL_MB,
    }


def collect(
    samples: Mapping[tuple[str, int], Sequence[Sample]],
    *,
    calls: Sequence[Call],
    evaluations: Sequence[Timing],
    rushes: Sequence[Rush],
    making: Making,
    memory: Mapping[str, Any],
    options: argparse.Namespace,
    load_before: float,
) -> dict[str, Any]:
    """Return everything worth keeping."""
    rows: list[dict[str, Any]] = [
        {"name": name, "clients": clients} | summary(runs)
        for (name, clients), runs in samples.items()
    ]
    found = {(row["name"], row["clients"]): row for row in rows}
    for call in calls:
        for clients in [CROWD] if call.by_crowd else options.clients:
            row = found[call.name, clients]
            floor = found[call.floor if call.floor == "ping" else f"floor: {call.floor}", clients]
            row["floor"] = floor["name"]
            row["ratio_to_floor"] = round(row["per_second"] / floor["per_second"], 3)
            row["cpu_goal_ms"] = call.cpu_goal_ms
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine() | {"load_before": round(load_before, 2)},
        "versions": _versions(),
        "settings": {
            "seconds": options.seconds,
            "rounds": options.rounds,
            "members": options.members,
            "workers": int(os.environ.get("WEB_WORKERS", "2")),
            "threads": int(os.environ.get("WEB_THREADS", "4")),
            "postgresql": _postgres_settings(),
        },
        "memory": dict(memory),
        "evaluations": [asdict(timing) | {"ratio": timing.ratio} for timing in evaluations],
        "rushes": [asdict(rush) for rush in rushes],
        "making_codes": asdict(making),
        "measurements": sorted(rows, key=lambda row: (row["clients"], row["name"])),
    }


def show(measured: Mapping[str, Any], console: Console) -> None:
    """Print the table."""
    for clients in sorted({row["clients"] for row in measured["measurements"]}):
        table = Table(title=f"{clients} at once", title_justify="left")
        table.add_column("call")
        for name in ("per second", "p50 ms", "p99 ms"):
            table.add_column(name, justify="right")
        for name in ("server", "database", "together", "goal"):
            table.add_column(f"CPU ms\n{name}", justify="right")
        table.add_column("SQL", justify="right")
        table.add_column("of the\nfloor", justify="right")
        for row in measured["measurements"]:
            if row["clients"] == clients:
                table.add_row(*_cells(row))
        console.print(table)
    _show_evaluations(measured["evaluations"], console)
    _show_rushes(measured["rushes"], measured["making_codes"], console)
    workers = ", ".join(f"{size} MB" for size in measured["memory"]["web_worker_mb"])
    console.print(f"Web workers: {workers} (goal: under {measured['memory']['goal_mb']} MB)")


def _show_evaluations(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    if not rows:
        return
    table = Table(title=f"Evaluating {LINES} lines, no database", title_justify="left")
    table.add_column("offers")
    for name in ("CPU ms", "floor ms", "× the floor"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row["name"], *(str(row[key]) for key in ("cpu_ms", "floor_ms", "ratio")))
    console.print(table)


def _show_rushes(
    rows: Sequence[Mapping[str, Any]], making: Mapping[str, Any], console: Console
) -> None:
    title = f"A rush for one coupon: {PROCESSES * THREADS} claimants at once, none issued too many"
    table = Table(title=title, title_justify="left")
    table.add_column("way")
    for name in ("per second", "p50 ms", "p99 ms", "× naive"):
        table.add_column(name, justify="right")
    for row in rows:
        keys = ("per_second", "p50_ms", "p99_ms", "ratio")
        table.add_row(row["name"], *(str(row[key]) for key in keys))
    console.print(table)
    console.print(
        f"Codes: {making['per_second']:,} a second, {making['ratio']} of a bare COPY"
        f" (goal: 0.6), {making['growth_mb']} MB of memory more"
    )


def _cells(row: Mapping[str, Any]) -> list[str]:
    together = row["server_cpu_ms"] + row["postgres_cpu_ms"]
    goal = row.get("cpu_goal_ms")
    ratio = row.get("ratio_to_floor")
    return [
        row["name"],
        f"{row['per_second']:,.0f}",
        f"{row['p50_ms']:.2f}",
        "" if row["p99_ms"] is None else f"{row['p99_ms']:.2f}",
        f"{row['server_cpu_ms']:.2f}",
        f"{row['postgres_cpu_ms']:.2f}",
        f"{together:.2f}",
        "" if goal is None else f"{'[green]' if together <= goal else '[red]'}≤ {goal}",
        "" if row["statements"] is None else f"{row['statements']:.1f}",
        "" if ratio is None or row["name"] == row["floor"] else f"{ratio:.2f}",
    ]


def _machine() -> dict[str, Any]:
    cpuinfo = Path("/proc/cpuinfo").read_text()
    models = [line.split(": ")[1] for line in cpuinfo.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def _versions() -> dict[str, str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "commit": commit.stdout.strip(),
        "Python": platform.python_version(),
        "PostgreSQL": _setting("server_version"),
    } | {name: version(name) for name in PACKAGES}


def _postgres_settings() -> dict[str, str]:
    return {name: _setting(name) for name in POSTGRES_SETTINGS}


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (value,) = cursor.fetchone()
    return str(value)
