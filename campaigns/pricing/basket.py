"""The units of a cart while offers take money off them, one offer after another."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from campaigns.pricing.cart import Cart, CartLine
from campaigns.pricing.reasons import Reason
from campaigns.pricing.scopes import Scope
from shop.kernel.money import Cents, basis_points_of, split_cents


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Unit:
    """One piece of a cart line as one scope sees it.

    `cents` is what the scope's portion of the unit costs now, after the offers before.
    """

    number: int
    line: CartLine
    cents: Cents


Amounts = Mapping[Unit, int]
"""What an offer takes off each unit, in cents; never more than the unit's `cents`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortfall:
    """What an effect misses before it can give anything."""

    reason: Reason
    needed: int | None = None
    actual: int | None = None


class Basket:
    """All units of a cart with their running prices, in the order of the lines.

    Invariant: 0 ≤ running price ≤ original price, for every unit.
    """

    def __init__(self, cart: Cart) -> None:
        self.cart = cart
        self._lines = [line for line in cart.lines for _ in range(line.quantity)]
        self._running: list[int] = [line.unit_price_cents for line in self._lines]

    def units(self, scope: Scope) -> list[Unit]:
        """Return the units in the scope, those that cost nothing any more included."""
        positions = {line.position for line in self.cart.lines if scope.holds(line)}
        return [
            Unit(number=number, line=line, cents=scope.portion_of(line, self._running[number]))
            for number, line in enumerate(self._lines)
            if line.position in positions
        ]

    def take(self, amounts: Amounts) -> None:
        """Lower the running prices."""
        for unit, cents in amounts.items():
            self._running[unit.number] -= cents


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """What an effect may work on: units in the offer's scope that still cost something."""

    units: Sequence[Unit]
    scope: Scope
    basket: Basket

    def elsewhere(self, scope: Scope) -> list[Unit]:
        """Return the units in another scope that still cost something."""
        return payable(self.basket.units(scope))


def payable(units: Iterable[Unit]) -> list[Unit]:
    """Return the units that still cost something; the others neither pay nor count."""
    return [unit for unit in units if unit.cents > 0]


def cheapest_first(units: Iterable[Unit]) -> list[Unit]:
    """Return the units by rising running price, the earlier of equals first."""
    return sorted(units, key=lambda unit: (unit.cents, unit.number))


def dearest_first(units: Iterable[Unit]) -> list[Unit]:
    """Return the units by falling running price, the earlier of equals first."""
    return sorted(units, key=lambda unit: (-unit.cents, unit.number))


class PriceOrder(StrEnum):
    """The order in which units are taken."""

    DEAREST_FIRST = "dearest_first"
    CHEAPEST_FIRST = "cheapest_first"

    def sort(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units in this order."""
        return dearest_first(units) if self is self.DEAREST_FIRST else cheapest_first(units)


def prices(units: Iterable[Unit]) -> Amounts:
    """Return the running price of each unit."""
    return {unit: unit.cents for unit in units}


def percent_of(units: Iterable[Unit], basis_points: int) -> Amounts:
    """Return that share of the units' running prices, rounded half up once per line."""
    amounts: dict[Unit, int] = {}
    for of_line in _by_line(units):
        whole = sum(unit.cents for unit in of_line)
        amounts.update(_share_out(basis_points_of(whole, basis_points), prices(of_line)))
    return amounts


def spread(total: int, weights: Amounts) -> Amounts:
    """Return a total spread by largest remainder, first over the lines, then over their units.

    No unit gets more than its weight: a total beyond the sum of the weights is cut to it.
    """
    lines = _by_line(weights)
    line_weights = [sum(weights[unit] for unit in of_line) for of_line in lines]
    parts = split_cents(Cents(min(total, sum(line_weights))), line_weights)
    amounts: dict[Unit, int] = {}
    for of_line, part in zip(lines, parts, strict=True):
        amounts.update(_share_out(part, {unit: weights[unit] for unit in of_line}))
    return amounts


def _share_out(total: int, weights: Amounts) -> Amounts:
    parts = split_cents(Cents(total), list(weights.values()))
    return dict(zip(weights, parts, strict=True))


def _by_line(units: Iterable[Unit]) -> list[list[Unit]]:
    in_order = sorted(units, key=lambda unit: unit.number)
    return [list(of_line) for _, of_line in groupby(in_order, key=lambda unit: unit.line.position)]
