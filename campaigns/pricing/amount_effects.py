"""Effects on everything in scope: percentages, amounts, one price for each."""

from dataclasses import dataclass
from typing import ClassVar

from campaigns.pricing.basket import Amounts, Pool, Shortfall, percent_of, prices, spread
from campaigns.pricing.effect import Effect
from campaigns.pricing.validity import require_at_least, require_share
from shop.kernel.money import Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentOff(Effect):
    """A share of the running price of everything in scope, rounded half up per line."""

    kind: ClassVar[str] = "percent_off"

    percent_bp: int
    max_discount_cents: Cents | None = None

    def __post_init__(self) -> None:
        require_share("percent_bp", self.percent_bp)
        require_at_least(1, {"max_discount_cents": self.max_discount_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        amounts = percent_of(pool.units, self.percent_bp)
        if self.max_discount_cents is None:
            return amounts
        return spread(self.max_discount_cents, amounts)


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedOff(Effect):
    """An amount off everything in scope together, spread by price; never more than it costs."""

    kind: ClassVar[str] = "fixed_off"

    amount_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(1, {"amount_cents": self.amount_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        return spread(self.amount_cents, prices(pool.units))


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedOffEach(Effect):
    """An amount off each unit in scope; never more than the unit costs."""

    kind: ClassVar[str] = "fixed_off_each"

    amount_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(1, {"amount_cents": self.amount_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        return {unit: min(unit.cents, self.amount_cents) for unit in pool.units}


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitPrice(Effect):
    """One price for each unit in scope; units that are cheaper already stay as they are."""

    kind: ClassVar[str] = "unit_price"

    price_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(0, {"price_cents": self.price_cents})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        return {unit: max(0, unit.cents - self.price_cents) for unit in pool.units}
