"""What a guest wants to buy, and its lines with their prices from the menu."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from campaigns import codes, pricing
from campaigns.cart_lines import line_of
from shop import catalog
from shop.catalog import Choice, MenuProduct, PricedChoice
from shop.kernel.errors import InvalidInput
from shop.kernel.money import Points
from shop.models import Store

NO_POINTS = Points(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class BasketLine:
    """A product as chosen."""

    product: str
    quantity: int
    choice: Choice


@dataclass(frozen=True, kw_only=True, slots=True)
class Basket:
    """What a guest wants to buy, and with what they want to pay less."""

    store: Store
    till_id: int | None
    member: UUID | None
    order_type: str
    lines: Sequence[BasketLine]
    coupon_codes: Sequence[str] = ()
    points: Points = NO_POINTS
    reward_code: str = ""
    vouchers: Sequence[UUID] = ()
    """Group-buy vouchers that a till looked at or verified."""
    payment_method: str | None = None
    """How it will be paid, where that is known already."""

    @property
    def guesser(self) -> str:
        """Return who is answerable for the codes that are tried."""
        return codes.guesser(till_id=self.till_id, member=self.member)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteLine:
    """A basket line with its price at this store."""

    product: MenuProduct
    priced: PricedChoice
    quantity: int


def priced_lines(
    basket: Basket, *, now: datetime, menu_version: int | None = None, is_sold: bool = False
) -> list[QuoteLine]:
    """Return the lines of a basket with their prices from the menu; copies of a version may serve.

    What `is_sold` already was to be had.

    Raises:
        InvalidInput, catalog.ProductNotAvailable
    """
    codes = {line.product for line in basket.lines}
    products = catalog.load_products(store_id=basket.store.pk, codes=codes, version=menu_version)
    day = basket.store.business_date(now)
    lines = []
    for index, line in enumerate(basket.lines):
        product = products.get(line.product)
        if product is None:
            raise InvalidInput(
                f"/lines/{index}/product",
                _("There is no product %s.") % line.product,
                reason="unknown-product",
            )
        if not is_sold:
            catalog.ensure_available(product, order_type=basket.order_type, day=day)
        priced = catalog.price_choice(product, line.choice, pointer=f"/lines/{index}")
        lines.append(QuoteLine(product=product, priced=priced, quantity=line.quantity))
    return lines


def cart_of(basket: Basket, lines: Sequence[QuoteLine], *, now: datetime) -> pricing.Cart:
    """Return the basket as the evaluator knows it, at the local time of its store."""
    return pricing.Cart(
        lines=tuple(
            line_of(line.product, line.priced, position=position, quantity=line.quantity)
            for position, line in enumerate(lines, start=1)
        ),
        store=basket.store.code,
        city=basket.store.city,
        order_type=basket.order_type,
        local_time=now.astimezone(ZoneInfo(basket.store.timezone)),
        payment_method=basket.payment_method,
    )


def gift_lines(
    basket: Basket, priced: pricing.Pricing, *, menu_version: int | None
) -> list[QuoteLine]:
    """Return the gifts that can be had here, each as it comes when nobody chooses."""
    if not priced.gifts:
        return []
    found = catalog.load_products(
        store_id=basket.store.pk,
        codes={gift.product for gift in priced.gifts},
        version=menu_version,
    )
    return [
        QuoteLine(
            product=product,
            priced=catalog.price_choice(product, catalog.default_choice(product)),
            quantity=gift.quantity,
        )
        for gift in priced.gifts
        if (product := found.get(gift.product)) is not None and product.is_on_sale
    ]
