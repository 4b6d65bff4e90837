"""Stores by their code."""

from shop.kernel.errors import NotFound
from shop.models import Store


def find(code: str) -> Store:
    """Return a store that is in business.

    Raises:
        NotFound
    """
    store = Store.objects.filter(code=code, is_active=True).first()
    if store is None:
        raise NotFound
    return store


def first() -> Store:
    """Return the store that joined first: where people join who name none.

    Raises:
        NotFound: there is no store yet.
    """
    store = Store.objects.filter(is_active=True).order_by("id").first()
    if store is None:
        raise NotFound
    return store
