"""``python -m bench.memberships``: the night's work on memberships beside plain SQL, in one run.

Reviews every member's tier and gives every member a month's coupon, by the very jobs that the
product runs, and compares with one hand-written statement over all. Prints seconds and ratios.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table

from bench import servers
from shop.config.processes import CannotStart
from shop.kernel.clock import chain_day


def main() -> int:
    """Run the benchmark; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    try:
        with servers.data_stores() as stores:
            stores.use()
            _measure(options.members, console)
    except CannotStart as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    return 0


def _measure(members: int, console: Console) -> None:
    import django

    django.setup()  # only now: the settings need the servers' addresses
    servers.manage("migrate", "--no-input", "--verbosity=0")
    now = datetime.now(UTC)
    console.print(f"Seeding {members:,} members …")
    _seed(members, now)
    table = Table("job", "floor s", "ours s", "again s", "ratio", "members/s", "peak RSS MB")
    for name, floor, ours in (
        ("tiers of all", lambda: _undone(_TIER_FLOOR, now), lambda: _review(now)),
        ("a month's coupons", lambda: _undone(_GRANT_FLOOR, now), lambda: _grant(now)),
    ):
        _vacuum()
        floor_seconds = _timed(floor)
        _vacuum()
        seconds, again = _timed(ours), _timed(ours)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        table.add_row(
            name,
            f"{floor_seconds:.1f}",
            f"{seconds:.1f}",
            f"{again:.1f}",
            f"{floor_seconds / seconds:.2f}",
            f"{members / seconds:,.0f}",
            f"{memory:.0f}",
        )
    console.print(table)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _review(now: datetime) -> None:
    """Review everybody as after a change of the ladder."""
    from shop.kernel import jobs
    from shop.storefront import tier_reviews

    job = jobs.start(
        tier_reviews.REVIEW,
        params={"everybody": True, "source": "bench"},
        requested_by="bench",
        now=now,
    )
    jobs.run(job.pk, now=now)


def _grant(now: datetime) -> None:
    from shop.kernel import jobs
    from shop.storefront import benefit_grants

    job = jobs.start(
        benefit_grants.MONTHLY,
        params={"day": chain_day(now).isoformat()},
        requested_by="bench",
        now=now,
    )
    jobs.run(job.pk, now=now)


def _undone(sql: str, now: datetime) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(sql, {"now": now})
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would have checked
        transaction.set_rollback(True)


def _vacuum() -> None:
    for sql in ("SET statement_timeout = 0", "VACUUM ANALYZE", "RESET statement_timeout"):
        _execute(sql)


def _execute(sql: str, **values: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def _seed(members: int, now: datetime) -> None:
    """Fill a chain with members of all tiers, each with six purchases of which half are too old."""
    from campaigns.models import CouponDefinition
    from loyalty.models import Benefit, Tier
    from shop.storefront import benefit_grants
    from shop.storefront.demo import chain

    chain.load(opened_on=(now - timedelta(days=800)).date())
    _execute("SET statement_timeout = 0")  # of the seed alone
    for sql in _SEED:
        _execute(sql, members=members, now=now)
    _execute("RESET statement_timeout")
    CouponDefinition.objects.filter(code="FULL25_5").update(per_member_limit=99)
    for tier in Tier.objects.all():
        benefit = Benefit.objects.create(
            code=f"month-{tier.code}", name_zh="月券", name_en="Monthly", kind="coupons", tier=tier
        )
        benefit_grants.append_version(
            benefit,
            month=chain_day(now).replace(day=1),
            actor="bench",
            now=now,
            coupon="FULL25_5",
        )


_SEED = [
    """
    INSERT INTO shop_member (public_id, status, name, phone_sealed, phone_hash, phone_last4,
                             store_id, joined_at)
    SELECT gen_random_uuid(), 'active', '', ''::bytea, decode(md5(n::text), 'hex'),
           lpad((n %% 10000)::text, 4, '0'), (SELECT min(id) FROM shop_store),
           %(now)s::timestamptz - interval '700 days'
    FROM generate_series(1, %(members)s) AS n
    """,
    """
    INSERT INTO loyalty_pointsaccount (member_id, wallet, balance, held)
    SELECT id, wallet, 0, 0
    FROM shop_member CROSS JOIN unnest(ARRAY['points', 'qualifying']) AS wallet
    """,
    """
    INSERT INTO loyalty_pointsentry
           (account_id, kind, points, balance_after, source, note, actor, occurred_at)
    SELECT account.id, 'earn', 20 + (hashint8(account.id) & 255), 0, 'bench:' || n, '', 'bench',
           %(now)s::timestamptz - n * interval '110 days'
    FROM loyalty_pointsaccount account CROSS JOIN generate_series(1, 6) AS n
    WHERE account.wallet = 'qualifying'
    """,
    """
    INSERT INTO loyalty_membership (member_id, tier_id, tier_since, kept_until)
    SELECT member.id, tier.id, %(now)s::timestamptz - interval '500 days',
           CASE WHEN tier.level > 1 THEN %(now)s::timestamptz - interval '60 days' END
    FROM shop_member member JOIN loyalty_tier tier ON tier.level = 1 + member.id %% 3
    """,
    "VACUUM ANALYZE",
]
_TIER_FLOOR = """
WITH collected AS (
    SELECT account.member_id, sum(entry.points) AS points
    FROM loyalty_pointsaccount account JOIN loyalty_pointsentry entry
      ON entry.account_id = account.id
     AND entry.occurred_at > %(now)s::timestamptz - interval '365 days'
    WHERE account.wallet = 'qualifying' GROUP BY account.member_id
), earned AS (
    SELECT membership.member_id, membership.tier_id,
           (SELECT tier.id FROM loyalty_tier tier
            WHERE tier.min_qualifying_points <= COALESCE(collected.points, 0)
              AND tier.min_referrals = 0 ORDER BY tier.level DESC LIMIT 1) AS earned_id
    FROM loyalty_membership membership LEFT JOIN collected USING (member_id)
), moved AS (
    UPDATE loyalty_membership membership
    SET tier_id = earned.earned_id, tier_since = %(now)s, kept_until = %(now)s
    FROM earned WHERE earned.member_id = membership.member_id RETURNING membership.member_id
)
INSERT INTO loyalty_tierchange (member_id, from_tier_id, to_tier_id, source, occurred_at)
SELECT earned.member_id, earned.tier_id, earned.earned_id, 'floor', %(now)s
FROM earned JOIN moved USING (member_id) WHERE earned.tier_id <> earned.earned_id
"""
_GRANT_FLOOR = """
WITH given AS (
    INSERT INTO loyalty_benefitgrant (member_id, benefit_id, period, granted_at)
    SELECT membership.member_id, benefit.id, '2000-01', %(now)s
    FROM loyalty_membership membership JOIN loyalty_benefit benefit USING (tier_id)
    RETURNING member_id
)
INSERT INTO campaigns_coupon
       (code, definition_id, member_id, slot, status, source, issued_at, expires_at)
SELECT upper(substr(md5(random()::text), 1, 16)), definition.id, given.member_id, 1, 'available',
       'floor', %(now)s, %(now)s::timestamptz + interval '30 days'
FROM given, campaigns_coupondefinition definition WHERE definition.code = 'FULL25_5'
"""


if __name__ == "__main__":
    sys.exit(main())
