"""The programme kept as a file: what applying it would change and whom it would move, and doing so.

Tiers, rules and plans are loyalty's, what benefits give are coupons of campaigns: here both meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from loyalty import blueprints
from loyalty.benefit_months import changed
from loyalty.blueprints import Blueprint
from loyalty.models import Benefit, ProgrammeChange
from shop.kernel import locks
from shop.kernel.clock import chain_day
from shop.kernel.errors import InvalidInput
from shop.storefront import benefit_grants, tier_reviews

LOCK = "loyalty.programme"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a document would change, and how many members would go from which tier to which."""

    changes: Sequence[dict[str, Any]]
    moves: Sequence[dict[str, Any]]


def export(*, now: datetime) -> dict[str, Any]:
    """Return the programme as it is saved, as a document."""
    return blueprints.load(today=chain_day(now)).to_json()


def plan(document: Any, *, actor: str, now: datetime) -> Plan:
    """Return what applying a document would do.

    It is written and undone, so a plan refuses whatever applying would refuse.

    Raises:
        InvalidInput
    """
    saved, draft = _read(document, now=now)
    with transaction.atomic():
        _write(saved, draft, actor=actor, now=now)
        transaction.set_rollback(True)
    is_moving = draft.ladder != saved.ladder
    moves = tier_reviews.count_moves(draft.ladder, now=now) if is_moving else []
    return Plan(changes=blueprints.compare(saved, draft), moves=moves)


@transaction.atomic
def apply(document: Any, *, actor: str, now: datetime) -> ProgrammeChange | None:
    """Make the programme what a document says, all of it or nothing; None where it is so already.

    Members move with the review that a changed ladder starts. Two at once take turns.

    Raises:
        InvalidInput
    """
    locks.wait_for(LOCK)
    saved, draft = _read(document, now=now)
    changes = blueprints.compare(saved, draft)
    if not changes:
        return None
    _write(saved, draft, actor=actor, now=now)
    return blueprints.record(changes, before=saved, actor=actor, now=now)


def _read(document: Any, *, now: datetime) -> tuple[Blueprint, Blueprint]:
    today = chain_day(now)
    saved = blueprints.load(today=today)
    return saved, blueprints.parse(document, saved=saved, today=today)


def _write(saved: Blueprint, draft: Blueprint, *, actor: str, now: datetime) -> None:
    if draft.ladder != saved.ladder:
        tier_reviews.save_ladder(draft.ladder, requested_by=actor, now=now)
    blueprints.save(saved, draft)
    for place, (code, months) in enumerate(draft.months.items()):
        for month, gives in changed(saved.months.get(code, {}), months).items():
            try:
                benefit_grants.append_version(
                    Benefit.objects.get(code=code), month=month, actor=actor, now=now, **gives
                )
            except InvalidInput as refusal:
                raise _placed(refusal, f"/benefits/{place}/versions") from refusal


def _placed(refusal: InvalidInput, at: str) -> InvalidInput:
    """Return a refusal of what a benefit gives with its place in the document."""
    return InvalidInput.of_many(
        [(at, error["detail"], error["code"]) for error in refusal.members["errors"]]
    )
