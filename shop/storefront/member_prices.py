"""What members pay less by their tier or paid plan, as offers to the evaluator. Reads nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import gettext as _

from campaigns import pricing
from shop.kernel.money import Cents

PREFIX = "member-price:"
"""What the evaluator's keys of member prices begin with; no coupon's code has a colon."""
FIRST = -1000
"""A member price is a price: what is taken off by anything else is taken off it."""
CENTS_PER_YUAN = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberPrice:
    """So much less for each piece of the products and categories; of none named, of all."""

    code: str
    amount_cents: Cents
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def is_for(self, product: str, category: str) -> bool:
        """Tell whether a product of this category costs less by it."""
        is_for_all = not self.products and not self.categories
        return is_for_all or product in self.products or category in self.categories


def parse(found: str | None) -> list[MemberPrice]:
    """Return the prices that `MemberFacts.prices_json` tells of."""
    rows: list[dict[str, Any]] = orjson.loads(found) if found else []
    return [
        MemberPrice(
            code=row["code"],
            amount_cents=Cents(row["amount_cents"]),
            products=frozenset(row["products"]),
            categories=frozenset(row["categories"]),
        )
        for row in rows
    ]


def offers(
    prices: Collection[MemberPrice], *, goods: Collection[tuple[str, str]]
) -> list[pricing.Offer]:
    """Return the offers by which goods, as (product, category), cost a member less.

    Member prices do not add up: each product has the best of those that are for it. They go with
    every other offer, as a price does.
    """
    chosen: dict[MemberPrice, set[str]] = {}
    for product, category in goods:
        own = [price for price in prices if price.is_for(product, category)]
        if own:
            best = max(own, key=lambda price: (price.amount_cents, price.code))
            chosen.setdefault(best, set()).add(product)
    return [
        pricing.Offer(
            key=f"{PREFIX}{price.code}",
            name=_("Member price, %(amount)s less each") % {"amount": _yuan(price.amount_cents)},
            rule=pricing.Rule(
                effect=pricing.FixedOffEach(amount_cents=price.amount_cents),
                scope=pricing.Scope(products=frozenset(products)),
                stacking=pricing.Stacking.ALWAYS,
                priority=FIRST,
            ),
        )
        for price, products in chosen.items()
    ]


def _yuan(cents: Cents) -> str:
    whole, fen = divmod(cents, CENTS_PER_YUAN)
    return f"¥{whole}.{fen:02d}" if fen else f"¥{whole}"
