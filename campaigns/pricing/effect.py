"""What all effects share.

An effect answers with the amounts it takes off the units of a pool, or with what is missing. It
takes no more off a unit than the unit costs, and knows nothing of limits, budgets or other offers.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from campaigns.pricing.basket import Amounts, Pool, Shortfall, Unit
from campaigns.pricing.reasons import Reason


class Effect(ABC):
    """Something an offer gives; `kind` is its name in the JSON form."""

    __slots__ = ()
    kind: ClassVar[str]
    chooses_units: ClassVar[bool] = False
    """Whether it says itself which units are discounted, so that an item limit has no meaning."""

    @abstractmethod
    def discount(self, pool: Pool) -> Amounts | Shortfall:
        """Return what it takes off the units of the pool; units left out keep their price."""


def too_few(needed: int, units: Sequence[Unit]) -> Shortfall:
    """Return the answer of an effect that needs more units than there are."""
    return Shortfall(reason=Reason.MIN_QTY_NOT_MET, needed=needed, actual=len(units))
