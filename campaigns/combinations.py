"""Combinations: offers that together sell an article at a price; which of two is worse. Pure."""

from dataclasses import dataclass
from fractions import Fraction

from campaigns.articles import Article
from campaigns.occasions import Occasion
from shop.kernel.money import Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class Combination:
    """Offers that together sell one article at a price.

    `pays_cents` is for the whole cart of `quantity` units, what gifts must bring taken off;
    `without_cents` the same without the offer that is asked about (and with no offer at all where
    that does not matter, because nothing is sold below its floor).
    """

    article: Article
    quantity: int
    pays_cents: Cents
    without_cents: Cents
    offers: tuple[str, ...]
    occasion: Occasion

    @property
    def unit_cents(self) -> Cents:
        """Return what one unit costs on average, rounded down."""
        return Cents(self.pays_cents // self.quantity)

    @property
    def loss_cents(self) -> Cents:
        """Return by how much one unit is sold below its floor, rounded up; 0 if it is not."""
        short = self.article.floor_cents * self.quantity - self.pays_cents
        return Cents(max(0, -(-short // self.quantity)))

    @property
    def is_loss(self) -> bool:
        """Tell whether the offer takes the article below its floor, or further below."""
        return self.loss_cents > 0 and not self.is_in_vain

    @property
    def is_in_vain(self) -> bool:
        """Tell whether the others sell it as cheap without the offer."""
        return self.pays_cents >= self.without_cents


def badness(combination: Combination) -> tuple[bool, Fraction, int, str]:
    """Return what sorts combinations, the worst first."""
    floor = combination.article.floor_cents
    margin = Fraction(combination.pays_cents, combination.quantity) - floor
    return (not combination.is_loss, margin, combination.quantity, combination.article.sku)


def is_no_worse(least: int, quantity: int, *, than: Combination | None) -> bool:
    """Tell whether so many units for at least so much are no worse than the combination."""
    if than is None or least * than.quantity < than.pays_cents * quantity:
        return False
    return than.is_loss or least >= than.article.floor_cents * quantity
