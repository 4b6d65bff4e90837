"""Sales that a till made while it could not reach us, taken in afterwards, each once.

The guest has paid and gone, so what the till charged is what was sold, and nothing of it is lost:
where we would have said something else, the sale is taken in all the same and an alarm asks a
person to look at it. Coupons, points and rewards cannot be used offline, because nobody could tell
whether they still were there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shop import alerts, members, orders
from shop.kernel import outbox
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents, Points
from shop.members import MemberNotActive
from shop.models import Order, Store
from shop.order_drafts import LineDraft, OrderDraft
from shop.orders import OrderNumberTaken, Tender
from shop.storefront import baskets, checkout, facts, kitchen, quotes, receipt_claims
from shop.storefront.baskets import Basket, BasketLine
from shop.storefront.facts import MemberFacts

MOST_DAYS = 31
"""Older sales are for a person to enter: their month has been closed."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clock of a till may be ahead."""
ALARM = "offline-sale"


class SaleTimeImpossible(DomainError):
    """The sale lies in the future, or too long ago; `reason` says which."""

    code = "sale-time-impossible"
    title = _("A sale is taken in from five minutes ahead until 31 days ago.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SoldLine:
    """A product as it was sold; without a price, at that of the menu."""

    line: BasketLine
    unit_price_cents: Cents | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sold:
    """A sale as the till remembers it. `tenders` are what was taken; None says all was cash."""

    pos_order_no: str
    sold_at: datetime
    order_type: str
    lines: Sequence[SoldLine]
    tenders: Sequence[Tender] | None
    member: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of a sale; `reviews` name what a person has to look at."""

    order: Order
    is_new: bool
    points_earned: Points
    reviews: Sequence[str] = ()


def take_in(sold: Sold, *, store: Store, till_id: int, actor: str, now: datetime) -> Taken:
    """Write a sale as it was made: at its own moment, price and business day, handed over.

    A member gets what a claimed receipt would have given them; a sale for somebody who cannot be
    found or served stays a guest's. A number that the store knows is the same sale if it cost the
    same, whether it came this way before or the answer to its settling was lost.

    Raises:
        SaleTimeImpossible
        InvalidInput: an unknown product, or a choice that it does not come in.
        orders.PaymentMismatch, payment_refs.PaymentRefTaken
        orders.OrderNumberTaken: by a sale of another amount.
    """
    _ensure_possible(sold.sold_at, now=now)
    basket = Basket(
        store=store,
        till_id=till_id,
        member=None,
        order_type=sold.order_type,
        lines=[each.line for each in sold.lines],
    )
    lines = baskets.priced_lines(basket, now=sold.sold_at, is_sold=True)
    quote = quotes.price(basket, lines, member=None, offers=(), unusable=(), now=sold.sold_at)
    drafts = [_as_charged(*each) for each in zip(quote.line_drafts(), sold.lines, strict=True)]
    draft = replace(checkout.draft_of(quote, sold.pos_order_no), lines=drafts)
    charged = Cents(sum(line.net_cents for line in drafts))
    try:
        return _write(sold, draft, charged, on_menu=quote.total_cents, actor=actor, now=now)
    except OrderNumberTaken:
        return _known(draft, charged)


@transaction.atomic
def _write(
    sold: Sold, draft: OrderDraft, charged: Cents, *, on_menu: Cents, actor: str, now: datetime
) -> Taken:
    tenders = orders.in_cash(charged) if sold.tenders is None else sold.tenders
    order = orders.create_paid(draft, tenders=tenders, actor=actor, now=sold.sold_at)
    reviews: dict[str, dict[str, Any]] = {}
    if charged != on_menu:
        reviews["price"] = {"charged_cents": charged, "menu_cents": on_menu}
    earned = Points(0)
    if sold.member is not None:
        payer = _find(sold.member, now=now)
        if payer is None:
            reviews["member"] = {"member": str(sold.member)}
        else:
            earned = receipt_claims.credit(order, payer, actor=actor, now=now).points_earned
    kitchen.advance_order(order.number, to=Order.Status.COMPLETED, actor=actor, now=sold.sold_at)
    outbox.add("order.paid", key=order.source, payload={"order": order.number}, now=now)
    if reviews:
        alerts.record(
            ALARM, subject=order.source, details=reviews, now=now, store_id=order.store_id
        )
    orders.assign_pickup_number(order)
    return Taken(order=order, is_new=True, points_earned=earned, reviews=list(reviews))


def _ensure_possible(sold_at: datetime, *, now: datetime) -> None:
    if sold_at > now + CLOCK_SKEW:
        raise SaleTimeImpossible(reason="in-the-future")
    if sold_at < now - timedelta(days=MOST_DAYS):
        raise SaleTimeImpossible(reason="too-long-ago")


def _find(member: UUID, *, now: datetime) -> MemberFacts | None:
    """Return who gets the points: for a membership that was merged, the one it went into."""
    try:
        return facts.find(members.successor_of(member), now=now)
    except (NotFound, MemberNotActive):
        return None


def _as_charged(draft: LineDraft, sold: SoldLine) -> LineDraft:
    if sold.unit_price_cents is None:
        return draft
    return replace(draft, unit_price_cents=sold.unit_price_cents)


def _known(draft: OrderDraft, charged: Cents) -> Taken:
    order = Order.objects.get(store=draft.store, pos_order_no=draft.pos_order_no)
    if order.payable_cents != charged:
        raise OrderNumberTaken(pos_order_no=order.pos_order_no, order_number=order.number)
    return Taken(order=order, is_new=False, points_earned=Points(0))
