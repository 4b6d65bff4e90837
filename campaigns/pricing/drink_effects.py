"""Effects on a part of a drink's price, and on its delivery: topping, size, fee."""

from dataclasses import dataclass
from typing import ClassVar

from campaigns.pricing.basket import Amounts, Pool, Shortfall, Unit
from campaigns.pricing.benefits import Benefit
from campaigns.pricing.cart import DELIVERY
from campaigns.pricing.effect import NOTHING_LEFT, Discount, Effect
from campaigns.pricing.reasons import Reason
from campaigns.pricing.validity import require_at_least
from shop.kernel.money import Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeTopping(Discount):
    """Some toppings free, each up to a value: those that save the most, of equals the cheapest."""

    kind: ClassVar[str] = "free_topping"
    chooses_units: ClassVar[bool] = True
    chooses_portion: ClassVar[bool] = True

    toppings: frozenset[str] = frozenset()
    max_value_cents: Cents | None = None
    quantity: int = 1

    def __post_init__(self) -> None:
        require_at_least(1, {"max_value_cents": self.max_value_cents, "quantity": self.quantity})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        paid = [(unit, price) for unit in pool.units for price in self._prices(unit)]
        if not paid:
            return Shortfall(reason=Reason.REQUIRED_ITEM_MISSING, needed=1, actual=0)
        best = sorted(paid, key=lambda each: (-self._value(each[1]), each[1], each[0].number))
        left = {unit: min(unit.room, unit.line.toppings_cents) for unit in pool.units}
        amounts: dict[Unit, int] = {}
        for unit, price in best[: self.quantity]:
            saved = min(self._value(price), left[unit] - amounts.get(unit, 0))
            amounts[unit] = amounts.get(unit, 0) + saved
        return amounts

    def _prices(self, unit: Unit) -> list[Cents]:
        return [
            topping.price_cents
            for topping in unit.line.toppings
            if topping.price_cents and (not self.toppings or topping.code in self.toppings)
        ]

    def _value(self, price_cents: Cents) -> Cents:
        if self.max_value_cents is None:
            return price_cents
        return min(price_cents, self.max_value_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeUpsize(Discount):
    """A larger size at the price of the standard one, for the units that save the most."""

    kind: ClassVar[str] = "free_upsize"
    chooses_units: ClassVar[bool] = True
    chooses_portion: ClassVar[bool] = True

    quantity: int = 1

    def __post_init__(self) -> None:
        require_at_least(1, {"quantity": self.quantity})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        large = [unit for unit in pool.units if unit.line.upsize_cents]
        if not large:
            return Shortfall(reason=Reason.REQUIRED_ITEM_MISSING, needed=1, actual=0)
        best = sorted(large, key=lambda unit: (-_upsize(unit), unit.number))
        return {unit: _upsize(unit) for unit in best[: self.quantity]}


def _upsize(unit: Unit) -> Cents:
    return min(unit.room, unit.line.upsize_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeDelivery(Effect):
    """The delivery fee, or what a limit on the discount leaves of it."""

    kind: ClassVar[str] = "free_delivery"
    chooses_units: ClassVar[bool] = True
    chooses_portion: ClassVar[bool] = True

    def give(self, pool: Pool) -> Benefit | Shortfall:
        order_type = pool.basket.cart.order_type
        if order_type != DELIVERY:
            return Shortfall(reason=Reason.WRONG_ORDER_TYPE, needed=[DELIVERY], actual=order_type)
        if not pool.basket.delivery_cents:
            return NOTHING_LEFT
        return Benefit(delivery_cents=pool.basket.delivery_cents)
