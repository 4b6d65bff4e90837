"""What all effects share.

An effect answers with what it gives on a pool of units, or with what is missing. It takes no more
off a unit than the unit may give, and knows nothing of limits, budgets or other offers.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from campaigns.pricing.basket import Amounts, Pool, Shortfall, Unit
from campaigns.pricing.benefits import Benefit
from campaigns.pricing.reasons import Reason
from campaigns.pricing.scopes import Scope


class Effect(ABC):
    """Something an offer gives; `kind` is its name in the JSON form."""

    __slots__ = ()
    kind: ClassVar[str]
    chooses_units: ClassVar[bool] = False
    """Whether it says itself which units it is about, so that an item limit has no meaning."""
    chooses_portion: ClassVar[bool] = False
    """Whether it says itself which part of a unit's price it is about."""
    gives_money: ClassVar[bool] = True
    """Whether the guest pays less for it, so that limits in money have a meaning."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes of its own, beside that of its rule."""
        return ()

    @abstractmethod
    def give(self, pool: Pool) -> Benefit | Shortfall:
        """Return what it gives."""


class Discount(Effect):
    """An effect that takes something off units."""

    __slots__ = ()

    def give(self, pool: Pool) -> Benefit | Shortfall:
        """Return what it takes off; nothing can come off units that all cost nothing."""
        if not pool.units:
            return NOTHING_LEFT
        amounts = self.discount(pool)
        return amounts if isinstance(amounts, Shortfall) else Benefit(amounts=amounts)

    @abstractmethod
    def discount(self, pool: Pool) -> Amounts | Shortfall:
        """Return what it takes off the units of the pool; units left out keep their price."""


NOTHING_LEFT = Shortfall(reason=Reason.NO_DISCOUNT_LEFT)


def too_few(needed: int, units: Sequence[Unit]) -> Shortfall:
    """Return the answer of an effect that needs more units than there are."""
    return Shortfall(reason=Reason.MIN_QTY_NOT_MET, needed=needed, actual=len(units))
