"""What points are worth as money: no database, no clock."""

from dataclasses import dataclass
from fractions import Fraction

from shop.kernel.money import Cents, Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """The rate at which points pay, `points` for `amount_cents`, and the limits of one order."""

    points: int
    amount_cents: int
    min_points: int = 0
    max_percent: int | Fraction = 100

    def pay(self, requested: int, *, available: int, order_cents: int) -> tuple[Points, Cents]:
        """Return how many of the requested points are taken, and the money they pay.

        Never more than the member has or than the allowed share of the order is worth, in whole
        multiples of the rate; fewer than the minimum are not taken at all. A rate that makes no
        sense takes nothing.

        >>> three_for_a_fen = Exchange(points=3, amount_cents=1, max_percent=50)
        >>> three_for_a_fen.pay(1000, available=800, order_cents=10000)
        (798, 266)
        """
        if self.points <= 0 or self.amount_cents <= 0:
            return Points(0), Cents(0)
        most_cents = int(order_cents * min(self.max_percent, 100) // 100)
        most = min(requested, available, most_cents * self.points // self.amount_cents)
        times = max(most, 0) // self.points
        if times * self.points < self.min_points:
            return Points(0), Cents(0)
        return Points(times * self.points), Cents(times * self.amount_cents)
