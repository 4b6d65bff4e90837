"""Orders and their money: the guarded state machine.

The only module that writes them, beside `shop.refunds`, which gives their money back.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import orjson
from django.db import connection, transaction
from django.db.models import Model, Sum
from django.utils.translation import gettext_lazy as _

from shop import order_drafts, payment_refs
from shop.kernel import identifiers, rows
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents, Points
from shop.models import (
    Order,
    OrderDiscount,
    OrderEvent,
    OrderLine,
    Payment,
)
from shop.order_drafts import OrderDraft

Status = Order.Status
STEPS: dict[str, tuple[set[str], str]] = {
    Status.MAKING: ({Status.PAID}, "making_at"),
    Status.READY: ({Status.PAID, Status.MAKING}, "ready_at"),
    Status.COMPLETED: ({Status.PAID, Status.MAKING, Status.READY}, "completed_at"),
}
"""For each step of the kitchen: from where it may come, and the column that keeps its time."""


class OrderNotClaimable(DomainError):
    """The order is a member's already, or all of it was given back; `reason` says which."""

    code = "order-not-claimable"
    title = _("This receipt cannot be claimed any more.")


class OrderNotPayable(DomainError):
    """Only an order that waits for payment can be paid."""

    code = "order-not-payable"
    title = _("The order is already paid, cancelled or refunded.")


class OrderNotCancellable(DomainError):
    """A paid order is refunded, not cancelled."""

    code = "order-not-cancellable"
    title = _("Only an order that waits for payment can be cancelled.")


class PaymentMismatch(DomainError):
    """The tenders do not add up to what the order costs."""

    code = "payment-mismatch"
    title = _("The payments do not add up to the amount payable.")


class StepNotAllowed(DomainError):
    """The order is not in a state from which this step follows."""

    code = "step-not-allowed"
    title = _("The order cannot take this step now.")


class OrderNumberTaken(DomainError):
    """This till number was used for another order of the store."""

    code = "pos-order-no-taken"
    title = _("The store already has an order with this till number.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tender:
    """Money that the till or a provider took; `code` is the gift card's that it comes from."""

    method: str
    amount_cents: Cents
    provider_ref: str | None = None
    code: str = field(default="", repr=False)


@transaction.atomic(savepoint=False)
def create(draft: OrderDraft, *, now: datetime) -> Order:
    """Write an order with its lines and frozen discounts, waiting for payment.

    Raises:
        OrderNumberTaken: the store has an order with this till number.
    """
    order = order_drafts.order_row(draft, number=identifiers.new_code(9), now=now)
    _write(order, draft)
    return order


@transaction.atomic(savepoint=False)
def create_paid(
    draft: OrderDraft, *, tenders: Sequence[Tender], actor: str, now: datetime
) -> Order:
    """Write an order that was paid before it was placed, as `create` and `mark_paid` would.

    Raises:
        PaymentMismatch: the tenders do not add up to the amount payable.
        OrderNumberTaken: the store has an order with this till number.
        PaymentRefTaken: a tender was taken for another order.
    """
    order = order_drafts.order_row(draft, number=identifiers.new_code(9), now=now)
    _ensure_enough(order, tenders)
    _set_paid(order, now=now)
    payments = _payment_rows(order, tenders, now=now)
    event = OrderEvent(status=Status.PAID, actor=actor, occurred_at=now)
    with _refs_taken_once(payments):
        _write(order, draft, payments=payments, events=[event])
    return order


def _write(
    order: Order,
    draft: OrderDraft,
    *,
    payments: Sequence[Payment] = (),
    events: Sequence[OrderEvent] = (),
) -> None:
    """Insert an order with all that belongs to it, in one statement.

    Of two with the same till number the second waits, and is refused.
    """
    discounts = [
        {"position": position, "kind": kind, "code": code, "amount_cents": amount}
        for position, line in enumerate(draft.lines, start=1)
        for kind, code, amount in line.allocations
    ]
    is_new = rows.insert_whole(
        order,
        unless_exists="store_id, pos_order_no",
        parts=_parts(),
        values={
            "lines": rows.as_json(order_drafts.line_rows(order, draft)),
            "discounts": orjson.dumps(discounts).decode(),
            "payments": rows.as_json(payments),
            "events": rows.as_json(events),
        },
    )
    if not is_new:
        taken = Order.objects.get(store=order.store, pos_order_no=order.pos_order_no)
        raise OrderNumberTaken(pos_order_no=order.pos_order_no, order_number=taken.number)


@cache
def _parts() -> str:
    """Return the expressions that insert what belongs to an order."""
    kinds: dict[str, type[Model]] = {"lines": OrderLine, "payments": Payment, "events": OrderEvent}
    return ", ".join([*(_part(name, model) for name, model in kinds.items()), _DISCOUNTS_SQL])


def _part(name: str, model: type[Model]) -> str:
    values = rows.columns_of(model, table="given").replace('given."order_id"', "whole.id")
    return f"""
{name} AS (
    INSERT INTO {model._meta.db_table} ({rows.columns_of(model)}) SELECT {values}
    FROM whole
    CROSS JOIN json_to_recordset(%({name})s::json) AS given ({rows.record_of(model)})
    RETURNING *
)"""  # noqa: S608 - names of our own models and columns


_DISCOUNTS_SQL = """
discounts AS (
    INSERT INTO shop_orderdiscount (line_id, kind, code, amount_cents)
    SELECT lines.id, given.kind, given.code, given.amount_cents
    FROM lines JOIN json_to_recordset(%(discounts)s::json)
         AS given (position int, kind text, code text, amount_cents bigint) USING (position)
)"""


def lock_all_of(member_ids: Collection[int]) -> list[Order]:
    """Lock every order of these members, in ascending id."""
    rows = Order.objects.select_for_update(no_key=True).filter(member_id__in=member_ids)
    return list(rows.order_by("pk"))


def hand_over(*, source_id: int, target_id: int) -> int:
    """Let the orders of one membership be those of another of the same person; return how many."""
    return Order.objects.filter(member_id=source_id).update(member_id=target_id)


def lock(number: str) -> Order:
    """Return the order with its row locked for the transaction.

    Raises:
        NotFound
    """
    order = (
        Order.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store", "member")
        .filter(number=number)
        .first()
    )
    if order is None:
        raise NotFound
    return order


@transaction.atomic(savepoint=False)
def mark_paid(order: Order, *, tenders: Sequence[Tender], actor: str, now: datetime) -> None:
    """Record the tenders and move a locked order from pending to paid.

    Raises:
        OrderNotPayable: not waiting for payment any more.
        PaymentMismatch: the tenders do not add up to the amount payable.
        PaymentRefTaken: a tender was taken for another order.
    """
    if order.status != Status.PENDING:
        raise OrderNotPayable(order_number=order.number, order_status=order.status)
    _ensure_enough(order, tenders)
    _keep_payments(_payment_rows(order, tenders, now=now))
    _set_paid(order, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_PAID_SQL, [now, order.business_date, order.pk, actor, now])
        if cursor.rowcount != 1:
            raise OrderNotPayable(order_number=order.number)


_PAID_SQL = """
WITH paid AS (
    UPDATE shop_order SET status = 'paid', paid_cents = payable_cents, paid_at = %s,
                          expires_at = NULL, business_date = %s
    WHERE id = %s AND status = 'pending' RETURNING id, status
)
INSERT INTO shop_orderevent (order_id, status, actor, occurred_at)
SELECT paid.id, paid.status, %s, %s FROM paid
"""


def in_cash(cents: Cents) -> list[Tender]:
    """Return the tender of somebody who pays all of it in cash."""
    method = Payment.Method.CASH if cents else Payment.Method.NONE
    return [Tender(method=method, amount_cents=cents)]


def _ensure_enough(order: Order, tenders: Sequence[Tender]) -> None:
    total = sum(tender.amount_cents for tender in tenders)
    if total != order.payable_cents:
        raise PaymentMismatch(payable_cents=order.payable_cents, tendered_cents=total)


def _set_paid(order: Order, *, now: datetime) -> None:
    order.status = Status.PAID
    order.paid_cents = order.payable_cents
    order.paid_at = now
    order.expires_at = None
    order.business_date = order.store.business_date(now)


def _payment_rows(order: Order, tenders: Sequence[Tender], *, now: datetime) -> list[Payment]:
    return [
        Payment(
            order=order,
            method=tender.method,
            amount_cents=tender.amount_cents,
            provider_ref=tender.provider_ref,
            received_at=now,
        )
        for tender in tenders
    ]


def record_orphan(order: Order, tender: Tender, *, now: datetime) -> Payment:
    """Keep a payment that came for an order which can no longer be paid.

    Raises:
        PaymentRefTaken
    """
    payment = Payment(
        order=order,
        method=tender.method,
        amount_cents=tender.amount_cents,
        provider_ref=tender.provider_ref,
        is_orphan=True,
        received_at=now,
    )
    _keep_payments([payment])
    return payment


def _keep_payments(payments: Sequence[Payment]) -> None:
    with _refs_taken_once(payments):
        rows.insert(*payments)


def _refs_taken_once(payments: Sequence[Payment]) -> AbstractContextManager[None]:
    refs = [payment.provider_ref for payment in payments]
    return payment_refs.each_once(refs, by="payment_once_per_provider_ref")


def assign_pickup_number(order: Order) -> None:
    """Give a paid order the next number of its store's business day.

    The counter is the hottest row of a shop: flows call this last, so that it is locked shortest.
    A rolled-back payment gives its number back, so there are no gaps.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PICKUP_SQL, [order.store_id, order.business_date, order.pk])
        (order.pickup_number,) = cursor.fetchone()


_PICKUP_SQL = """
WITH counter AS (
    INSERT INTO shop_pickupcounter (store_id, business_date, last_number) VALUES (%s, %s, 1)
    ON CONFLICT (store_id, business_date)
    DO UPDATE SET last_number = shop_pickupcounter.last_number + 1
    RETURNING last_number
)
UPDATE shop_order SET pickup_number = counter.last_number FROM counter
WHERE shop_order.id = %s RETURNING pickup_number
"""


def discounts_by_code(order: Order, *, kind: str) -> dict[str, Cents]:
    """Return what each coupon (or reward) took off a placed order, frozen at the sale."""
    parts = OrderDiscount.objects.filter(line__order=order, kind=kind).values("code")
    return {row["code"]: row["total"] for row in parts.annotate(total=Sum("amount_cents"))}


@transaction.atomic(savepoint=False)
def cancel(order: Order, *, actor: str, now: datetime) -> None:
    """Move a locked order from pending to cancelled.

    Raises:
        OrderNotCancellable
    """
    if order.status != Status.PENDING:
        raise OrderNotCancellable(order_number=order.number, order_status=order.status)
    order.status = Status.CANCELLED
    order.cancelled_at = now
    order.expires_at = None
    order.save(update_fields=["status", "cancelled_at", "expires_at"])
    OrderEvent.objects.create(order=order, status=Status.CANCELLED, actor=actor, occurred_at=now)


@transaction.atomic
def advance(number: str, *, to: str, actor: str, now: datetime) -> Order:
    """Record a step of the kitchen: making, ready, completed.

    Raises:
        NotFound, StepNotAllowed
    """
    order = lock(number)
    came_from, column = STEPS[to]
    if order.status not in came_from:
        raise StepNotAllowed(order_number=number, order_status=order.status, step=to)
    order.status = to
    setattr(order, column, now)
    order.save(update_fields=["status", column])
    OrderEvent.objects.create(order=order, status=to, actor=actor, occurred_at=now)
    return order


def give_to(order: Order, *, member_id: int) -> None:
    """Let a locked order of a guest be a member's, once.

    Raises:
        OrderNotClaimable: it is somebody's, or was on the house.
    """
    guests = Order.objects.filter(pk=order.pk, member=None, is_complimentary=False)
    given = guests.update(member_id=member_id)
    if given != 1:
        raise OrderNotClaimable(reason="claimed")
    order.member_id = member_id


def set_gains(order: Order, *, boost_points: Points, stamps: Points) -> None:
    """Say what a new order earns on top, where that is not what was quoted."""
    order.boost_points, order.stamps = boost_points, stamps
    order.save(update_fields=["boost_points", "stamps"])
