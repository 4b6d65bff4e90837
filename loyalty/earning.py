"""Pure rules of earning and spending points: no database, no clock."""

from dataclasses import dataclass
from math import gcd

from loyalty.exchange import Exchange
from shop.kernel.money import Cents, Points

CENTS_PER_YUAN = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What a programme gives and takes; percentages are whole percents."""

    points_per_yuan: int = 1
    qualifying_per_yuan: int = 1
    points_per_redeemed_yuan: int = 50
    min_points_per_order: int = 50
    max_points_share_percent: int = 50

    @property
    def exchange(self) -> Exchange:
        """Return the smallest number of points that pays whole fen, and what it pays."""
        step = gcd(self.points_per_redeemed_yuan, CENTS_PER_YUAN)
        return Exchange(
            points=self.points_per_redeemed_yuan // step,
            amount_cents=CENTS_PER_YUAN // step,
            min_points=self.min_points_per_order,
            max_percent=self.max_points_share_percent,
        )


def points_for(net_cents: Cents, *, rates: Rates, tier_percent: int = 100) -> Points:
    """Return the points for money actually paid, after every discount; rounded down.

    >>> [points_for(Cents(1999), rates=Rates(), tier_percent=percent) for percent in (100, 120)]
    [19, 23]
    """
    return Points(net_cents * rates.points_per_yuan * tier_percent // (CENTS_PER_YUAN * 100))


def qualifying_points_for(net_cents: Cents, *, rates: Rates) -> Points:
    """Return the qualifying points for money actually paid; no tier makes them more."""
    return Points(net_cents * rates.qualifying_per_yuan // CENTS_PER_YUAN)


def points_discount(
    requested: Points, *, available: Points, payable_cents: Cents, rates: Rates
) -> tuple[Points, Cents]:
    """Return how many of the requested points are taken, and the money they pay.

    Never more than the member has, than the programme's share of the bill, or than pays whole fen;
    below the programme's minimum none are taken.

    >>> bill = Cents(1800)
    >>> points_discount(Points(500), available=Points(300), payable_cents=bill, rates=Rates())
    (300, 600)
    """
    return rates.exchange.pay(requested, available=available, order_cents=payable_cents)
