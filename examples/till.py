#!/usr/bin/env python3
"""A point of sale that plays a busy day against a running server and reconciles it to the fen.

    python examples/till.py --url http://127.0.0.1:8000 --key pk_… --orders 500

Needs Python 3.11 and nothing else. Read it from `pos/client.py`, which holds what every till must
do, over `pos/day.py`, which sells, to `pos/reconciliation.py`. The last line is `N orders, D
differences`; the exit code is 1 unless D is 0.
"""

import argparse
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pos.client import Api, CallLog, Refused, Unreachable
from pos.day import Day, Till
from pos.journal import Journal
from pos.reconciliation import Reconciliation, compare_daily, read_daily, reconcile

MOST_SHOWN = 20


def main() -> int:
    """Play a day, or reconcile one that was played before; return the exit code."""
    options = _options()
    log = CallLog()
    dice = random.Random(options.seed)
    api = Api(options.url, options.key, log=log, dice=dice)
    try:
        if options.reconcile:
            journal = Journal.read(options.reconcile)
            result = reconcile(journal, api)
        else:
            journal, result = _play(options, api, log, dice)
    except (Refused, Unreachable) as problem:
        print(f"This cannot work: {problem}", file=sys.stderr)
        return 2
    _show(result)
    print(f"{journal.played} orders, {len(result.differences)} differences")
    return 1 if result.differences else 0


def _play(
    options: argparse.Namespace, api: Api, log: CallLog, dice: random.Random
) -> tuple[Journal, Reconciliation]:
    journal = Journal(prefix=f"till{random.SystemRandom().randrange(16**6):06x}")
    day = Day(orders=options.orders, journal=journal, log=log)
    tills = [_till(f"{number}", options, day) for number in range(1, options.threads + 1)]
    for till in tills:
        till.open()
    report_api = Api(options.url, options.report_key, log=log, dice=dice)
    before = read_daily(report_api, journal.store) if options.report_key else {}

    started = time.perf_counter()
    with ThreadPoolExecutor(len(tills)) as threads:
        for working in [threads.submit(till.work) for till in tills]:
            working.result()
    _show_speed(journal, log, seconds=time.perf_counter() - started)

    if options.journal:
        journal.save(options.journal)
    result = reconcile(journal, api)
    if options.report_key:
        compare_daily(journal, before, read_daily(report_api, journal.store), result)
    return journal, result


def _till(name: str, options: argparse.Namespace, day: Day) -> Till:
    """Return a till with its own connection, its own dice, and the phones of its members."""
    dice = random.Random(f"{options.seed}/{name}")
    api = Api(options.url, options.key, log=day.log, dice=dice)
    phone_api = Api(options.url, "", log=day.log, dice=dice)
    return Till(name, day=day, api=api, phone_api=phone_api, dice=dice)


def _show_speed(journal: Journal, log: CallLog, *, seconds: float) -> None:
    print(f"{journal.played} orders in {seconds:.1f} s: {journal.played / seconds:.1f} a second\n")
    print(f"{'call':<20}{'calls':>8}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}")
    for name, times in sorted(log.seconds.items()):
        times.sort()
        shown = [times[min(len(times) * p // 100, len(times) - 1)] * 1000 for p in (50, 95, 99)]
        print(f"{name:<20}{len(times):>8}" + "".join(f"{value:>10.1f}" for value in shown))
    print()
    for event, count in sorted(log.events.items()):
        print(f"{event}: {count}")


def _show(result: Reconciliation) -> None:
    print(f"\n{'reconciliation':<30}{'told':>12}{'reported':>12}")
    for what, told in result.told.items():
        reported = result.reported[what]
        print(f"{what:<30}{told:>12}{reported:>12}{'' if told == reported else '   ≠'}")
    print()
    for difference in result.differences[:MOST_SHOWN]:
        print(f"difference: {difference}")
    if len(result.differences) > MOST_SHOWN:
        print(f"… and {len(result.differences) - MOST_SHOWN} more")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server is")
    parser.add_argument("--key", required=True, help="till key; `make run` prints the demo's")
    parser.add_argument("--orders", type=int, default=100, help="how many orders to play (100)")
    parser.add_argument("--threads", type=int, default=4, help="tills at once (4)")
    parser.add_argument("--seed", type=int, default=1, help="what guests do follows from it (1)")
    parser.add_argument("--report-key", default="", help="report key, to compare the daily report")
    parser.add_argument("--journal", type=Path, help="write down what was told, as JSON")
    parser.add_argument("--reconcile", type=Path, metavar="JOURNAL", help="only reconcile again")
    options = parser.parse_args()
    if options.orders < 1 or options.threads < 1:
        parser.error("--orders and --threads start at 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
