"""A choice from the menu as the evaluator knows it: the one bridge between the two."""

from campaigns.pricing import CartLine, Topping
from shop.catalog import MenuProduct, PricedChoice


def line_of(
    product: MenuProduct, priced: PricedChoice, *, position: int, quantity: int
) -> CartLine:
    """Return so many pieces of a priced choice as a line of a cart."""
    return CartLine(
        position=position,
        product=product.code,
        category=product.category,
        sku=priced.sku,
        unit_price_cents=priced.unit_price_cents,
        toppings_cents=priced.toppings_cents,
        toppings=tuple(Topping(code=code, price_cents=price) for code, price in priced.toppings),
        upsize_cents=priced.upsize_cents,
        options=priced.options,
        quantity=quantity,
        is_discountable=product.is_discountable,
    )
