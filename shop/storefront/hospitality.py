"""Drinks on the house: an order at the till like any other, but no sale, and nobody's.

What it cost is a cost of whoever was invited. It belongs to no member, so it gives no points,
counts for no tier and no repeat purchase, credits no channel and uses up no coupon.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from campaigns import kol_visits
from shop import orders
from shop.kernel import outbox
from shop.kernel.money import Cents
from shop.models import Order, OrderDiscount, Payment
from shop.order_drafts import LineDraft
from shop.orders import Tender
from shop.storefront import baskets, checkout, quotes
from shop.storefront.baskets import Basket

NOTHING_TO_PAY = [Tender(method=Payment.Method.NONE, amount_cents=Cents(0))]


@transaction.atomic
def serve_visit(
    visit_id: UUID, basket: Basket, *, pos_order_no: str, actor: str, now: datetime
) -> Order:
    """Settle what an opinion leader has on the house, once per visit, on its day.

    Raises:
        NotFound: also for a visit to another store.
        kol_visits.VisitNotDue, kol_visits.VisitLimitExceeded
        and whatever serve raises.
    """
    store = basket.store
    visit = kol_visits.lock_due(visit_id, store=store, today=store.business_date(now))
    order = serve(
        basket, reason=f"visit:{visit.pk}", pos_order_no=pos_order_no, actor=actor, now=now
    )
    kol_visits.attach(visit, order)
    return order


@transaction.atomic
def serve(
    basket: Basket, *, reason: str, pos_order_no: str | None, actor: str, now: datetime
) -> Order:
    """Settle a basket of nobody's at nothing; `reason` (≤ 40 characters) is kept on its lines.

    Raises:
        InvalidInput, catalog.ProductNotAvailable: as of a quote.
        orders.OrderNumberTaken
    """
    lines = baskets.priced_lines(basket, now=now)
    quote = quotes.price(basket, lines, member=None, offers=(), unusable=(), now=now)
    draft = replace(
        checkout.draft_of(quote, pos_order_no),
        lines=_given_away(quote.line_drafts(), reason),
        is_complimentary=True,
    )
    order = orders.create_paid(draft, tenders=NOTHING_TO_PAY, actor=actor, now=now)
    outbox.add("order.paid", key=order.source, payload={"order": order.number}, now=now)
    orders.assign_pickup_number(order)
    return order


def _given_away(lines: Sequence[LineDraft], reason: str) -> list[LineDraft]:
    """Return the lines with all of their price off."""
    return [
        replace(
            line,
            discount_cents=line.subtotal_cents,
            earns_points=False,
            allocations=[(OrderDiscount.Kind.HOUSE.value, reason, line.subtotal_cents)]
            if line.subtotal_cents
            else [],
        )
        for line in lines
    ]
