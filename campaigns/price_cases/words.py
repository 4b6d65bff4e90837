"""The words that all parts of a case share: scopes, shares, and what we cannot say."""

from collections.abc import Iterable, Mapping
from typing import Any

from campaigns.pricing import Scope

Case = Mapping[str, Any]
"""A case, or a part of one."""
NO_PRODUCT = ""
"""A product code that no line has: a list of nothing holds nothing."""


class NotExpressible(Exception):
    """Our offers have no words for this case."""


SCOPE_KEYS = {
    "all",
    "skus",
    "categories",
    "exclude_skus",
    "exclude_categories",
    "price_min_minor",
    "price_max_minor",
    "exclude_discounted",
}


def scope_of(scope: Case) -> Scope:
    """Return a scope in our terms.

    Raises:
        NotExpressible
    """
    refuse_others(scope, SCOPE_KEYS, "scope")
    products = frozenset(scope.get("skus", ()))
    categories = frozenset(scope.get("categories", ()))
    lists_nothing = not products and not categories and ("skus" in scope or "categories" in scope)
    return Scope(
        products=frozenset({NO_PRODUCT}) if lists_nothing else products,
        categories=categories,
        exclude_products=frozenset(scope.get("exclude_skus", ())),
        exclude_categories=frozenset(scope.get("exclude_categories", ())),
        min_price_cents=scope.get("price_min_minor"),
        max_price_cents=scope.get("price_max_minor"),
        exclude_reduced=bool(scope.get("exclude_discounted")),
    )


def basis_points(percent: float) -> int:
    """Return a percentage in basis points, to the nearest; more than all of it is all of it."""
    return min(10_000, round(percent * 100))


def refuse_others(found: Iterable[str], known: set[str], what: str) -> None:
    """Raise NotExpressible at the first word that is not known."""
    for word in sorted(set(found) - known):
        raise NotExpressible(f"{what} {word}")
