"""Effects on everything in scope: percentages, amounts, one price for each."""

from dataclasses import dataclass
from typing import ClassVar

from campaigns.pricing.basket import (
    Amounts,
    PercentBase,
    Pool,
    Shortfall,
    percent_of,
    spread,
    take_off,
)
from campaigns.pricing.effect import Discount
from campaigns.pricing.validity import require_at_least, require_share
from shop.kernel.money import Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentOff(Discount):
    """A share of the price of everything in scope, rounded half up per line."""

    kind: ClassVar[str] = "percent_off"

    percent_bp: int
    max_discount_cents: Cents | None = None
    base: PercentBase = PercentBase.RUNNING

    def __post_init__(self) -> None:
        require_share("percent_bp", self.percent_bp)
        require_at_least(1, {"max_discount_cents": self.max_discount_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        amounts = percent_of(pool.units, self.percent_bp, self.base)
        if self.max_discount_cents is None:
            return amounts
        return spread(self.max_discount_cents, amounts)


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedOff(Discount):
    """An amount off everything in scope together, spread by price; never more than it costs."""

    kind: ClassVar[str] = "fixed_off"

    amount_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(1, {"amount_cents": self.amount_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        return take_off(self.amount_cents, pool.units)


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedOffEach(Discount):
    """An amount off each unit in scope; never more than the unit costs."""

    kind: ClassVar[str] = "fixed_off_each"

    amount_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(1, {"amount_cents": self.amount_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        return {unit: min(unit.room, self.amount_cents) for unit in pool.units}


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitPrice(Discount):
    """One price for each unit in scope; units that are cheaper already stay as they are."""

    kind: ClassVar[str] = "unit_price"

    price_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(0, {"price_cents": self.price_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        return {unit: min(unit.room, max(0, unit.cents - self.price_cents)) for unit in pool.units}
