"""What guests of the demo order, and when: pure chance, but the same chance every time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from shop import catalog
from shop.catalog import Choice, MenuProduct, PricedChoice, ProductNotAvailable
from shop.models import OrderType, Product, Store
from shop.storefront.baskets import BasketLine

CUPS = {"milk_tea", "fresh_milk_tea", "fruit_tea"}
"""What the newcomers' coupon is for."""
POPULARITY = {"MT02": 9, "FT01": 8, "MT01": 7, "CT01": 6, "FT04": 6, "FM01": 5, "SN01": 3}
RUSH = {12: 5, 13: 4, 15: 4, 16: 4, 17: 3, 19: 5, 20: 4}
"""How much busier some hours are than others."""
SAME_AGAIN = 0.3
"""How often two cups are the same."""
ORDER_TYPES = [OrderType.PICKUP] * 6 + [OrderType.DINE_IN] * 3 + [OrderType.DELIVERY]


class Appetite:
    """The taste of a store's guests."""

    def __init__(self, store: Store, rng: Random) -> None:
        codes = list(Product.objects.order_by("id").values_list("code", flat=True))
        loaded = catalog.load_products(store_id=store.pk, codes=codes)
        self.store = store
        self.rng = rng
        self.products = [loaded[code] for code in codes if loaded[code].earns_points]
        self._known: dict[str, MenuProduct] = loaded
        self._menus: dict[Any, tuple[list[MenuProduct], list[int]]] = {}
        self._hours = {row.weekday: (row.opens_at, row.closes_at) for row in store.hours.all()}

    def order_type(self) -> OrderType:
        """Return how the guest wants the drink."""
        return self.rng.choice(ORDER_TYPES)

    def lines(
        self, *, order_type: str, day: date, pieces: int, categories: set[str] | None = None
    ) -> list[BasketLine]:
        """Return lines of this many pieces that can be had on that day."""
        menu, weights = self._menu(order_type, day, frozenset(categories or ()))
        if pieces == 2 and self.rng.random() < SAME_AGAIN:
            return [replace(self._line(self.rng.choices(menu, weights)[0]), quantity=2)]
        return [self._line(product) for product in self.rng.choices(menu, weights, k=pieces)]

    def price(self, line: BasketLine) -> tuple[MenuProduct, PricedChoice]:
        """Return the product of a line and what one piece costs at this store."""
        product = self._known[line.product]
        return product, catalog.price_choice(product, line.choice)

    def total_cents(self, lines: Sequence[BasketLine]) -> int:
        """Return what the lines cost without any offer."""
        return sum(self.price(line)[1].unit_price_cents * line.quantity for line in lines)

    def moment(self, day: date) -> datetime:
        """Return a moment of a business day at which the store is open; busy hours more often."""
        opens, closes = self._hours[day.isoweekday()]
        first, last = opens.hour, closes.hour + (24 if closes <= opens else 0)
        hours = list(range(first + (opens.minute > 0), last))
        (hour,) = self.rng.choices(hours, [RUSH.get(hour, 2) for hour in hours])
        midnight = datetime.combine(day, time(0), tzinfo=ZoneInfo(self.store.timezone))
        seconds = self.rng.randrange(3600)
        return (midnight + timedelta(hours=hour, seconds=seconds)).astimezone(ZoneInfo("UTC"))

    def _menu(
        self, order_type: str, day: date, categories: frozenset[str]
    ) -> tuple[list[MenuProduct], list[int]]:
        """Return what can be had, with its popularity; the same for all days of a month."""
        key = (order_type, day.month, categories)
        if key not in self._menus:
            menu = [
                product
                for product in self.products
                if (not categories or product.category in categories)
                and self._is_available(product, order_type, day)
            ]
            self._menus[key] = menu, [POPULARITY.get(product.code, 2) for product in menu]
        return self._menus[key]

    def _line(self, product: MenuProduct) -> BasketLine:
        options: dict[str, str] = {}
        toppings: dict[str, int] = {}
        for group in dict.fromkeys(option.group for option in product.options):
            offered = [option for option in product.options if option.group == group]
            if offered[0].is_topping:
                if self.rng.random() < 0.25:
                    toppings[self.rng.choice(offered).code] = 1
                continue
            usual = [option for option in offered if option.is_default] or offered[:1]
            options[group] = self.rng.choice(usual * 3 + offered).code
        return BasketLine(
            product=product.code, quantity=1, choice=Choice(options=options, toppings=toppings)
        )

    def _is_available(self, product: MenuProduct, order_type: str, day: date) -> bool:
        try:
            catalog.ensure_available(product, order_type=order_type, day=day)
        except ProductNotAvailable:
            return False
        return True
