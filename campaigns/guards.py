"""The limits of a phase: which is reached, which is near, and when a phase may go on. Pure.

A phase stops at a limit and is warned of from 80 %. What has stopped it must be well below the
limit before it goes on by itself, so that it does not flap: a budget has to have money left, which
only more budget, a new day or a correction brings; cost per new member and uses, which move both
ways by themselves, must be back at 90 %.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

WARN_FROM = Fraction(8, 10)
FULL = Fraction(1)
BACK_AT = Fraction(9, 10)


class Limit(StrEnum):
    """What can stop a phase, in the order in which it is named."""

    BUDGET = "budget"
    DAILY_BUDGET = "daily_budget"
    REDEMPTIONS = "redemptions"
    CPA = "cpa"


MOVES_BOTH_WAYS = {Limit.REDEMPTIONS, Limit.CPA}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How far a phase may go; None is no limit. Money in fen."""

    budget_cents: int | None = None
    daily_budget_cents: int | None = None
    redemptions: int | None = None
    cpa_cents: int | None = None
    cpa_min_joins: int = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """How far it has gone: money in fen, new members, uses of its offers."""

    cost_cents: int = 0
    cost_today_cents: int = 0
    redemptions: int = 0
    joined: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """One limit and how much of it is used; 1 is all of it."""

    limit: Limit
    most: int
    value: int
    used: Fraction

    @property
    def percent(self) -> int:
        """Return how much is used, rounded down."""
        return int(self.used * 100)


def gauges(limits: Limits, spent: Spent) -> list[Gauge]:
    """Return a gauge for every limit there is something to say about.

    Cost per new member is judged from a minimum of new members, or from the money that so many
    might have cost: an ad that brings nobody is stopped too.

    >>> [g.percent for g in gauges(Limits(budget_cents=500), Spent(cost_cents=410))]
    [82]
    >>> gauges(Limits(cpa_cents=100, cpa_min_joins=3), Spent(cost_cents=299, joined=2))
    []
    >>> [g.percent for g in gauges(Limits(cpa_cents=100, cpa_min_joins=3), Spent(cost_cents=300))]
    [300]
    """
    simple = [
        (Limit.BUDGET, limits.budget_cents, spent.cost_cents),
        (Limit.DAILY_BUDGET, limits.daily_budget_cents, spent.cost_today_cents),
        (Limit.REDEMPTIONS, limits.redemptions, spent.redemptions),
    ]
    found = [
        Gauge(limit=limit, most=most, value=value, used=Fraction(value, most) if most else FULL)
        for limit, most, value in simple
        if most is not None
    ]
    if limits.cpa_cents and _is_judged(limits, spent):
        cpa = Fraction(spent.cost_cents, max(spent.joined, 1))
        gauge = Gauge(
            limit=Limit.CPA, most=limits.cpa_cents, value=int(cpa), used=cpa / limits.cpa_cents
        )
        found.append(gauge)
    return found


def _is_judged(limits: Limits, spent: Spent) -> bool:
    is_sample = spent.joined >= max(limits.cpa_min_joins, 1)
    return is_sample or spent.cost_cents >= (limits.cpa_cents or 0) * max(limits.cpa_min_joins, 1)


def reached(found: Iterable[Gauge]) -> Gauge | None:
    """Return the first limit that is reached, None if none is."""
    return next((gauge for gauge in found if gauge.used >= FULL), None)


def near(found: Iterable[Gauge]) -> list[Gauge]:
    """Return the limits that are nearly reached."""
    return [gauge for gauge in found if WARN_FROM <= gauge.used < FULL]


def may_go_on(stopped_by: str, found: Sequence[Gauge]) -> bool:
    """Tell whether a phase that one of its limits has stopped may go on by itself.

    >>> spent = Spent(cost_cents=95, joined=1)
    >>> may_go_on("cpa", gauges(Limits(cpa_cents=100, cpa_min_joins=1), spent))
    False
    >>> may_go_on("budget", gauges(Limits(budget_cents=100), spent))
    True
    """
    if reached(found) is not None:
        return False
    return all(
        gauge.used <= BACK_AT
        for gauge in found
        if gauge.limit == stopped_by and gauge.limit in MOVES_BOTH_WAYS
    )
