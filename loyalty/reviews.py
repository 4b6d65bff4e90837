"""The review: which tier members have earned, are kept in, or drop to; a slice of members at once.

The same statement decides for a preview of a draft and for the review itself; only that the latter
also moves people. Both read what `loyalty.standing` says counts.

A slice first locks the wallets of its members, those that nobody else is working on, and then
decides with a statement of its own: so it sees every sale that was finished, and a sale that comes
in the meantime waits and lifts the member after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from loyalty import standing
from loyalty.ladders import Ladder

SLICE = 10_000

Friends = Sequence[tuple[int, datetime]]
"""Referrers and the moments at which friends of theirs bought for the first time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """How many members go from one tier to another and why; a few of them by id."""

    from_tier: str
    to_tier: str
    reason: str
    members: int
    examples: Sequence[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The members of a slice, and of those whom somebody else is working on just now."""

    members: Sequence[int]
    busy: Sequence[int]
    last: int
    """The highest id looked at."""


def due(*, after: int, now: datetime, is_everybody: bool, limit: int = SLICE) -> list[int]:
    """Return the next members to be reviewed by ascending id: all, or those whose time is up."""
    condition = "true" if is_everybody else _IS_DUE
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT membership.member_id FROM loyalty_membership membership"
            f" WHERE membership.member_id > %(after)s AND ({condition})"
            " ORDER BY membership.member_id LIMIT %(limit)s",
            {"after": after, "now": now, "limit": limit},
        )
        return [member_id for (member_id,) in cursor.fetchall()]


def lock(member_ids: Sequence[int]) -> Sequence[int]:
    """Lock the qualifying wallets of those members that nobody else works on; return these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id FROM loyalty_pointsaccount WHERE wallet = 'qualifying'"
            " AND member_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
            [list(member_ids)],
        )
        return [member_id for (member_id,) in cursor.fetchall()]


def preview(
    ladder: Ladder, member_ids: Sequence[int], *, friends: Friends, now: datetime
) -> list[Move]:
    """Return who would move if this were the ladder; with reason "later", at the end of the period.

    Writes nothing.
    """
    values = _values(ladder, member_ids, friends=friends, now=now)
    return _moves(f"{_decided(ladder)} {_PREVIEW_SQL}", values)


@transaction.atomic(savepoint=False)
def apply(
    ladder: Ladder, member_ids: Sequence[int], *, friends: Friends, source: str, now: datetime
) -> list[Move]:
    """Move locked members to where they belong, and write why; return how many went where.

    Reviewing twice moves nobody twice: who dropped is kept anew, who was kept is not due.
    """
    values = _values(ladder, member_ids, friends=friends, now=now) | {"source": source}
    return _moves(f"{_decided(ladder)} {_APPLY_SQL}", values)


def _moves(sql: str, values: dict[str, Any]) -> list[Move]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [
            Move(from_tier=old, to_tier=new, reason=reason, members=count, examples=examples)
            for old, new, reason, count, examples in cursor.fetchall()
        ]


def _values(
    ladder: Ladder, member_ids: Sequence[int], *, friends: Friends, now: datetime
) -> dict[str, Any]:
    unit = standing.UNITS[standing.Basis(ladder.rules.qualifying_basis)]
    return {
        "now": now,
        "members": list(member_ids),
        "referrers": [referrer for referrer, _at in friends],
        "bought_at": [at for _referrer, at in friends],
        "codes": [step.code for step in ladder.steps],
        "levels": [step.level for step in ladder.steps],
        "minima": [step.min_qualifying_points * unit for step in ladder.steps],
        "friends_needed": [step.min_referrals for step in ladder.steps],
        "window": ladder.rules.qualifying_window,
        "days": ladder.rules.qualifying_window_days,
        "keep_days": ladder.rules.tier_keep_days,
        "grace_days": ladder.rules.tier_grace_days,
        "downgrade": ladder.rules.tier_downgrade,
    }


_NOW = "%(now)s::timestamptz"
_KEPT = """COALESCE(membership.kept_until,
    membership.tier_since + programme.tier_keep_days * interval '1 day')"""
_IS_DUE = """
    membership.kept_until <= %(now)s
    OR membership.member_id IN (
        SELECT pin.member_id FROM loyalty_tierpin pin
        WHERE pin.ended_at IS NULL AND pin.until <= %(now)s)
"""


def _decided(ladder: Ladder) -> str:
    """Return the beginning of a statement that says, for each member, which level comes next."""
    return _DECIDED_SQL.replace(
        "{events}", standing.EVENTS[standing.Basis(ladder.rules.qualifying_basis)]
    )


_DECIDED_SQL = (
    f"""
WITH programme AS (
    SELECT %(window)s::text AS qualifying_window, %(days)s::int AS qualifying_window_days,
           %(keep_days)s::int AS tier_keep_days
), ladder AS (
    SELECT step.*, tier.id AS tier_id
    FROM unnest(%(codes)s::text[], %(levels)s::int[], %(minima)s::bigint[],
                %(friends_needed)s::int[]) AS step (code, level, minimum, friends)
    LEFT JOIN loyalty_tier tier ON tier.code = step.code
), place AS MATERIALIZED (
    SELECT membership.member_id, membership.tier_id, current.code, current.level,
           {_KEPT} AS kept_until, {standing.kept_until(_NOW)} AS keep_anew,
           pin.id AS pin_id, pin.until AS pinned_until, pin.previous_kept_until,
           pin.previous_tier_id, {standing.window_start(_NOW)} AS since,
           -- The period that has ended is judged by its own window, and what came in grace.
           LEAST({standing.window_start(_NOW)},
                 {standing.window_before(_KEPT)}) AS since_kept
    FROM loyalty_membership membership
    CROSS JOIN programme
    JOIN shop_member member ON member.id = membership.member_id
    JOIN shop_store store ON store.id = member.store_id
    JOIN ladder current ON current.tier_id = membership.tier_id
    LEFT JOIN loyalty_tierpin pin
           ON pin.member_id = membership.member_id AND pin.ended_at IS NULL
    WHERE membership.member_id = ANY(%(members)s)
), collected AS (
    SELECT place.member_id, sum(event.amount) AS ever,
           sum(event.amount) FILTER (WHERE event.at >= place.since) AS now
    FROM place JOIN ("""
    + "{events}"
    + """) event ON event.member_id = place.member_id AND event.at >= place.since_kept
    GROUP BY place.member_id
), brought AS (
    SELECT place.member_id, count(*) AS ever,
           count(*) FILTER (WHERE friend.at >= place.since) AS now
    FROM place JOIN unnest(%(referrers)s::bigint[], %(bought_at)s::timestamptz[])
                 AS friend (member_id, at)
      ON friend.member_id = place.member_id AND friend.at >= place.since_kept
    GROUP BY place.member_id
), earned AS MATERIALIZED (
    SELECT place.*,
           (SELECT max(level) FROM ladder WHERE minimum <= COALESCE(collected.now, 0)
               AND friends <= COALESCE(brought.now, 0)) AS earned_now,
           (SELECT max(level) FROM ladder WHERE minimum <= COALESCE(collected.ever, 0)
               AND friends <= COALESCE(brought.ever, 0)) AS earned_kept,
           (SELECT previous.level FROM ladder previous
            WHERE previous.tier_id = place.previous_tier_id
              AND place.previous_kept_until > %(now)s) AS level_before,
           (SELECT max(level) FROM ladder WHERE ladder.level < place.level) AS level_below
    FROM place LEFT JOIN collected USING (member_id) LEFT JOIN brought USING (member_id)
), reasoned AS MATERIALIZED (
    SELECT earned.*, CASE
        WHEN pinned_until > %(now)s THEN NULL
        WHEN pin_id IS NOT NULL THEN 'unpinned'
        WHEN earned_now > level THEN 'earned'
        WHEN level_below IS NULL THEN NULL
        WHEN kept_until > %(now)s THEN NULL
        WHEN GREATEST(earned_now, earned_kept) >= level THEN 'kept'
        WHEN %(downgrade)s = 'never' THEN 'kept'
        WHEN kept_until + %(grace_days)s::int * interval '1 day' > %(now)s THEN NULL
        ELSE 'dropped'
    END AS reason
    FROM earned
), decided AS MATERIALIZED (
    SELECT reasoned.*, CASE reason
        WHEN 'unpinned' THEN GREATEST(earned_now, level_before)
        WHEN 'earned' THEN earned_now
        WHEN 'dropped' THEN CASE %(downgrade)s
            WHEN 'to_earned' THEN GREATEST(earned_now, earned_kept) ELSE level_below END
        ELSE level
    END AS next_level
    FROM reasoned
)
"""
)
_APPLY_SQL = """
, target AS MATERIALIZED (
    SELECT decided.member_id, decided.tier_id, decided.code, decided.reason, decided.pin_id,
           decided.level <> decided.next_level AS is_move, next.tier_id AS next_id,
           next.code AS next_code,
           CASE WHEN next.level = (SELECT min(level) FROM ladder) THEN NULL
                WHEN decided.reason = 'unpinned' AND decided.next_level = decided.level_before
                     AND decided.level_before >= decided.earned_now
                THEN decided.previous_kept_until
                ELSE decided.keep_anew END AS kept_until
    FROM decided JOIN ladder next ON next.level = decided.next_level
    WHERE decided.reason IS NOT NULL
), moved AS (
    UPDATE loyalty_membership membership
    SET tier_id = target.next_id, kept_until = target.kept_until,
        tier_since = CASE WHEN target.is_move THEN %(now)s ELSE membership.tier_since END
    FROM target WHERE membership.member_id = target.member_id
), unpinned AS (
    UPDATE loyalty_tierpin pin SET ended_at = %(now)s
    FROM target WHERE pin.id = target.pin_id AND target.reason = 'unpinned'
), written AS (
    INSERT INTO loyalty_tierchange
        (member_id, from_tier_id, to_tier_id, reason, source, occurred_at)
    SELECT member_id, tier_id, next_id, reason, %(source)s, %(now)s FROM target
    ORDER BY member_id
)
SELECT code, next_code, reason, count(*), ARRAY[]::bigint[] FROM target GROUP BY 1, 2, 3
"""
_PREVIEW_SQL = """
SELECT decided.code, next.code, decided.reason, count(*),
       (array_agg(decided.member_id ORDER BY decided.member_id))[1:5]
FROM decided JOIN ladder next ON next.level = decided.next_level
WHERE decided.reason IS NOT NULL AND decided.level <> decided.next_level
GROUP BY 1, 2, 3
UNION ALL
SELECT decided.code, next.code, 'later', count(*),
       (array_agg(decided.member_id ORDER BY decided.member_id))[1:5]
FROM decided JOIN ladder next
  ON next.level = CASE %(downgrade)s WHEN 'to_earned' THEN decided.earned_now
                                     ELSE decided.level_below END
WHERE decided.reason IS NULL AND decided.pin_id IS NULL AND %(downgrade)s <> 'never'
  AND decided.earned_now < decided.level
GROUP BY 1, 2
"""
