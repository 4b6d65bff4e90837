"""Campaigns as people call them: each names its phases around the moment when it starts. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import CampaignPhase
from campaigns.phase_drafts import PhaseDraft
from campaigns.phase_spans import FLASH
from shop.kernel.money import Cents

Kind = CampaignPhase.Kind
DAY = timedelta(days=1)
WHOLE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A phase of a preset: from when, for how long, with how much of budget and target."""

    kind: Kind
    begins: timedelta
    lasts: timedelta | None
    budget_percent: int
    joins_percent: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A kind of campaign that everybody knows; its percents add up to the whole."""

    code: str
    label: str | Promise
    stretches: tuple[Stretch, ...]


PRESETS = [
    Preset(
        code="big-sale",
        label=_("Big sale: a month of preheat, 72 hours, a long tail of four weeks"),
        stretches=(
            Stretch(
                kind=Kind.PREHEAT,
                begins=-30 * DAY,
                lasts=30 * DAY,
                budget_percent=25,
                joins_percent=15,
            ),
            Stretch(
                kind=Kind.FLASH72,
                begins=timedelta(0),
                lasts=FLASH,
                budget_percent=60,
                joins_percent=65,
            ),
            Stretch(
                kind=Kind.LONG_TAIL,
                begins=FLASH,
                lasts=28 * DAY,
                budget_percent=15,
                joins_percent=20,
            ),
        ),
    ),
    Preset(
        code="new-drink",
        label=_("New drink: two months of launch, a long tail of one month"),
        stretches=(
            Stretch(
                kind=Kind.LAUNCH,
                begins=timedelta(0),
                lasts=60 * DAY,
                budget_percent=85,
                joins_percent=80,
            ),
            Stretch(
                kind=Kind.LONG_TAIL,
                begins=60 * DAY,
                lasts=30 * DAY,
                budget_percent=15,
                joins_percent=20,
            ),
        ),
    ),
    Preset(
        code="opening",
        label=_("Opening: a week of preheat, 72 hours, a long tail of one month"),
        stretches=(
            Stretch(
                kind=Kind.PREHEAT,
                begins=-7 * DAY,
                lasts=7 * DAY,
                budget_percent=30,
                joins_percent=10,
            ),
            Stretch(
                kind=Kind.FLASH72,
                begins=timedelta(0),
                lasts=FLASH,
                budget_percent=50,
                joins_percent=60,
            ),
            Stretch(
                kind=Kind.LONG_TAIL,
                begins=FLASH,
                lasts=30 * DAY,
                budget_percent=20,
                joins_percent=30,
            ),
        ),
    ),
    Preset(
        code="always-on",
        label=_("Always on: no end, a budget per day"),
        stretches=(
            Stretch(
                kind=Kind.ALWAYS_ON,
                begins=timedelta(0),
                lasts=None,
                budget_percent=100,
                joins_percent=100,
            ),
        ),
    ),
]
BY_CODE = {preset.code: preset for preset in PRESETS}


def phases(
    preset: Preset,
    *,
    starts_at: datetime,
    budget_cents: Cents | None = None,
    target_joins: int | None = None,
) -> list[PhaseDraft]:
    """Return the phases of a preset; budget and target are divided exactly.

    What is always on spends its budget by the day, without an end.
    """
    drafts = []
    for number, stretch in enumerate(preset.stretches):
        begins_at = starts_at + stretch.begins
        budget = _share(budget_cents, [each.budget_percent for each in preset.stretches], number)
        joins = _share(target_joins, [each.joins_percent for each in preset.stretches], number)
        is_endless = stretch.lasts is None
        drafts.append(
            PhaseDraft(
                kind=stretch.kind,
                starts_at=begins_at,
                ends_at=None if stretch.lasts is None else begins_at + stretch.lasts,
                budget_cents=None if is_endless or budget is None else Cents(budget),
                daily_budget_cents=Cents(budget) if is_endless and budget is not None else None,
                target_joins=joins or None,
            )
        )
    return drafts


def _share(whole: int | None, percents: list[int], number: int) -> int | None:
    """Return one part of a whole; together the parts are the whole.

    >>> [_share(101, [25, 60, 15], number) for number in range(3)]
    [25, 60, 16]
    """
    if whole is None:
        return None
    before = sum(percents[:number])
    return whole * (before + percents[number]) // WHOLE - whole * before // WHOLE
