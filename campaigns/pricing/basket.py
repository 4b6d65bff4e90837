"""The units of a cart while offers take money off them, one offer after another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from campaigns.pricing.cart import NOTHING, Cart, CartLine
from campaigns.pricing.reasons import PlainMeasure, Reason
from campaigns.pricing.scopes import Scope
from shop.kernel.money import Cents, basis_points_of, split_cents


@dataclass(slots=True, eq=False)  # neither frozen nor kw_only: made by the ten thousand
class Unit:
    """One piece of a cart line as one scope sees it.

    `cents` is what the scope's portion of the unit costs now, after the offers before,
    `list_cents` what it cost before all offers, and `room` how much of it may still come off
    before the unit reaches its lowest price.
    """

    number: int
    line: CartLine
    cents: Cents
    list_cents: Cents
    room: Cents


Amounts = Mapping[Unit, int]
"""What an offer takes off each unit, in cents; never more than the unit's `room`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shortfall:
    """What an effect misses before it can give anything."""

    reason: Reason
    needed: PlainMeasure = None
    actual: PlainMeasure = None


class Basket:
    """All units of a cart with their running prices, in the order of the lines.

    Invariants: 0 ≤ running price ≤ original price, for every unit; no offer takes a unit below
    its lowest price; 0 ≤ `delivery_cents`, the running delivery fee.
    """

    def __init__(self, cart: Cart) -> None:
        self.cart = cart
        self.delivery_cents: Cents = cart.delivery_fee_cents
        self._lines: list[tuple[CartLine, range]] = []
        self._running: list[int] = []
        for line in cart.lines:
            start = len(self._running)
            self._running += [line.unit_price_cents] * line.quantity
            self._lines.append((line, range(start, len(self._running))))

    def copy(self) -> "Basket":
        """Return a basket that goes on from here by itself."""
        other = Basket.__new__(Basket)
        other.cart, other.delivery_cents = self.cart, self.delivery_cents
        other._lines, other._running = self._lines, self._running.copy()
        return other

    def units(self, scope: Scope) -> list[Unit]:
        """Return the units in the scope, those that cost nothing any more included."""
        return [
            unit
            for line, numbers in self._lines
            if scope.holds(line)
            for unit in self._units(line, numbers, scope)
        ]

    def _units(self, line: CartLine, numbers: range, scope: Scope) -> Iterator[Unit]:
        list_cents = scope.portion_of(line, line.unit_price_cents)
        lowest = line.min_unit_price_cents
        for number in numbers:
            running = self._running[number]
            cents = scope.portion_of(line, running)
            room = Cents(max(0, min(cents, running - lowest))) if lowest else cents
            yield Unit(number, line, cents, list_cents, room)

    def take(self, amounts: Amounts, delivery_cents: Cents = NOTHING) -> None:
        """Lower the running prices and the delivery fee."""
        for unit, cents in amounts.items():
            self._running[unit.number] -= cents
        self.delivery_cents = Cents(self.delivery_cents - delivery_cents)


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
    CART_ORDER = "cart_order"

    def sort(self, units: Iterable[Unit]) -> list[Unit]:
        """Return the units in this order."""
        if self is self.CART_ORDER:
            return sorted(units, key=lambda unit: unit.number)
        return dearest_first(units) if self is self.DEAREST_FIRST else cheapest_first(units)

    @property
    def opposite(self) -> "PriceOrder":
        """The order of what is paid for, when this is the order of what is given."""
        if self is self.DEAREST_FIRST:
            return self.CHEAPEST_FIRST
        return self.DEAREST_FIRST if self is self.CHEAPEST_FIRST else self


class PercentBase(StrEnum):
    """What a percentage is taken of: the price after the offers before, or before all offers."""

    RUNNING = "running"
    ORIGINAL = "original"

    def price(self, unit: Unit) -> Cents:
        """Return what the percentage of this unit is taken of."""
        return unit.list_cents if self is self.ORIGINAL else unit.cents


def percent_of(
    units: Iterable[Unit], basis_points: int, base: PercentBase = PercentBase.RUNNING
) -> Amounts:
    """Return that share of the units' prices, rounded half up once per line.

    What a unit cannot give, because it is at its lowest price, no other unit gives in its place.
    """
    amounts: dict[Unit, int] = {}
    for of_line in _by_line(units):
        bases = {unit: base.price(unit) for unit in of_line}
        shares = _share_out(basis_points_of(sum(bases.values()), basis_points), bases)
        amounts.update({unit: min(share, unit.room) for unit, share in shares.items()})
    return amounts


def take_off(total: int, units: Iterable[Unit]) -> Amounts:
    """Return a total spread by running price; never more than the units may give.

    What a unit at its lowest price cannot give is spread over the others.
    """
    amounts: dict[Unit, int] = {}
    giving = list(units)
    while giving:
        parts = spread(total - sum(amounts.values()), {unit: unit.cents for unit in giving})
        used_up = [unit for unit in giving if parts[unit] > unit.room]
        if not used_up:
            return amounts | dict(parts)
        amounts.update({unit: unit.room for unit in used_up})
        giving = [unit for unit in giving if unit not in amounts]
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
    if len(weights) == 1:  # as for most lines
        return dict.fromkeys(weights, total)
    if len(set(weights.values())) == 1:  # as for nearly all others: the odd cents go first
        each, odd = divmod(total, len(weights))
        return {unit: each + (place < odd) for place, unit in enumerate(weights)}
    parts = split_cents(Cents(total), list(weights.values()))
    return dict(zip(weights, parts, strict=True))


def _by_line(units: Iterable[Unit]) -> list[list[Unit]]:
    in_order = sorted(units, key=lambda unit: unit.number)
    return [list(of_line) for _, of_line in groupby(in_order, key=lambda unit: unit.line.position)]
