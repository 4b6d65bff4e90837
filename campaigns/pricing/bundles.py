"""The effect of a set price: a drink and a cake for so much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from campaigns.pricing.basket import Amounts, Pool, PriceOrder, Shortfall, Unit, take_off
from campaigns.pricing.effect import Discount, too_few
from campaigns.pricing.scopes import Scope
from campaigns.pricing.validity import require, require_at_least
from shop.kernel.money import Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class BundlePart:
    """So many units of one part of the scope, as one part of a set."""

    scope: Scope
    quantity: int

    def __post_init__(self) -> None:
        require_at_least(1, {"quantity": self.quantity})


@dataclass(frozen=True, kw_only=True, slots=True)
class BundlePrice(Discount):
    """One price for a set of units; in `pick` order the first units make up the first set.

    A unit serves once; the part that the fewest units fit chooses first. A set that costs less
    than its price already is left as it is.
    """

    kind: ClassVar[str] = "bundle_price"
    chooses_units: ClassVar[bool] = True

    parts: tuple[BundlePart, ...]
    price_cents: Cents
    pick: PriceOrder = PriceOrder.DEAREST_FIRST
    max_applications: int | None = None

    def __post_init__(self) -> None:
        require(self.parts, "parts", "missing", "must name at least one part")
        require_at_least(0, {"price_cents": self.price_cents})
        require_at_least(1, {"max_applications": self.max_applications})

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return tuple(part.scope for part in self.parts)

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        bundles = list(islice(self._bundles(pool.units), self.max_applications))
        if not bundles:
            return too_few(sum(part.quantity for part in self.parts), pool.units)
        amounts: dict[Unit, int] = {}
        for bundle in bundles:
            saved = sum(unit.cents for unit in bundle) - self.price_cents
            amounts.update(take_off(max(0, saved), bundle))
        return amounts

    def _bundles(self, units: Sequence[Unit]) -> Iterator[list[Unit]]:
        parts = sorted(self.parts, key=lambda part: len(_fitting(part, units)))
        left = self.pick.sort(units)
        while bundle := _bundle(parts, left):
            yield bundle
            left = [unit for unit in left if unit not in bundle]


def _bundle(parts: Sequence[BundlePart], left: Sequence[Unit]) -> list[Unit]:
    """Return the units of the next set, or nothing when a part is missing."""
    bundle: dict[Unit, None] = {}
    for part in parts:
        fitting = [unit for unit in _fitting(part, left) if unit not in bundle]
        if len(fitting) < part.quantity:
            return []
        bundle.update(dict.fromkeys(fitting[: part.quantity]))
    return list(bundle)


def _fitting(part: BundlePart, units: Sequence[Unit]) -> list[Unit]:
    return [unit for unit in units if part.scope.holds(unit.line)]
