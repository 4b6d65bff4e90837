"""Visits: paid orders as facts about coming back. The only module that writes them."""

from datetime import datetime

from loyalty.models import Visit
from shop.kernel import rows
from shop.models import Order


def record(order: Order, *, now: datetime) -> None:
    """Record the paid order of a member as a visit; once per order."""
    assert order.member_id is not None  # noqa: S101 - flows record visits of members only
    visit = Visit(
        order=order,
        member_id=order.member_id,
        store_id=order.store_id,
        business_date=order.business_date,
        visited_at=now,
    )
    rows.insert(visit)


def reverse(order: Order, *, now: datetime) -> None:
    """Stop counting the visit of an order that was refunded whole."""
    Visit.objects.filter(order=order, reversed_at=None).update(reversed_at=now)
