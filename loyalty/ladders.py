"""A ladder: the tiers and the rules by which they are reached, kept and lost, as one thing.

A draft of one can be previewed, compared, carried as JSON from one chain to another, and saved.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from http import HTTPStatus
from itertools import combinations
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import LoyaltyProgramme, Tier
from shop.kernel.errors import DomainError

VERSION = 1


class LadderInvalid(DomainError):
    """The ladder cannot work: `reason` says what is wrong, `tier` where."""

    code = "ladder-invalid"
    title = _("This ladder cannot work.")
    status = HTTPStatus.BAD_REQUEST


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One tier of a ladder; `minimum` in whole points, yuan or visits."""

    code: str
    level: int
    role: str
    name_zh: str
    name_en: str
    min_qualifying_points: int
    min_referrals: int
    points_rate_percent: int
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How a programme counts, keeps and takes away; its earning rates beside."""

    points_per_yuan: int
    qualifying_per_yuan: int
    qualifying_basis: str
    qualifying_window: str
    qualifying_window_days: int
    tier_keep_days: int
    tier_grace_days: int
    tier_downgrade: str
    points_per_redeemed_yuan: int
    min_points_per_order: int
    max_points_share_percent: int
    clawback: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ladder:
    """Steps in ascending level, and the rules of the programme."""

    steps: tuple[Step, ...]
    rules: Rules

    def to_json(self) -> dict[str, Any]:
        """Return the ladder as it is carried to another chain."""
        steps = [asdict(step) | {"benefits": list(step.benefits)} for step in self.steps]
        return {"version": VERSION, "programme": asdict(self.rules), "tiers": steps}


def load() -> Ladder:
    """Return the ladder as it is saved."""
    settings = LoyaltyProgramme.objects.filter(pk=1).first() or LoyaltyProgramme(pk=1)
    return Ladder(
        steps=tuple(
            Step(
                **{name: getattr(tier, name) for name in _names(Step) if name != "benefits"},
                benefits=tuple(tier.benefits),
            )
            for tier in Tier.objects.order_by("level")
        ),
        rules=Rules(**{name: getattr(settings, name) for name in _names(Rules)}),
    )


def parse(data: Any) -> Ladder:
    """Return the ladder that a JSON document holds, checked as the database would check it.

    Raises:
        LadderInvalid
    """
    if not isinstance(data, Mapping) or data.get("version") != VERSION:
        raise LadderInvalid(reason="version", detail=_("This is not a ladder of version 1."))
    if set(data) != {"version", "programme", "tiers"} or not isinstance(data["tiers"], list):
        raise LadderInvalid(reason="shape", detail=_("Say version, programme and tiers."))
    rules = _made(Rules, data["programme"], where="programme")
    steps = [_step(row, index) for index, row in enumerate(data["tiers"])]
    return check(Ladder(steps=tuple(sorted(steps, key=lambda s: s.level)), rules=rules))


def check(ladder: Ladder) -> Ladder:
    """Return the ladder if it can work.

    Raises:
        LadderInvalid
    """
    if not ladder.steps:
        raise LadderInvalid(reason="empty", detail=_("A ladder needs a tier."))
    for name in ("code", "level", "name_zh", "name_en"):
        if len({getattr(step, name) for step in ladder.steps}) != len(ladder.steps):
            reason = f"twice-{name.partition('_')[0]}"
            raise LadderInvalid(reason=reason, detail=_("Two tiers are the same."))
    lowest = ladder.steps[0]
    if lowest.min_qualifying_points or lowest.min_referrals:
        raise LadderInvalid(
            reason="lowest-asks", tier=lowest.code, detail=_("The lowest tier asks for nothing.")
        )
    missing = set(Tier.objects.values_list("code", flat=True)) - {s.code for s in ladder.steps}
    if missing:
        raise LadderInvalid(
            reason="tier-missing",
            tier=min(missing),
            detail=_("A tier that members may be in cannot be left out."),
        )
    _clean(LoyaltyProgramme(pk=1, **asdict(ladder.rules)), where="programme")
    for step in ladder.steps:
        _clean(Tier(**asdict(step) | {"benefits": list(step.benefits)}), where=step.code)
    _ensure_climbing(ladder)
    return ladder


def compare(old: Ladder, new: Ladder) -> list[dict[str, Any]]:
    """Return what would change: where, which field, from what, to what."""
    changes = differences("programme", asdict(old.rules), asdict(new.rules))
    before = {step.code: asdict(step) for step in old.steps}
    for step in new.steps:
        changes += differences(step.code, before.get(step.code, {}), asdict(step))
    return changes


@transaction.atomic
def save(ladder: Ladder, *, now: datetime) -> None:
    """Make a ladder the programme's; members move with the review that follows.

    Raises:
        LadderInvalid
    """
    check(ladder)
    LoyaltyProgramme.objects.update_or_create(
        pk=1, defaults=asdict(ladder.rules) | {"ladder_changed_at": now}
    )
    # Two tiers that change places would meet on the unique level: first out of the way, then in.
    for tier in Tier.objects.order_by("-level"):
        Tier.objects.filter(pk=tier.pk).update(level=tier.level + _OUT_OF_THE_WAY)
    for step in ladder.steps:
        values = asdict(step) | {"benefits": list(step.benefits)}
        Tier.objects.update_or_create(code=values.pop("code"), defaults=values)


def with_rules(ladder: Ladder, **changes: Any) -> Ladder:
    """Return the ladder with some of its rules changed."""
    return replace(ladder, rules=replace(ladder.rules, **changes))


_OUT_OF_THE_WAY = 10_000


def _ensure_climbing(ladder: Ladder) -> None:
    for low, high in combinations(ladder.steps, 2):
        if (
            high.min_qualifying_points <= low.min_qualifying_points
            and high.min_referrals <= low.min_referrals
        ):
            raise LadderInvalid(
                reason="asks-no-more",
                tier=high.code,
                detail=_("A higher tier must ask for more than every lower one."),
            )


def _step(row: Any, index: int) -> Step:
    step: Step = _made(Step, row, where=f"tiers/{index}")
    if not isinstance(step.benefits, list) or not all(isinstance(b, str) for b in step.benefits):
        raise LadderInvalid(reason="shape", tier=f"tiers/{index}", detail=_("Benefits are texts."))
    return replace(step, benefits=tuple(step.benefits))


def _made(kind: Any, row: Any, *, where: str) -> Any:
    """Return a row as this kind, its texts texts and its numbers numbers."""
    if not isinstance(row, Mapping) or set(row) != set(_names(kind)):
        raise LadderInvalid(reason="fields", tier=where, detail=f"{', '.join(_names(kind))}")
    for field in fields(kind):
        wanted = {"int": int, "str": str}.get(str(field.type).removeprefix("<class '")[:3])
        value = row[field.name]
        if field.name != "benefits" and (not isinstance(value, wanted or str) or value is True):
            raise LadderInvalid(
                reason="type", tier=where, detail=_("%s is of the wrong type.") % field.name
            )
    return kind(**row)


def _clean(row: LoyaltyProgramme | Tier, *, where: str) -> None:
    try:
        row.clean_fields()
    except ValidationError as error:
        first, messages = next(iter(error.message_dict.items()))
        raise LadderInvalid(
            reason="value", tier=where, detail=f"{first}: {' '.join(messages)}"
        ) from error


def differences(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the fields of `new` that `old` has otherwise, with what they were."""
    return [
        {"where": where, "field": name, "from": old.get(name), "to": value}
        for name, value in new.items()
        if old.get(name) != value
    ]


def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]
