"""What the kitchen does with an order, and what follows for the member."""

from datetime import datetime, timedelta

from django.db import transaction

from loyalty import promises, tiers
from shop import orders
from shop.models import Order


@transaction.atomic
def advance_order(number: str, *, to: str, actor: str, now: datetime) -> Order:
    """Record a step of the kitchen; a completed order names the day of points that wait for it.

    Raises:
        NotFound, orders.StepNotAllowed
    """
    order = orders.advance(number, to=to, actor=actor, now=now)
    if to == Order.Status.COMPLETED and order.member_id is not None:
        days = timedelta(days=tiers.programme().points_wait_days)
        promises.complete(order.source, available_at=now + days)
    return order
