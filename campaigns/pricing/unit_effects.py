"""Effects that choose their units by price: free items, the cheapest, every nth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from campaigns.pricing.basket import (
    Amounts,
    Pool,
    PriceOrder,
    Shortfall,
    Unit,
    cheapest_first,
    percent_of,
)
from campaigns.pricing.effect import Discount, too_few
from campaigns.pricing.validity import require_at_least, require_share
from shop.kernel.money import BASIS_POINTS, Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class FreeItem(Discount):
    """Some units free, each up to a value: those that save the most.

    Of units that save the same, the cheaper is chosen: up to ¥20, a drink of ¥20 is free before
    ¥20 come off one of ¥22.
    """

    kind: ClassVar[str] = "free_item"
    chooses_units: ClassVar[bool] = True

    max_value_cents: Cents | None = None
    quantity: int = 1

    def __post_init__(self) -> None:
        require_at_least(1, {"max_value_cents": self.max_value_cents, "quantity": self.quantity})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        best = sorted(pool.units, key=lambda unit: (-self._saved(unit), unit.cents, unit.number))
        return {unit: self._saved(unit) for unit in best[: self.quantity]}

    def _saved(self, unit: Unit) -> int:
        if self.max_value_cents is None:
            return unit.room
        return min(unit.room, self.max_value_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheapestFree(Discount):
    """The cheapest units in scope at a discount; with a group size, so many per full group.

    `max_applications` is the most groups that count.
    """

    kind: ClassVar[str] = "cheapest_free"
    chooses_units: ClassVar[bool] = True

    free_quantity: int = 1
    percent_bp: int = BASIS_POINTS
    group_quantity: int | None = None
    max_applications: int | None = None

    def __post_init__(self) -> None:
        require_share("percent_bp", self.percent_bp)
        require_at_least(
            1, {"free_quantity": self.free_quantity, "max_applications": self.max_applications}
        )
        require_at_least(self.free_quantity, {"group_quantity": self.group_quantity})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        groups = 1
        if self.group_quantity is not None:
            groups = len(pool.units) // self.group_quantity
            if not groups:
                return too_few(self.group_quantity, pool.units)
        if self.max_applications is not None:
            groups = min(groups, self.max_applications)
        return percent_of(
            cheapest_first(pool.units)[: groups * self.free_quantity], self.percent_bp
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NthItemPercent(Discount):
    """Every nth unit at a discount: the second cup at half price is nth 2 and 50 %.

    Units are cut into full groups of nth, or of `group_quantity`, in `group_order`, and the nth
    unit of each group in `item_order` is discounted: by default the cheaper of the two dearest,
    and so on, so that adding a cup never makes the discount smaller. Pooled, as many units are
    discounted as there are groups, but counted off over all grouped units together.
    """

    kind: ClassVar[str] = "nth_item_percent"
    chooses_units: ClassVar[bool] = True

    nth: int
    percent_bp: int
    group_quantity: int | None = None
    group_order: PriceOrder = PriceOrder.DEAREST_FIRST
    item_order: PriceOrder = PriceOrder.DEAREST_FIRST
    is_pooled: bool = False
    max_applications: int | None = None

    def __post_init__(self) -> None:
        require_at_least(1, {"nth": self.nth})
        require_share("percent_bp", self.percent_bp)
        require_at_least(self.nth, {"group_quantity": self.group_quantity})
        require_at_least(1, {"max_applications": self.max_applications})

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        size = self.group_quantity or self.nth
        count = len(pool.units) // size
        if not count:
            return too_few(size, pool.units)
        grouped = self.group_order.sort(pool.units)[: count * size]
        every_nth = self._pooled(grouped, count) if self.is_pooled else self._each(grouped, size)
        return percent_of(every_nth[: self.max_applications], self.percent_bp)

    def _each(self, grouped: Sequence[Unit], size: int) -> list[Unit]:
        groups = (grouped[start : start + size] for start in range(0, len(grouped), size))
        return [self.item_order.sort(group)[self.nth - 1] for group in groups]

    def _pooled(self, grouped: Sequence[Unit], count: int) -> list[Unit]:
        return self.item_order.sort(grouped)[(self.nth - 1) * count : self.nth * count]
