"""Rules by which an amount earns points, as data: no database, no clock.

What a list of rules gives is worked out in one order: those that count now, the winner if one
excludes the others, the sum of what each gives (each rounded down, none more than its cap), the
multipliers, and one rounding of the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor


class Rounding(StrEnum):
    """How the final product becomes whole points."""

    FLOOR = "floor"
    HALF_UP = "round"
    CEIL = "ceil"

    def apply(self, points: Fraction) -> int:
        """Return whole points.

        >>> [rounding.apply(Fraction("28.5")) for rounding in Rounding]
        [28, 29, 29]
        """
        match self:
            case Rounding.FLOOR:
                return floor(points)
            case Rounding.HALF_UP:
                return floor(points + Fraction(1, 2))
            case Rounding.CEIL:
                return ceil(points)


@dataclass(frozen=True, kw_only=True, slots=True)
class PerAmount:
    """So many points for every `per_minor` of money; a `per_minor` of nothing earns nothing."""

    points: Fraction
    per_minor: Fraction

    def gives(self, basis_minor: int) -> int:
        """Return the points for this much money, rounded down.

        >>> PerAmount(points=Fraction(3), per_minor=Fraction(200)).gives(1999)
        29
        """
        if self.per_minor <= 0:
            return 0
        return max(floor(basis_minor * self.points / self.per_minor), 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """So many points for each unit, whatever it cost: an order, an item, an event."""

    points: Fraction
    units: Fraction = Fraction(1)

    def gives(self, basis_minor: int) -> int:
        """Return the points, rounded down; the money does not matter."""
        return max(floor(self.points * self.units), 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Multiplier:
    """Multiplies what the other rules give together."""

    factor: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """What has to be so for a rule to count; everything that is given must hold.

    `starts_at` is inclusive and `ends_at` exclusive, as every period of this system.
    """

    min_order_minor: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    iso_weekdays: frozenset[int] = frozenset()
    hours: tuple[time, time] | None = None
    """From, inclusive, and until, exclusive, in the time zone of the moment; may pass midnight."""

    def is_met(self, *, order_minor: int, at: datetime) -> bool:
        """Tell whether it holds for an order of this much at that moment, in its time zone."""
        return (
            (self.min_order_minor is None or order_minor >= self.min_order_minor)
            and (self.starts_at is None or at >= self.starts_at)
            and (self.ends_at is None or at < self.ends_at)
            and (not self.iso_weekdays or at.isoweekday() in self.iso_weekdays)
            and (self.hours is None or _is_within(at.time(), *self.hours))
        )


def _is_within(moment: time, start: time, end: time) -> bool:
    """Tell whether a time of day is in a period; one that ends before it starts passes midnight.

    >>> [_is_within(time(hour), time(22), time(2)) for hour in (21, 22, 1, 2)]
    [False, True, True, False]
    """
    if start < end:
        return start <= moment < end
    return moment >= start or moment < end


@dataclass(frozen=True, kw_only=True, slots=True)
class EarningRule:
    """One rule of a programme. Of rules that do not stack, the highest priority counts alone.

    `basis_minor` is the rule's own part of the money, where that is not all of it. `most` caps what
    the rule itself gives, before others multiply it; of a multiplier, what it adds.
    """

    gives: PerAmount | Fixed | Multiplier
    when: Condition = Condition()
    is_enabled: bool = True
    is_stackable: bool = True
    priority: int = 0
    key: str = ""
    basis_minor: int | None = None
    most: int | None = None

    def capped(self, points: int | Fraction) -> Fraction:
        """Return the points, or the cap if they are more."""
        return Fraction(points if self.most is None else min(points, self.most))


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What an amount earns, and what each rule that gave something did for it, by key.

    A rule's part is rounded up, so that what is counted against a cap is never too little; parts
    of multipliers may therefore sum to more than the points.
    """

    points: int
    parts: tuple[tuple[str, int], ...]


def points_by_rules(
    rules: Sequence[EarningRule],
    *,
    basis_minor: int,
    rounding: Rounding,
    now: datetime,
    order_minor: int | None = None,
) -> int:
    """Return the points that an amount earns; see `outcome_by_rules`."""
    return outcome_by_rules(
        rules, basis_minor=basis_minor, rounding=rounding, now=now, order_minor=order_minor
    ).points


def outcome_by_rules(
    rules: Sequence[EarningRule],
    *,
    basis_minor: int,
    rounding: Rounding,
    now: datetime,
    order_minor: int | None = None,
) -> Outcome:
    """Return what an amount earns by which rules; conditions look at `order_minor`, else the basis.

    A rule that excludes others counts alone: no multiplier changes what it gives, and a multiplier
    alone has nothing to multiply. Between equals the earlier in the list wins.
    """
    order_minor = basis_minor if order_minor is None else order_minor
    counting = [
        rule
        for rule in rules
        if rule.is_enabled and rule.when.is_met(order_minor=order_minor, at=now)
    ]
    exclusive = [rule for rule in counting if not rule.is_stackable]
    if exclusive:
        counting = [max(exclusive, key=lambda rule: rule.priority)]
    total, parts = Fraction(0), []
    for rule in counting:
        if not isinstance(rule.gives, Multiplier):
            own = basis_minor if rule.basis_minor is None else rule.basis_minor
            given = rule.capped(rule.gives.gives(own))
            total += given
            parts.append((rule.key, ceil(given)))
    for rule in counting:
        if isinstance(rule.gives, Multiplier):
            added = rule.capped(total * (rule.gives.factor - 1))
            total += added
            parts.append((rule.key, ceil(added)))
    return Outcome(
        points=max(rounding.apply(total), 0),
        parts=tuple((key, part) for key, part in parts if part > 0),
    )
