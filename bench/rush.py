"""A flash sale: claimants of one coupon at once, in several ways; codes made beside a bare COPY.

Every run is checked: not one coupon too many, none lost, at most one each. Speeds are of the noun
functions in processes of their own, so that the web server's share does not hide the database's.
"""

import multiprocessing
import resource
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db import connection, connections, transaction
from django.utils import timezone

from bench import exact
from campaigns import batches, caps, coupons
from campaigns.models import CodeBatch, Coupon, CouponDefinition
from shop.kernel import identifiers, jobs
from shop.kernel.errors import DomainError
from shop.models import Member

PROCESSES = 4
THREADS = 16
BUCKETS = 16
CODES = 200_000
CAP_OF_SOLD_OUT = 300
Claim = Callable[[str, int, datetime], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rush:
    """What claims of one coupon gave."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    ratio: float
    """Of the naive row lock in the same run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """Making codes, beside a bare COPY of as many into one indexed column."""

    codes: int
    per_second: float
    floor_per_second: float
    ratio: float
    growth_mb: float
    """How much more memory the process held at most than before."""


def measure(*, seconds: float, rounds: int) -> tuple[list[Rush], Making]:
    """Run every way of claiming in turns, and make codes."""
    ways: dict[str, tuple[int, Claim]] = {
        "claim, row locked first (naive)": (1, _claim_naively),
        "claim, counted last": (1, _claim),
        f"claim, {BUCKETS} buckets": (BUCKETS, _claim),
    }
    found: dict[str, list[tuple[float, list[float]]]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, (buckets, claim) in ways.items():
            code = _definition(f"RUSH_{number}_{len(found[name])}_{buckets}", claim, buckets)
            found[name].append(_run(code, claim, seconds=seconds))
            exact.ensure_issued_exactly(code)
    for buckets, claim in ways.values():
        if claim is _claim:
            _sell_out(f"GONE_{buckets}", claim, buckets)
    rates = {name: median(rate for rate, _times in runs) for name, runs in found.items()}
    naive = next(iter(rates.values()))
    rushes = [
        Rush(
            name=name,
            per_second=round(rates[name], 1),
            p50_ms=_percentile(runs, 50),
            p99_ms=_percentile(runs, 99),
            ratio=round(rates[name] / naive, 2),
        )
        for name, runs in found.items()
    ]
    return rushes, _measure_making(rounds)


# --- claiming ------------------------------------------------------------------------------------


def _claim(code: str, member_id: int, now: datetime) -> None:
    coupons.claim(code, member_id=member_id, now=now)


def _claim_naively(code: str, member_id: int, now: datetime) -> None:
    """Lock the row, look, write, commit: what most shops do."""
    with transaction.atomic():
        definition = CouponDefinition.objects.select_for_update().get(code=code)
        if definition.total_limit is not None and definition.issued_count >= definition.total_limit:
            raise coupons.CouponExhausted
        if Coupon.objects.filter(definition=definition, member_id=member_id).exists():
            raise coupons.ClaimLimitReached
        Coupon.objects.create(
            code=identifiers.new_code(15),
            definition=definition,
            member_id=member_id,
            slot=1,
            source="claim",
            issued_at=now,
            expires_at=now.replace(year=now.year + 1),
        )
        definition.issued_count += 1
        definition.save(update_fields=["issued_count"])


def _definition(code: str, claim: Claim, buckets: int, *, cap: int = 10_000_000) -> str:
    definition = CouponDefinition.objects.get(code="FULL25_5")
    definition.pk, definition.code = None, f"{code}{'N' if claim is _claim_naively else ''}"
    definition.per_member_limit, definition.is_claimable = 1, True
    definition.total_limit, definition.claim_buckets = cap, buckets
    definition.issued_count = definition.redeemed_count = 0
    definition._state.adding = True
    definition.save()
    caps.divide(definition)
    return definition.code


def _run(code: str, claim: Claim, *, seconds: float) -> tuple[float, list[float]]:
    """Let all claimants loose for some seconds; return the rate and every latency in ms."""
    members = list(Member.objects.order_by("pk").values_list("pk", flat=True))
    shares = [members[number::PROCESSES] for number in range(PROCESSES)]
    found = _in_processes(_claim_for_a_while, shares, code, claim, seconds)
    latencies = [ms for times in found for ms in times]
    return len(latencies) / seconds, latencies


def _in_processes(work: Callable[..., Any], shares: Sequence[Any], *arguments: Any) -> list[Any]:
    """Run work for each share in a forked process, which has connections of its own."""
    connections.close_all()
    with multiprocessing.get_context("fork").Pool(len(shares)) as pool:
        waiting = [pool.apply_async(work, (share, *arguments)) for share in shares]
        return [each.get() for each in waiting]


def _claim_for_a_while(
    members: Sequence[int], code: str, claim: Claim, seconds: float
) -> list[float]:
    latencies: list[float] = []
    ends_at = time.perf_counter() + seconds

    def run(mine: Sequence[int]) -> None:
        for member_id in mine:
            began = time.perf_counter()
            if began > ends_at:
                break
            claim(code, member_id, timezone.now())
            latencies.append((time.perf_counter() - began) * 1000)
        else:
            raise RuntimeError("every member has claimed; seed more members")
        connections.close_all()

    _in_threads([members[number::THREADS] for number in range(THREADS)], run)
    return latencies


def _in_threads(shares: Sequence[Any], run: Callable[[Any], None]) -> None:
    threads = [threading.Thread(target=run, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _sell_out(code: str, claim: Claim, buckets: int) -> None:
    """Let more members claim than there are coupons; exactly the cap must be gone.

    Raises:
        exact.NotExact
    """
    code = _definition(code, claim, buckets, cap=CAP_OF_SOLD_OUT)
    ids = Member.objects.order_by("pk").values_list("pk", flat=True)
    members = list(ids[: 3 * CAP_OF_SOLD_OUT])
    shares = [members[number::PROCESSES] for number in range(PROCESSES)]
    got = sum(_in_processes(_claim_each_once, shares, code, claim))
    exact.ensure_issued_exactly(code)
    if got != CAP_OF_SOLD_OUT:
        raise exact.NotExact(f"{code}: {got} of {CAP_OF_SOLD_OUT} were given")


def _claim_each_once(members: Sequence[int], code: str, claim: Claim) -> int:
    got: list[int] = []

    def run(mine: Sequence[int]) -> None:
        for member_id in mine:
            try:
                claim(code, member_id, timezone.now())
                got.append(member_id)
            except DomainError:
                continue
        connections.close_all()

    _in_threads([members[number::THREADS] for number in range(THREADS)], run)
    return len(got)


def _percentile(runs: Sequence[tuple[float, list[float]]], percent: int) -> float:
    times = sorted(ms for _rate, latencies in runs for ms in latencies)
    return round(times[min(len(times) * percent // 100, len(times) - 1)], 2)


# --- making codes --------------------------------------------------------------------------------


def _measure_making(rounds: int) -> Making:
    """Make codes by the job and copy as many strings bare, in turns; medians count.

    Both begin with nothing there: the more codes an index holds, the more each new one costs.
    """
    ours, floors = [], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _round in range(rounds):
        floors.append(CODES / _timed(_copy_bare))
        ours.append(CODES / _timed(_make_batch))
        _ensure_all_made()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return Making(
        codes=CODES,
        per_second=round(median(ours)),
        floor_per_second=round(median(floors)),
        ratio=round(median(ours) / median(floors), 2),
        growth_mb=round(grown / 1024, 1),
    )


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _make_batch() -> None:
    now = timezone.now()
    definition = CouponDefinition.objects.get(code="FULL25_5")
    batch = batches.create(definition, label="bench", quantity=CODES, requested_by="bench", now=now)
    job = batches.job_of(batch)
    assert job is not None
    jobs.run(job.pk, now=now)


def _ensure_all_made() -> None:
    """Check the codes of the last batch, and throw them away."""
    if CodeBatch.objects.latest("pk").codes.count() != CODES:
        raise exact.NotExact("codes are missing")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE campaigns_batchcode")


def _copy_bare() -> None:
    """Copy as many ready codes, in the same slices, into a table with one unique column."""
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TABLE bench_codes (code text COLLATE "C" UNIQUE, batch_id bigint NOT NULL)'
        )
        try:
            for _slice in range(CODES // batches.SLICE):
                codes = batches.new_codes(batches.SLICE, length=batches.LEAST_LENGTH)
                with cursor.copy("COPY bench_codes FROM STDIN") as copy:
                    copy.write("".join(f"{code}\t1\n" for code in codes))
        finally:
            cursor.execute("DROP TABLE bench_codes")
