"""``make bench``: measure, print a table, write bench/results.json.

Starts its own servers (durable ones), fills them, and removes them. Figures of different machines
or runs do not compare; the ratios to the floor of the same run do, and CPU per call nearly does.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench import servers
from shop.config.processes import CannotStart

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Run the benchmark; return the exit code."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        with servers.data_stores() as stores:
            stores.use()
            measured = _measure(stores, options, console)
    except CannotStart as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    from bench import report

    report.show(measured, console)
    if options.output:
        options.output.write_text(json.dumps(measured, indent=2, ensure_ascii=False) + "\n")
        console.print(f"\nwritten to {os.path.relpath(options.output)}")
    return 0


def _measure(
    stores: servers.DataStores, options: argparse.Namespace, console: Console
) -> dict[str, object]:
    """Fill the servers and take every sample."""
    import django

    django.setup()  # only now: the settings need the servers' addresses
    from bench import evaluation, exact, measuring, report, rush, seeding
    from bench.floor import Floor

    load_before = os.getloadavg()[0]
    console.print(f"Seeding {options.members:,} members …")
    servers.manage("migrate", "--no-input", "--verbosity=0")
    seeded = seeding.seed(members=options.members, now=datetime.now(UTC))
    floor = Floor(stores.database_url, members=options.members)
    floor.prepare()
    seeding.get_ready()

    with servers.web(stores.directory) as web:
        tills = seeding.Tills(seeded)
        tills.total_cents = seeding.quoted_total(tills, port=web.port)
        calls = measuring.our_calls(tills)
        calls = [call for call in calls if call.name in {*(options.only or [call.name]), "ping"}]
        bench = measuring.Bench(web=web, postgres_pid=stores.postgres_pid, floor=floor)
        bench.warm_up(calls)
        samples: dict[tuple[str, int], list[measuring.Sample]] = {}
        turns = [(clients, [c for c in calls if not c.by_crowd]) for clients in options.clients]
        turns.append((measuring.CROWD, [c for c in calls if c.by_crowd or c.name == "ping"]))
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("Measuring", total=options.rounds * len(turns))
            for _round in range(options.rounds):
                for clients, made in turns:
                    how = {"clients": clients, "seconds": options.seconds}
                    for script in sorted({call.floor for call in made} - {"ping"}):
                        sample = bench.floor_of(script, **how)
                        samples.setdefault((f"floor: {script}", clients), []).append(sample)
                    for call in made:
                        sample = bench.call(call, **how)
                        samples.setdefault((call.name, clients), []).append(sample)
                    progress.advance(task)
        exact.check(tills, port=web.port)
        memory = report.memory_of(web)
    evaluations = [] if options.only else evaluation.measure()
    rushes, making = rush.measure(seconds=options.seconds, rounds=options.rounds)
    return report.collect(
        samples,
        calls=calls,
        evaluations=evaluations,
        rushes=rushes,
        making=making,
        memory=memory,
        options=options,
        load_before=load_before,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one run (4)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; medians count (3)")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8], help="at once (1 8)")
    parser.add_argument("--members", type=int, default=10_000, help="members to seed (10000)")
    parser.add_argument("--only", nargs="+", help="these calls only, kept nowhere")
    parser.add_argument("--quick", action="store_true", help="one round of 2 s, kept nowhere")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds = 2.0, 1
    if options.quick or options.only:
        options.output = None
    return options


if __name__ == "__main__":
    sys.exit(main())
