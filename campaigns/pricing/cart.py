"""What is being priced and for whom: plain facts, loaded by the caller, never looked up here."""

from dataclasses import dataclass
from datetime import date, datetime

from shop.kernel.money import Cents

NOTHING = Cents(0)


class InvalidCart(ValueError):
    """A cart that no till can have sent: a programming error of the caller, not of a customer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CartLine:
    """Some units of one product with one choice of options, hence one price.

    `unit_price_cents` is the full price of a unit, toppings included; `toppings_cents` says how
    much of it the toppings make up.
    """

    position: int
    product: str
    category: str
    sku: str
    unit_price_cents: Cents
    quantity: int
    toppings_cents: Cents = NOTHING
    is_discountable: bool = True

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise InvalidCart(f"line {self.position}: quantity must be positive")
        if not 0 <= self.toppings_cents <= self.unit_price_cents:
            raise InvalidCart(f"line {self.position}: toppings must be part of the unit price")

    @property
    def subtotal_cents(self) -> Cents:
        """The price of the line before any discount."""
        return Cents(self.unit_price_cents * self.quantity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cart:
    """The lines of one order, where and how it is bought, and the time on the store's wall.

    Lines are told apart by `position`; the order in which they are given does not matter.
    """

    lines: tuple[CartLine, ...]
    store: str
    city: str
    order_type: str
    local_time: datetime

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.lines, key=lambda line: line.position))
        if len({line.position for line in ordered}) < len(ordered):
            raise InvalidCart("two lines have the same position")
        object.__setattr__(self, "lines", ordered)


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What a rule may ask about the buyer; a guest has no `member` and no past orders."""

    member: str | None = None
    order_count: int = 0
    tier: str | None = None
    acquisition_channel: str | None = None
    birthday: date | None = None
    segments: frozenset[str] = frozenset()
    days_since_joined: int | None = None


GUEST = Facts()
