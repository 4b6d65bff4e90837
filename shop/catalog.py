"""The menu as tills and guests see it, and the price of one choice from it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.money import Cents
from shop.kernel.versions import Copies

SIZE = "size"
"""The option group whose larger choices are upsizes."""


class ProductNotAvailable(DomainError):
    """The product is sold out, out of season, or not sold in this way here."""

    code = "product-not-available"
    title = _("A product of the order cannot be had here now.")


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuOption:
    """An option as one product allows it."""

    group: str
    code: str
    name_zh: str
    name_en: str
    price_delta_cents: Cents
    cost_delta_cents: Cents
    is_sku_axis: bool
    is_topping: bool
    is_default: bool
    group_min: int
    group_max: int
    max_per_option: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuProduct:
    """A product at one store: its price there, what it costs to make, how it may be ordered."""

    id: int
    code: str
    category: str
    name_zh: str
    name_en: str
    price_cents: Cents
    cost_cents: Cents
    earns_points: bool
    is_discountable: bool
    is_on_sale: bool
    sellable: tuple[str, ...]
    available_months: tuple[int | None, int | None]
    options: tuple[MenuOption, ...]

    def is_in_season(self, day: date) -> bool:
        """Tell whether it is sold in that month."""
        first, last = self.available_months
        return is_in_season(first, last, month=day.month)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One way to have a product: an option per group, and toppings with quantities."""

    options: Mapping[str, str]
    toppings: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class PricedChoice:
    """What one piece of a choice costs guest and shop; `snapshot` goes on the order line.

    `toppings` names each topping as often as it is in one piece, with its price; `upsize_cents` is
    what the size costs above the product's standard one; `options` are the codes chosen.
    """

    sku: str
    unit_price_cents: Cents
    unit_cost_cents: Cents
    toppings_cents: Cents
    toppings: tuple[tuple[str, Cents], ...]
    upsize_cents: Cents
    options: frozenset[str]
    snapshot: dict[str, Any]


def is_in_season(first: int | None, last: int | None, *, month: int) -> bool:
    """Tell whether a month is in a season of months, both inclusive; it may run over the new year.

    >>> is_in_season(11, 2, month=1), is_in_season(11, 2, month=3)
    (True, False)
    """
    if first is None or last is None:
        return True
    if first <= last:
        return first <= month <= last
    return month >= first or month <= last


def load_products(
    *, store_id: int, codes: Collection[str], version: int | None = None
) -> dict[str, MenuProduct]:
    """Return these products at that store by code, in one statement; unknown codes are left out.

    With the version of the menu, copies of that version serve, and often no statement is needed.
    """
    kept = _kept.of(version)
    found = {code: kept[store_id, code] for code in codes if (store_id, code) in kept}
    missing = [code for code in codes if code not in found]
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(_PRODUCTS_SQL, {"store": store_id, "codes": missing})
            for row in cursor.fetchall():
                product = _menu_product(row)
                found[product.code] = kept[store_id, product.code] = product
    return found


_kept: Copies[tuple[int, str], MenuProduct] = Copies(at_most=2000)


def price_choice(product: MenuProduct, choice: Choice, *, pointer: str = "") -> PricedChoice:
    """Return the unit price of a choice: price at this store + option deltas + toppings.

    Toppings that the product includes are free and may not be chosen again in its options; they do
    not count against the maximum. `pointer` is where the choice stands in the request, for errors.

    Raises:
        InvalidInput: an option the product does not come in, a missing or excessive choice.
    """
    chosen = _chosen_options(product, choice, pointer)
    toppings = _chosen_toppings(product, choice, pointer)
    toppings_cents = sum(option.price_delta_cents * count for option, count in toppings)
    price = product.price_cents + sum(option.price_delta_cents for option in chosen)
    cost = product.cost_cents + sum(option.cost_delta_cents for option in chosen)
    cost += sum(option.cost_delta_cents * count for option, count in toppings)
    axes = [option.code for option in chosen if option.is_sku_axis]
    return PricedChoice(
        sku="-".join([product.code, *axes]),
        unit_price_cents=Cents(price + toppings_cents),
        unit_cost_cents=Cents(cost),
        toppings_cents=Cents(toppings_cents),
        toppings=tuple(
            (option.code, option.price_delta_cents)
            for option, count in toppings
            for _each in range(count)
        ),
        upsize_cents=_upsize_cents(product, chosen),
        options=frozenset(option.code for option in chosen),
        snapshot={
            "options": {option.group: _named(option) for option in chosen},
            "toppings": [_named(option) | {"quantity": count} for option, count in toppings],
        },
    )


def ensure_available(product: MenuProduct, *, order_type: str, day: date) -> None:
    """Check that the product can be had in this way on that day.

    Raises:
        ProductNotAvailable
    """
    if not product.is_on_sale:
        raise ProductNotAvailable(product=product.code, reason="sold-out")
    if order_type not in product.sellable:
        raise ProductNotAvailable(product=product.code, reason="not-sold-this-way")
    if not product.is_in_season(day):
        raise ProductNotAvailable(product=product.code, reason="out-of-season")


def _chosen_options(product: MenuProduct, choice: Choice, pointer: str) -> list[MenuOption]:
    allowed = {(o.group, o.code): o for o in product.options if not o.is_topping}
    groups = {o.group: o.group_min for o in product.options if not o.is_topping}
    for group, code in choice.options.items():
        if (group, code) not in allowed:
            raise InvalidInput(
                f"{pointer}/options/{group}",
                _("%(product)s does not come with %(option)s.")
                % {"product": product.code, "option": f"{group}={code}"},
                reason="option-not-allowed",
            )
    for group, at_least in groups.items():
        if at_least and group not in choice.options:
            raise InvalidInput(
                f"{pointer}/options/{group}",
                _("Choose one of %(group)s.") % {"group": group},
                reason="option-missing",
            )
    return [allowed[group, code] for group, code in choice.options.items()]


def _chosen_toppings(
    product: MenuProduct, choice: Choice, pointer: str
) -> list[tuple[MenuOption, int]]:
    allowed = {option.code: option for option in product.options if option.is_topping}
    toppings = []
    for code, count in choice.toppings.items():
        option = allowed.get(code)
        if option is None:
            raise InvalidInput(
                f"{pointer}/toppings/{code}",
                _("%(product)s does not come with %(option)s.")
                % {"product": product.code, "option": code},
                reason="option-not-allowed",
            )
        if count > option.max_per_option:
            raise InvalidInput(
                f"{pointer}/toppings/{code}",
                _("At most %(count)s of one topping.") % {"count": option.max_per_option},
                reason="too-many-toppings",
            )
        toppings.append((option, count))
    total = sum(count for _option, count in toppings)
    if toppings and total > toppings[0][0].group_max:
        raise InvalidInput(
            f"{pointer}/toppings",
            _("At most %(count)s toppings.") % {"count": toppings[0][0].group_max},
            reason="too-many-toppings",
        )
    return toppings


def _upsize_cents(product: MenuProduct, chosen: list[MenuOption]) -> Cents:
    """Return what the chosen size costs above the standard one; a smaller one saves nothing."""
    standard = {o.group: o.price_delta_cents for o in product.options if o.is_default}
    return Cents(
        sum(
            max(option.price_delta_cents - standard.get(option.group, option.price_delta_cents), 0)
            for option in chosen
            if option.group == SIZE
        )
    )


def default_choice(product: MenuProduct) -> Choice:
    """Return the product as it comes when nobody chooses."""
    options = {o.group: o.code for o in product.options if o.is_default and not o.is_topping}
    return Choice(options=options, toppings={})


def _named(option: MenuOption) -> dict[str, Any]:
    return {"code": option.code, "name_zh": option.name_zh, "name_en": option.name_en}


def _menu_product(row: tuple[Any, ...]) -> MenuProduct:
    return MenuProduct(
        id=row[0],
        code=row[1],
        category=row[2],
        name_zh=row[3],
        name_en=row[4],
        price_cents=row[5],
        cost_cents=row[6],
        earns_points=row[7],
        is_discountable=row[8],
        is_on_sale=row[9],
        sellable=tuple(row[10]),
        available_months=(row[11], row[12]),
        options=tuple(MenuOption(**option) for option in row[13]),
    )


_PRODUCTS_SQL = """
SELECT product.id, product.code, category.code, product.name_zh, product.name_en,
       COALESCE(here.price_cents, product.base_price_cents), product.cost_cents,
       product.earns_points, product.is_discountable,
       product.is_active AND NOT COALESCE(here.is_sold_out, false)
                         AND COALESCE(here.is_listed, true),
       product.sellable, product.available_from_month, product.available_to_month,
       COALESCE(options.items, '[]')
FROM shop_product product
JOIN shop_category category ON category.id = product.category_id
LEFT JOIN shop_storeproduct here
       ON here.product_id = product.id AND here.store_id = %(store)s
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object(
               'group', grp.code, 'code', opt.code,
               'name_zh', opt.name_zh, 'name_en', opt.name_en,
               'price_delta_cents', opt.price_delta_cents,
               'cost_delta_cents', opt.cost_delta_cents,
               'is_sku_axis', grp.is_sku_axis, 'is_topping', grp.max_choices > 1,
               'is_default', allowed.is_default,
               'group_min', grp.min_choices, 'group_max', grp.max_choices,
               'max_per_option', grp.max_per_option
           ) ORDER BY grp.position, opt.position) AS items
    FROM shop_productoption allowed
    JOIN shop_option opt ON opt.id = allowed.option_id
    JOIN shop_optiongroup grp ON grp.id = opt.group_id
    WHERE allowed.product_id = product.id
) options ON true
WHERE product.code = ANY(%(codes)s)
"""
