"""What is being priced and for whom: plain facts, loaded by the caller, never looked up here."""

from dataclasses import dataclass, field
from datetime import date, datetime

from shop.kernel.money import Cents

NOTHING = Cents(0)
DELIVERY = "delivery"
"""The order type that may have a delivery fee."""


class InvalidCart(ValueError):
    """A cart that no till can have sent: a programming error of the caller, not of a customer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topping:
    """One topping in each unit of a line, with its price."""

    code: str
    price_cents: Cents

    def __post_init__(self) -> None:
        if self.price_cents < 0:
            raise InvalidCart(f"topping {self.code}: the price must not be negative")


@dataclass(frozen=True, kw_only=True, slots=True)
class CartLine:
    """Some units of one product with one choice of options, hence one price.

    `unit_price_cents` is the full price of a unit, toppings and size included. `toppings_cents`
    says how much of it the toppings make up, `toppings` which they are (each once per unit), and
    `upsize_cents` what the size chosen costs above the standard one. No offer takes a unit below
    `min_unit_price_cents`. `other_categories` are those beside the menu's, such as a season's.
    """

    position: int
    product: str
    category: str
    sku: str
    unit_price_cents: Cents
    quantity: int
    toppings_cents: Cents = NOTHING
    is_discountable: bool = True
    toppings: tuple[Topping, ...] = ()
    upsize_cents: Cents = NOTHING
    min_unit_price_cents: Cents = NOTHING
    other_categories: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()
    is_reduced: bool = False

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise InvalidCart(f"line {self.position}: quantity must be positive")
        if not 0 <= self.toppings_cents <= self.unit_price_cents:
            raise InvalidCart(f"line {self.position}: toppings must be part of the unit price")
        itemized = sum(topping.price_cents for topping in self.toppings)
        if self.toppings and itemized != self.toppings_cents:
            raise InvalidCart(f"line {self.position}: toppings must add up to their sum")
        if not 0 <= self.upsize_cents <= self.unit_price_cents - self.toppings_cents:
            raise InvalidCart(f"line {self.position}: the size must be part of the unit price")
        if self.min_unit_price_cents < 0:
            raise InvalidCart(f"line {self.position}: the lowest price must not be negative")

    @property
    def categories(self) -> frozenset[str]:
        """All categories of the product."""
        return self.other_categories | {self.category}

    @property
    def subtotal_cents(self) -> Cents:
        """The price of the line before any discount."""
        return Cents(self.unit_price_cents * self.quantity)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cart:
    """The lines of one order, where and how it is bought, and the time on the store's wall.

    Lines are told apart by `position`; the order in which they are given does not matter.
    `payment_method` is None as long as nobody knows how the order will be paid. `subtotal_cents`
    and `quantity` are of the whole cart, summed up once, since hundreds of offers may ask.
    """

    lines: tuple[CartLine, ...]
    store: str
    city: str
    order_type: str
    local_time: datetime
    delivery_fee_cents: Cents = NOTHING
    payment_method: str | None = None
    subtotal_cents: Cents = field(init=False, repr=False, compare=False)
    quantity: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.delivery_fee_cents < 0:
            raise InvalidCart("the delivery fee must not be negative")
        if self.delivery_fee_cents and self.order_type != DELIVERY:
            raise InvalidCart("only a delivery has a delivery fee")
        ordered = tuple(sorted(self.lines, key=lambda line: line.position))
        if len({line.position for line in ordered}) < len(ordered):
            raise InvalidCart("two lines have the same position")
        object.__setattr__(self, "lines", ordered)
        subtotal = Cents(sum(line.subtotal_cents for line in ordered))
        object.__setattr__(self, "subtotal_cents", subtotal)
        object.__setattr__(self, "quantity", sum(line.quantity for line in ordered))


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
