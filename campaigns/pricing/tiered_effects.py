"""Effects that grow with the cart: the highest threshold reached decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar, TypeVar

from campaigns.pricing.basket import (
    Amounts,
    PercentBase,
    Pool,
    Shortfall,
    percent_of,
    take_off,
)
from campaigns.pricing.effect import Discount
from campaigns.pricing.reasons import Reason
from campaigns.pricing.scopes import quantity, spend_cents
from campaigns.pricing.validity import require, require_at_least, require_share
from shop.kernel.money import Cents


class Measured(StrEnum):
    """What the thresholds count: undiscounted cents or units, in the offer's scope."""

    SPEND = "spend"
    QUANTITY = "quantity"


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentTier:
    """From this threshold on, this share."""

    threshold: int
    percent_bp: int

    def __post_init__(self) -> None:
        require_at_least(0, {"threshold": self.threshold})
        require_share("percent_bp", self.percent_bp)


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedTier:
    """From this threshold on, this amount."""

    threshold: int
    amount_cents: Cents

    def __post_init__(self) -> None:
        require_at_least(0, {"threshold": self.threshold})
        require_at_least(1, {"amount_cents": self.amount_cents})


Tier = TypeVar("Tier", PercentTier, FixedTier)


@dataclass(frozen=True, kw_only=True, slots=True)
class TieredPercentOff(Discount):
    """A share of the price that depends on the threshold reached, thresholds inclusive."""

    kind: ClassVar[str] = "tiered_percent_off"

    tiers: tuple[PercentTier, ...]
    by: Measured = Measured.SPEND
    base: PercentBase = PercentBase.RUNNING

    def __post_init__(self) -> None:
        _require_rising([tier.threshold for tier in self.tiers])

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        tier = _reached(self.tiers, self.by, pool)
        if isinstance(tier, Shortfall):
            return tier
        return percent_of(pool.units, tier.percent_bp, self.base)


@dataclass(frozen=True, kw_only=True, slots=True)
class TieredFixedOff(Discount):
    """An amount that depends on the threshold reached, thresholds inclusive, spread by price."""

    kind: ClassVar[str] = "tiered_fixed_off"

    tiers: tuple[FixedTier, ...]
    by: Measured = Measured.SPEND

    def __post_init__(self) -> None:
        _require_rising([tier.threshold for tier in self.tiers])

    def discount(self, pool: Pool) -> Amounts | Shortfall:
        tier = _reached(self.tiers, self.by, pool)
        return tier if isinstance(tier, Shortfall) else take_off(tier.amount_cents, pool.units)


def _require_rising(thresholds: Sequence[int]) -> None:
    require(thresholds, "tiers", "missing", "must name at least one tier")
    is_rising = all(low < high for low, high in pairwise(thresholds))
    require(is_rising, "tiers", "out-of-range", "must have rising thresholds")


def _reached(tiers: Sequence[Tier], by: Measured, pool: Pool) -> Tier | Shortfall:
    cart = pool.basket.cart
    is_spend = by is Measured.SPEND
    measured = spend_cents(cart, pool.scope) if is_spend else quantity(cart, pool.scope)
    reached = [tier for tier in tiers if tier.threshold <= measured]
    if reached:
        return reached[-1]
    return Shortfall(
        reason=Reason.MIN_SPEND_NOT_MET if is_spend else Reason.MIN_QTY_NOT_MET,
        needed=tiers[0].threshold,
        actual=measured,
    )
