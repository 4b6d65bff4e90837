"""Articles: what the loss guard puts into carts, and what each must bring. Pure."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from campaigns.pricing import CartLine, Scope
from shop.kernel.money import Cents

NO_CATEGORIES: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """One way to have a product, as a cart line of one unit, and what it must not go below.

    Or several together, which an offer asks for: the others are `beside` it, and one unit is as
    many of each as their lines say.
    """

    line: CartLine
    floor_cents: Cents
    order_types: frozenset[str]
    name_zh: str = ""
    name_en: str = ""
    topping: str = ""
    beside: tuple[CartLine, ...] = ()

    @property
    def list_cents(self) -> Cents:
        """Return the price of one unit, without any offer."""
        return Cents(sum(line.subtotal_cents for line in self._each))

    @property
    def sku(self) -> str:
        """Return what one unit is, as menus name it."""
        counts = ((f"{line.quantity} × " if line.quantity > 1 else "", line) for line in self._each)
        return " + ".join(count + line.sku for count, line in counts)

    @property
    def pieces(self) -> int:
        """Return how many pieces one unit is."""
        return sum(line.quantity for line in self._each)

    def lines(self, quantity: int) -> list[CartLine]:
        """Return so many units as lines of a cart."""
        return [replace(line, quantity=line.quantity * quantity) for line in self._each]

    def is_in(self, scope: Scope) -> bool:
        """Tell whether a part of it is in a scope."""
        return any(scope.holds(line) for line in self._each)

    def kind(self, scopes: Iterable[Scope]) -> Hashable:
        """Return what all articles share that offers with these scopes cannot tell apart."""
        if self.beside:
            return id(self)
        line = self.line
        told = tuple(
            (scope.names(line), line.product in scope.products, line.categories & scope.categories)
            for scope in scopes
        )
        nameless = replace(line, product="", sku="", category="", other_categories=NO_CATEGORIES)
        return (told, nameless)

    @property
    def _each(self) -> tuple[CartLine, ...]:
        return (self.line, *self.beside)
