"""Effects that cost the guest nothing less but give something more: a thing, points, a coupon."""

from dataclasses import dataclass
from typing import ClassVar

from campaigns.pricing.basket import Pool, Shortfall
from campaigns.pricing.benefits import Benefit, CouponReward, Gift, PointsReward
from campaigns.pricing.effect import NOTHING_LEFT, Effect, too_few
from campaigns.pricing.validity import require, require_at_least
from shop.kernel.money import Points

NO_POINTS = Points(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class GiftItem(Effect):
    """A product for nothing for every so many units bought in scope; once, or as often as said.

    Gifts are no lines of the cart: they count for nothing and no offer discounts them.
    """

    kind: ClassVar[str] = "gift_item"
    chooses_units: ClassVar[bool] = True
    chooses_portion: ClassVar[bool] = True
    gives_money: ClassVar[bool] = False

    product: str
    quantity: int = 1
    buy_quantity: int = 1
    max_applications: int | None = 1

    def __post_init__(self) -> None:
        require(self.product, "product", "missing", "must name a product")
        require_at_least(
            1,
            {
                "quantity": self.quantity,
                "buy_quantity": self.buy_quantity,
                "max_applications": self.max_applications,
            },
        )

    def give(self, pool: Pool) -> Benefit | Shortfall:
        times = len(pool.units) // self.buy_quantity
        if not times:
            return too_few(self.buy_quantity, pool.units)
        if self.max_applications is not None:
            times = min(times, self.max_applications)
        return Benefit(gifts=(Gift(product=self.product, quantity=times * self.quantity),))


@dataclass(frozen=True, kw_only=True, slots=True)
class PointsBoost(Effect):
    """More points for what is in scope, by a factor, or so many points more, or both."""

    kind: ClassVar[str] = "points_boost"
    chooses_units: ClassVar[bool] = True
    chooses_portion: ClassVar[bool] = True
    gives_money: ClassVar[bool] = False

    multiplier_percent: int = 100
    bonus_points: Points = NO_POINTS

    def __post_init__(self) -> None:
        require_at_least(100, {"multiplier_percent": self.multiplier_percent})
        require_at_least(0, {"bonus_points": self.bonus_points})
        gives_any = self.multiplier_percent > 100 or self.bonus_points > 0
        require(gives_any, "multiplier_percent", "out-of-range", "must give more points")

    def give(self, pool: Pool) -> Benefit | Shortfall:
        positions = dict.fromkeys(unit.line.position for unit in pool.units)
        if not positions:
            return NOTHING_LEFT
        reward = PointsReward(
            positions=tuple(positions),
            multiplier_percent=self.multiplier_percent,
            bonus_points=self.bonus_points,
        )
        return Benefit(rewards=(reward,))


@dataclass(frozen=True, kw_only=True, slots=True)
class GiftCoupon(Effect):
    """Coupons for the next time, once the order is paid."""

    kind: ClassVar[str] = "gift_coupon"
    chooses_units: ClassVar[bool] = True
    chooses_portion: ClassVar[bool] = True
    gives_money: ClassVar[bool] = False

    coupon: str
    quantity: int = 1

    def __post_init__(self) -> None:
        require(self.coupon, "coupon", "missing", "must name a coupon")
        require_at_least(1, {"quantity": self.quantity})

    def give(self, pool: Pool) -> Benefit | Shortfall:
        if not pool.units:
            return NOTHING_LEFT
        return Benefit(rewards=(CouponReward(coupon=self.coupon, quantity=self.quantity),))
