"""The words that all parts of a case share: scopes, shares, and what we cannot say."""

from campaigns.pricing import Scope
from shop.kernel.cases import Case

NO_PRODUCT = ""
"""A product code that no line has: a list of nothing holds nothing."""


class NotExpressible(Exception):
    """Our offers have no words for this case."""


def scope_of(scope: Case) -> Scope:
    """Return a scope in our terms; `all` holds whatever else is listed."""
    is_all = scope.get("all", False)
    products = frozenset(() if is_all else scope.get("skus", ()))
    categories = frozenset(() if is_all else scope.get("categories", ()))
    lists = {"all", "skus", "categories"}.intersection(scope)
    lists_nothing = bool(lists) and not (is_all or products or categories)
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
