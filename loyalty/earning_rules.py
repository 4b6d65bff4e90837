"""Rules by which an amount earns points, as data: no database, no clock.

What a list of rules gives is worked out in one order: those that count now, the winner if one
excludes the others, the sum of what each gives (each rounded down), the multipliers, and one
rounding of the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor, prod


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

    def is_met(self, *, order_minor: int, at: datetime) -> bool:
        """Tell whether it holds for an order of this much at that moment, in its time zone."""
        return (
            (self.min_order_minor is None or order_minor >= self.min_order_minor)
            and (self.starts_at is None or at >= self.starts_at)
            and (self.ends_at is None or at < self.ends_at)
            and (not self.iso_weekdays or at.isoweekday() in self.iso_weekdays)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class EarningRule:
    """One rule of a programme. Of rules that do not stack, the highest priority counts alone."""

    gives: PerAmount | Fixed | Multiplier
    when: Condition = Condition()
    is_enabled: bool = True
    is_stackable: bool = True
    priority: int = 0


def points_by_rules(
    rules: Sequence[EarningRule],
    *,
    basis_minor: int,
    rounding: Rounding,
    now: datetime,
    order_minor: int | None = None,
) -> int:
    """Return the points that an amount earns; conditions look at `order_minor`, else at the basis.

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
    amounts = [r.gives.gives(basis_minor) for r in counting if not isinstance(r.gives, Multiplier)]
    factors = [r.gives.factor for r in counting if isinstance(r.gives, Multiplier)]
    return max(rounding.apply(sum(amounts) * prod(factors, start=Fraction(1))), 0)
