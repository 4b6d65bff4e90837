"""The effect of buying something and getting something else, or more of it, for less."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from campaigns.pricing.basket import Amounts, Pool, PriceOrder, Shortfall, Unit, percent_of
from campaigns.pricing.effect import Discount, too_few
from campaigns.pricing.reasons import Reason
from campaigns.pricing.scopes import Scope
from campaigns.pricing.validity import require, require_at_least, require_share
from shop.kernel.money import BASIS_POINTS, Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class BuyXGetY(Discount):
    """For so many units bought, or so much spent, so many units at a discount.

    By quantity it repeats while units last; by spend it applies once. The dearest units are
    bought and the cheapest are got, or the other way round with `get_order` dearest first; a unit
    serves once. A last incomplete get still counts unless `require_full_get`. What is got is in
    the offer's scope; what is bought is in `buy_scope`, or in the offer's too if there is none.
    Units that can only be bought are bought first.
    """

    kind: ClassVar[str] = "buy_x_get_y"
    chooses_units: ClassVar[bool] = True

    buy_quantity: int | None = None
    buy_spend_cents: Cents | None = None
    get_quantity: int
    percent_bp: int = BASIS_POINTS
    buy_scope: Scope | None = None
    get_order: PriceOrder = PriceOrder.CHEAPEST_FIRST
    require_full_get: bool = False
    max_applications: int | None = None

    def __post_init__(self) -> None:
        has_one = (self.buy_quantity is None) != (self.buy_spend_cents is None)
        require(has_one, "buy_quantity", "missing", "must be given, or else buy_spend_cents")
        require_at_least(
            1,
            {
                "buy_quantity": self.buy_quantity,
                "buy_spend_cents": self.buy_spend_cents,
                "get_quantity": self.get_quantity,
                "max_applications": self.max_applications,
            },
        )
        require_share("percent_bp", self.percent_bp)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return () if self.buy_scope is None else (self.buy_scope,)

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        buyable = self._buyable(pool)
        rounds = self._rounds(buyable, self.get_order.sort(pool.units))
        times = 1 if self.buy_spend_cents is not None else self.max_applications
        got = [unit for units in islice(rounds, times) for unit in units]
        if not got:
            return self._missing(buyable, pool)
        return percent_of(got, self.percent_bp)

    def _buyable(self, pool: Pool) -> list[Unit]:
        units = pool.units if self.buy_scope is None else pool.elsewhere(self.buy_scope)
        gettable = {unit.number for unit in pool.units}
        return sorted(self.get_order.opposite.sort(units), key=lambda unit: unit.number in gettable)

    def _rounds(self, buyable: Sequence[Unit], gettable: Sequence[Unit]) -> Iterator[list[Unit]]:
        """Yield what is got for each full buy."""
        served: set[int] = set()
        to_buy = (unit for unit in buyable if unit.number not in served)
        to_get = (unit for unit in gettable if unit.number not in served)
        while bought := self._bought(to_buy):
            served.update(unit.number for unit in bought)
            got = list(islice(to_get, self.get_quantity))
            if not got or (self.require_full_get and len(got) < self.get_quantity):
                return
            served.update(unit.number for unit in got)
            yield got

    def _bought(self, to_buy: Iterator[Unit]) -> list[Unit]:
        """Return the units of the next full buy, or none; spending counts undiscounted prices."""
        if self.buy_quantity is not None:
            bought = list(islice(to_buy, self.buy_quantity))
            return bought if len(bought) == self.buy_quantity else []
        bought, missing = [], self.buy_spend_cents or 0
        for unit in to_buy:
            bought.append(unit)
            missing -= unit.list_cents
            if missing <= 0:
                return bought
        return []

    def _missing(self, buyable: Sequence[Unit], pool: Pool) -> Shortfall:
        get = self.get_quantity if self.require_full_get else 1
        if len(pool.units) < get:
            return too_few(get, pool.units)
        if self.buy_quantity is None:
            return self._missing_spend(buyable, pool, get)
        if self.buy_scope is not None and len(buyable) < self.buy_quantity:
            return too_few(self.buy_quantity, buyable)
        either = {unit.number: unit for unit in (*buyable, *pool.units)}
        return too_few(self.buy_quantity + get, list(either.values()))

    def _missing_spend(self, buyable: Sequence[Unit], pool: Pool, get: int) -> Shortfall:
        bought = {unit.number for unit in self._bought(iter(buyable))}
        if bought:
            return too_few(get, [unit for unit in pool.units if unit.number not in bought])
        return Shortfall(
            reason=Reason.MIN_SPEND_NOT_MET,
            needed=self.buy_spend_cents,
            actual=sum(unit.list_cents for unit in buyable),
        )
