"""What an offer gives: less to pay, things beside the cart, rewards after the purchase."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.pricing.basket import Amounts
from campaigns.pricing.cart import NOTHING
from shop.kernel.money import Cents, Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Gift:
    """Units of a product that the guest gets for nothing, beside the lines of the cart."""

    product: str
    quantity: int

    def as_json(self) -> Mapping[str, Any]:
        """Return the gift as JSON knows it."""
        return {"product": self.product, "quantity": self.quantity}


@dataclass(frozen=True, kw_only=True, slots=True)
class PointsReward:
    """More points once the order is paid.

    The lines at `positions` earn `multiplier_percent` of what they earn without it (200 is twice
    as much); `bonus_points` come on top, once.
    """

    positions: tuple[int, ...]
    multiplier_percent: int
    bonus_points: Points

    def as_json(self) -> Mapping[str, Any]:
        """Return the reward as JSON knows it."""
        return {
            "kind": "points",
            "positions": list(self.positions),
            "multiplier_percent": self.multiplier_percent,
            "bonus_points": self.bonus_points,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class CouponReward:
    """Coupons of a definition, issued once the order is paid."""

    coupon: str
    quantity: int

    def as_json(self) -> Mapping[str, Any]:
        """Return the reward as JSON knows it."""
        return {"kind": "coupon", "coupon": self.coupon, "quantity": self.quantity}


Reward = PointsReward | CouponReward
"""What comes after the purchase, and is not money off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Benefit:
    """All that one application of an offer gives."""

    amounts: Amounts = field(default_factory=dict)
    delivery_cents: Cents = NOTHING
    gifts: tuple[Gift, ...] = ()
    rewards: tuple[Reward, ...] = ()

    @property
    def discount_cents(self) -> Cents:
        """What the guest pays less."""
        return Cents(sum(self.amounts.values()) + self.delivery_cents)
