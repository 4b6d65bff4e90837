"""Which units of a cart an offer speaks of, and which part of their price."""

from dataclasses import dataclass
from enum import StrEnum

from campaigns.pricing.cart import Cart, CartLine
from campaigns.pricing.validity import require, require_at_least
from shop.kernel.money import Cents


class Portion(StrEnum):
    """The part of a unit's price that counts and may be discounted."""

    WHOLE = "whole"
    WITHOUT_TOPPINGS = "without_toppings"
    TOPPINGS = "toppings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """A choice of discountable lines; the empty scope is all of them.

    A line is in when its product or one of its categories is listed (or nothing is listed), none
    is excluded, it has one of the `options` (if any are named), and its unit price lies within
    the bounds, both inclusive. `exclude_reduced` leaves out goods on sale.
    """

    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    exclude_products: frozenset[str] = frozenset()
    exclude_categories: frozenset[str] = frozenset()
    min_price_cents: Cents | None = None
    max_price_cents: Cents | None = None
    portion: Portion = Portion.WHOLE
    options: frozenset[str] = frozenset()
    exclude_reduced: bool = False

    def __post_init__(self) -> None:
        require_at_least(
            0, {"min_price_cents": self.min_price_cents, "max_price_cents": self.max_price_cents}
        )
        if self.min_price_cents is not None and self.max_price_cents is not None:
            require(
                self.min_price_cents <= self.max_price_cents,
                "max_price_cents",
                "out-of-range",
                "must not be below min_price_cents",
            )

    def holds(self, line: CartLine) -> bool:
        """Return whether the units of this line are in the scope."""
        return line.is_discountable and self.names(line)

    def names(self, line: CartLine) -> bool:
        """Return whether the line is what the scope describes, be it discountable or not."""
        return (
            not (self.exclude_reduced and line.is_reduced)
            and self._lists(line)
            and line.product not in self.exclude_products
            and self.exclude_categories.isdisjoint(line.categories)
            and (not self.options or not self.options.isdisjoint(line.options))
            and self._has_price(line.unit_price_cents)
        )

    def portion_of(self, line: CartLine, price_cents: int) -> Cents:
        """Return how much of a unit's price, original or running, this scope speaks of.

        What other offers took is taken to come off the drink first and the toppings last.
        """
        if self.portion is Portion.WHOLE:
            return Cents(price_cents)
        if self.portion is Portion.TOPPINGS:
            return Cents(min(price_cents, line.toppings_cents))
        return Cents(max(0, price_cents - line.toppings_cents))

    def _lists(self, line: CartLine) -> bool:
        if not self.products and not self.categories:
            return True
        return line.product in self.products or not self.categories.isdisjoint(line.categories)

    def _has_price(self, price_cents: Cents) -> bool:
        if self.min_price_cents is not None and price_cents < self.min_price_cents:
            return False
        return self.max_price_cents is None or price_cents <= self.max_price_cents


ALL = Scope()


def spend_cents(cart: Cart, scope: Scope | None) -> Cents:
    """Return the undiscounted amount in the scope; of the whole cart when there is none."""
    if scope is None:
        return cart.subtotal_cents
    return Cents(
        sum(
            scope.portion_of(line, line.unit_price_cents) * line.quantity
            for line in cart.lines
            if scope.holds(line)
        )
    )


def distinct_products(cart: Cart, scope: Scope | None) -> int:
    """Return the number of different products in the scope; of the whole cart without one."""
    return len({line.product for line in cart.lines if scope is None or scope.holds(line)})


def quantity(cart: Cart, scope: Scope | None) -> int:
    """Return the number of units in the scope; of the whole cart when there is none."""
    if scope is None:
        return cart.quantity
    return sum(line.quantity for line in cart.lines if scope.holds(line))
