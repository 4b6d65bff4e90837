"""``python -m bench.points``: the ledger beside plain SQL, in one run and one PostgreSQL.

Earns, spends, holds and posts by the very functions that the flows call, and expires a day's lots
by the very job that the product runs; beside each, what hand-written SQL takes for the same rows.
Prints speeds and ratios. `--lots 1000000` is the size of the goals.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table

from bench import servers
from shop.config.processes import CannotStart

CALLS = 300
"""How often each call is made per round."""
ROUNDS = 3
POINTS = 10
YEAR = timedelta(days=365)


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lots", type=int, default=100_000, help="that expire on one day")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        with servers.data_stores() as stores:
            stores.use()
            _measure(options.lots, console)
    except CannotStart as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    return 0


def _measure(lots: int, console: Console) -> None:
    import django

    django.setup()  # only now: the settings need the servers' addresses
    from django.db import connection

    from shop.storefront.demo import chain

    servers.manage("migrate", "--no-input", "--verbosity=0")
    now = datetime.now(UTC)
    console.print(f"Seeding {lots:,} members with a lot that expires today and one that stays …")
    chain.load()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # of the seed alone
        for sql in _SEED:
            cursor.execute(sql, {"members": lots, "now": now} if "%(" in sql else None)
        cursor.execute("RESET statement_timeout")
    _report_calls(lots, now, console)
    _report_expiry(lots, now, console)


def _report_calls(members: int, now: datetime, console: Console) -> None:
    table = Table("call", "floor /s", "ours /s", "ratio")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0) as plain:
        for name, ours, floor in _calls(plain, now):
            numbers = _spread(members)
            speeds: dict[str, list[float]] = {"floor": [], "ours": []}
            for _round in range(ROUNDS):  # in turns, so that noise meets both
                speeds["floor"].append(_per_second(floor, numbers))
                speeds["ours"].append(_per_second(ours, numbers))
            best = {which: max(found) for which, found in speeds.items()}
            ratio = best["ours"] / best["floor"]
            table.add_row(name, f"{best['floor']:,.0f}", f"{best['ours']:,.0f}", f"{ratio:.2f}")
    console.print(table)


def _calls(
    plain: psycopg.Connection[Any], now: datetime
) -> Iterator[tuple[str, Callable[[int], None], Callable[[int], None]]]:
    """Yield each call: its name, ours and the floor's, for the n-th member."""
    from django.db import transaction

    from loyalty import holds, points
    from shop.kernel.money import Points

    sources = count()
    until = now + YEAR

    def wallet(member: int) -> Any:
        return points.lock_accounts([member]).points(member)

    def earn(member: int) -> None:
        with transaction.atomic():
            points.earn(
                wallet(member),
                points=Points(POINTS),
                source=f"b{next(sources)}",
                now=now,
                expires_at=until,
            )

    def spend(member: int) -> None:
        with transaction.atomic():
            points.spend(wallet(member), points=Points(POINTS), source=f"b{next(sources)}", now=now)

    def hold_and_post(member: int) -> None:
        source = f"b{next(sources)}"
        with transaction.atomic():
            holds.take(wallet(member), points=Points(POINTS), source=source, now=now)
        with transaction.atomic():
            holds.post(wallet(member), source=source, now=now)

    def floor(*statements: str) -> Callable[[int], None]:
        def run(member: int) -> None:
            values = {
                "member": member,
                "points": POINTS,
                "source": f"f{next(sources)}",
                "now": now,
                "until": until,
            }
            for statement in statements:
                plain.execute(statement, values)

        return run

    yield "earn", earn, floor(_EARN)
    yield "spend", spend, floor(_SPEND)
    yield "hold + post", hold_and_post, floor(_HOLD, _POST, _SPEND)


def _spread(members: int) -> Iterator[int]:
    """Yield members far from each other, as tills serve them."""
    step = 7919
    return (1 + number * step % members for number in count())


def _per_second(call: Callable[[int], None], members: Iterator[int]) -> float:
    started = time.perf_counter()
    for _call in range(CALLS):
        call(next(members))
    return CALLS / (time.perf_counter() - started)


def _report_expiry(lots: int, now: datetime, console: Console) -> None:
    from django.db import connection, transaction

    from loyalty import expiry
    from shop.kernel import jobs

    def floor() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(_EXPIRE, {"now": now})
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would have checked
            transaction.set_rollback(True)

    def ours() -> None:
        job = expiry.start(requested_by="bench", now=now)
        done = jobs.run(job.pk, now=now)
        if done.result["entries"] != lots:
            raise CannotStart(f"{done.result} expired instead of {lots:,} lots.")

    seconds = []
    for work in (floor, ours):
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("RESET statement_timeout")
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    table = Table("job", "floor s", "ours s", "ratio", "lots/s")
    ratio, speed = seconds[0] / seconds[1], lots / seconds[1]
    table.add_row(
        "a day's lots expire",
        *(f"{each:.1f}" for each in seconds),
        f"{ratio:.2f}",
        f"{speed:,.0f}",
    )
    console.print(table)


_SEED = [
    """
    INSERT INTO shop_member (id, public_id, status, name, phone_sealed, phone_hash, phone_last4,
                             store_id, joined_at)
    SELECT n, gen_random_uuid(), 'active', '', ''::bytea, decode(md5(n::text), 'hex'),
           lpad((n %% 10000)::text, 4, '0'), (SELECT min(id) FROM shop_store),
           %(now)s::timestamptz - interval '700 days'
    FROM generate_series(1, %(members)s) AS n
    """,
    """
    INSERT INTO loyalty_pointsaccount (member_id, wallet, balance, held)
    SELECT id, 'points', 250, 0 FROM shop_member
    """,
    """
    INSERT INTO loyalty_pointsentry
           (account_id, kind, points, balance_after, source, note, actor, occurred_at)
    SELECT account.id, 'earn', part.points, part.balance, 'seed:' || part.points, '', 'bench',
           %(now)s::timestamptz - interval '400 days'
    FROM loyalty_pointsaccount account
    CROSS JOIN (VALUES (50, 50), (200, 250)) AS part (points, balance)
    """,
    """
    INSERT INTO loyalty_pointslot (account_id, entry_id, points, remaining, expires_at)
    SELECT account_id, id, points, points,
           %(now)s::timestamptz + CASE points WHEN 50 THEN interval '-1 hour' ELSE '90 days' END
    FROM loyalty_pointsentry
    """,
    "VACUUM ANALYZE",
]
_ENTRY = """
INSERT INTO loyalty_pointsentry
       (account_id, kind, points, balance_after, source, note, actor, occurred_at)
"""
_EARN = f"""
WITH account AS (
    UPDATE loyalty_pointsaccount SET balance = balance + %(points)s
    WHERE member_id = %(member)s AND wallet = 'points' RETURNING id, balance
), entry AS (
    {_ENTRY} SELECT id, 'earn', %(points)s, balance, %(source)s, '', '', %(now)s FROM account
    RETURNING id, account_id
)
INSERT INTO loyalty_pointslot (account_id, entry_id, points, remaining, expires_at)
SELECT account_id, id, %(points)s, %(points)s, %(until)s FROM entry
"""
_SPEND = f"""
WITH account AS (
    UPDATE loyalty_pointsaccount SET balance = balance - %(points)s
    WHERE member_id = %(member)s AND wallet = 'points' AND balance - held >= %(points)s
    RETURNING id, balance
), entry AS (
    {_ENTRY} SELECT id, 'spend', -%(points)s, balance, %(source)s, '', '', %(now)s FROM account
    RETURNING id, account_id
), lot AS (
    UPDATE loyalty_pointslot SET remaining = remaining - %(points)s
    WHERE id = (SELECT lot.id FROM loyalty_pointslot lot JOIN account ON account.id = lot.account_id
                WHERE lot.remaining >= %(points)s ORDER BY lot.expires_at, lot.id LIMIT 1)
    RETURNING id
)
INSERT INTO loyalty_pointsdraw (entry_id, lot_id, points)
SELECT entry.id, lot.id, %(points)s FROM entry, lot
"""
_HOLD = """
WITH account AS (
    UPDATE loyalty_pointsaccount SET held = held + %(points)s
    WHERE member_id = %(member)s AND wallet = 'points' AND balance - held >= %(points)s
    RETURNING id
)
INSERT INTO loyalty_pointshold (account_id, points, source, state, held_at)
SELECT id, %(points)s, %(source)s, 'pending', %(now)s FROM account
"""
_POST = """
WITH hold AS (
    UPDATE loyalty_pointshold SET state = 'posted', resolved_at = %(now)s
    WHERE source = %(source)s AND state = 'pending' AND account_id = (
        SELECT id FROM loyalty_pointsaccount WHERE member_id = %(member)s AND wallet = 'points')
    RETURNING account_id, points
)
UPDATE loyalty_pointsaccount account SET held = held - hold.points
FROM hold WHERE account.id = hold.account_id
"""
_EXPIRE = f"""
WITH due AS (
    SELECT id, account_id, remaining FROM loyalty_pointslot
    WHERE remaining > 0 AND expires_at <= %(now)s
), emptied AS (
    UPDATE loyalty_pointslot lot SET remaining = 0 FROM due WHERE lot.id = due.id
), account AS (
    UPDATE loyalty_pointsaccount account SET balance = account.balance - due.remaining
    FROM due WHERE account.id = due.account_id RETURNING account.id, account.balance
), entry AS (
    {_ENTRY}
    SELECT due.account_id, 'expire', -due.remaining, account.balance, 'floor:' || due.id, '', '',
           %(now)s::timestamptz
    FROM due JOIN account ON account.id = due.account_id RETURNING id, account_id, points
)
INSERT INTO loyalty_pointsdraw (entry_id, lot_id, points)
SELECT entry.id, due.id, -entry.points FROM entry JOIN due USING (account_id)
"""


if __name__ == "__main__":
    sys.exit(main())
