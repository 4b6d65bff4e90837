"""How much of a point is redeemed in the end, by its age: learned from what became of points.

Pure rules: no database, no clock. docs/liability.md tells the method and how far it can be trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

MONTH_DAYS = 30
"""A month of age; ages are whole months since the points were given."""
MANY_LOTS = 1_000
"""So many lots make an observed month one to rely on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthOfLife:
    """What became, in one month of age, of the points that reached it and lived through it.

    `at_risk` were there when it began; `spent` and `expired` left in it. What was clawed back or
    moved to another lot left too, and tells nothing about redemption.
    """

    at_risk: int
    spent: int
    expired: int
    lots: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """The share of points of one age that will be redeemed.

    Both are of what history shows; they differ in the months that nobody has lived through yet:
    `expected` counts what gets there as redeemed, `at_least` as lost. Liability takes `expected`,
    which is the prudent one.
    """

    expected: Fraction
    at_least: Fraction


def expectations(months: Mapping[int, MonthOfLife], *, ages: int) -> list[Expectation]:
    """Return what to expect of points of age 0, 1, … `ages` − 1 months.

    Cumulative incidence with competing ends (spent, expired), month by month of age.

    >>> history = {0: MonthOfLife(at_risk=100, spent=50, expired=0, lots=10),
    ...            1: MonthOfLife(at_risk=50, spent=20, expired=30, lots=10)}
    >>> [float(each.expected) for each in expectations(history, ages=3)]
    [0.7, 0.4, 1.0]
    """
    return [_from_age(months, age) for age in range(ages)]


def _from_age(months: Mapping[int, MonthOfLife], age: int) -> Expectation:
    redeemed, alive = Fraction(0), Fraction(1)
    while alive and (month := months.get(age)) is not None and month.at_risk:
        redeemed += alive * Fraction(month.spent, month.at_risk)
        alive *= 1 - Fraction(month.spent + month.expired, month.at_risk)
        age += 1
    return Expectation(expected=redeemed + alive, at_least=redeemed)


def confidence(months: Mapping[int, MonthOfLife], *, life_months: int | None) -> str:
    """Return high, medium or low: how much of a point's life enough points have lived through.

    High when every month of a full life has been seen on many lots, medium when half of them have.
    Points that never expire have no full life; a year of it counts as one.
    """
    seen = 0
    while (month := months.get(seen)) is not None and month.lots >= MANY_LOTS:
        seen += 1
    whole = life_months or 12
    if seen >= whole:
        return "high"
    return "medium" if 2 * seen >= whole else "low"
