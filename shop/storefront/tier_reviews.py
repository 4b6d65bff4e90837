"""Reviewing tiers: who keeps theirs and who drops, in slices; and what a draft would do.

A drop is never sudden: a tier is kept for its period and the days of grace after, and only then.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from campaigns import referrals
from loyalty import ladders, pins, reviews
from loyalty.ladders import Ladder
from loyalty.models import Membership
from loyalty.reviews import Move
from shop.kernel import jobs
from shop.kernel.models import Job

REVIEW, PREVIEW = "tiers.review", "tiers.preview"


def start_daily(*, now: datetime) -> Job:
    """Start the day's review of those whose period is over; once a day, however often called."""
    return jobs.start(
        REVIEW,
        params={"everybody": False, "source": f"review:{now:%F}"},
        requested_by="beat",
        key=f"{REVIEW}:{now:%F}",
        now=now,
    )


@transaction.atomic
def save_ladder(ladder: Ladder, *, requested_by: str, now: datetime) -> Job:
    """Make a ladder the programme's and start the review that moves everybody along.

    Who rises, rises with it; who no longer earns their tier keeps it for its period.

    Raises:
        ladders.LadderInvalid
    """
    ladders.save(ladder, now=now)
    return jobs.start(
        REVIEW,
        params={"everybody": True, "source": f"ladder:{now:%FT%T}"},
        requested_by=requested_by,
        total=Membership.objects.count(),
        now=now,
    )


def start_preview(ladder: Ladder, *, requested_by: str, now: datetime) -> Job:
    """Start counting who would move if a draft were the ladder.

    Raises:
        ladders.LadderInvalid
    """
    return jobs.start(
        PREVIEW,
        params={"ladder": ladders.check(ladder).to_json()},
        requested_by=requested_by,
        total=Membership.objects.count(),
        now=now,
    )


def count_moves(ladder: Ladder, *, now: datetime) -> list[dict[str, Any]]:
    """Return who would move if a draft were the ladder, counted here and now; writes nothing."""
    result: dict[str, Any] = {"moves": []}
    after = 0
    while members := reviews.due(after=after, now=now, is_everybody=True):
        moves = reviews.preview(ladder, members, friends=referrals.qualified_of(members), now=now)
        result, after = _with(result, moves), members[-1]
    return list(result["moves"])


@transaction.atomic
def unpin(member_id: int, *, now: datetime) -> None:
    """End a pin and put the member where they belong by now.

    Raises:
        pins.TierNotPinned
    """
    pins.end(member_id, now=now)
    place(member_id, source=f"unpin:{now:%F}", now=now)


def place(member_id: int, *, source: str, now: datetime) -> None:
    """Put a member whose wallets are locked where they belong by now."""
    reviews.apply(
        ladders.load(),
        [member_id],
        friends=referrals.qualified_of([member_id]),
        source=source,
        now=now,
    )


@jobs.runs(REVIEW, label=_("Review tiers"))
def review_slice(job: Job, now: datetime) -> bool:
    """Review the next slice; members somebody else works on just now come at the end."""
    after, busy = job.cursor.get("after", 0), job.cursor.get("busy", [])
    found = reviews.due(after=after, now=now, is_everybody=job.params["everybody"])
    wanted = found or busy[: reviews.SLICE]
    locked = reviews.lock(wanted)
    moves = reviews.apply(
        ladders.load(),
        locked,
        friends=referrals.qualified_of(locked),
        source=job.params["source"],
        now=now,
    )
    missed = sorted(set(wanted).difference(locked))
    waiting = [*busy, *missed] if found else [*missed, *busy[reviews.SLICE :]]
    job.cursor = {"after": found[-1] if found else after, "busy": waiting}
    job.done += len(locked)
    job.result = _with(job.result, moves)
    return not found and not waiting


@jobs.runs(PREVIEW, label=_("Preview a ladder"))
def preview_slice(job: Job, now: datetime) -> bool:
    """Count who would move in the next slice; nothing is written but the job's result."""
    ladder = ladders.parse(job.params["ladder"])
    members = reviews.due(after=job.cursor.get("after", 0), now=now, is_everybody=True)
    if members:
        moves = reviews.preview(ladder, members, friends=referrals.qualified_of(members), now=now)
        job.cursor = {"after": members[-1]}
        job.done += len(members)
        job.result = _with(job.result, moves)
    return len(members) < reviews.SLICE


def _with(result: dict[str, Any] | None, moves: Sequence[Move]) -> dict[str, Any]:
    """Return a job's result with the moves of one more slice added."""
    known = {
        (row["from_tier"], row["to_tier"], row["reason"]): row
        for row in (result or {}).get("moves", [])
    }
    for move in moves:
        key = (move.from_tier, move.to_tier, move.reason)
        row = known.setdefault(key, asdict(move) | {"members": 0, "examples": []})
        row["members"] += move.members
        row["examples"] = [*row["examples"], *move.examples][:5]
    return {"moves": [known[key] for key in sorted(known)]}


def count_tiers(*, now: datetime) -> int:
    """Write how many members each store has in each tier on its business day.

    The last count of a day stands.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_SQL, {"now": now})
        return int(cursor.rowcount)


_COUNT_SQL = """
INSERT INTO loyalty_tiercount (date, store_id, tier_id, members)
SELECT ((%(now)s::timestamptz AT TIME ZONE store.timezone) - store.day_starts_at::interval)::date,
       store.id, membership.tier_id, count(*)
FROM loyalty_membership membership
JOIN shop_member member ON member.id = membership.member_id AND member.status <> 'closed'
JOIN shop_store store ON store.id = member.store_id
GROUP BY 1, 2, 3
ON CONFLICT (date, store_id, tier_id) DO UPDATE SET members = EXCLUDED.members
"""
