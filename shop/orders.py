"""Orders and their money: the guarded state machine. The only module that writes them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import orjson
import psycopg
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Sum
from django.utils.translation import gettext_lazy as _

from shop.kernel import identifiers, rows
from shop.kernel.errors import DomainError, InvalidInput, NotFound
from shop.kernel.money import Cents, Points, share_of, split_cents
from shop.models import (
    Member,
    Order,
    OrderDiscount,
    OrderEvent,
    OrderLine,
    Payment,
    Refund,
    RefundLine,
    Store,
)

Status = Order.Status
UNPAID_ORDERS_LIVE = timedelta(minutes=15)
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


class OrderNotRefundable(DomainError):
    """Nothing was paid for this order, or it was refunded whole."""

    code = "order-not-refundable"
    title = _("There is nothing left to refund on this order.")


class RefundTooLarge(DomainError):
    """More than what is left of the order or of one of its lines."""

    code = "refund-too-large"
    title = _("The refund is larger than what is left.")


class PaymentMismatch(DomainError):
    """The tenders do not add up to what the order costs."""

    code = "payment-mismatch"
    title = _("The payments do not add up to the amount payable.")


class PaymentRefTaken(DomainError):
    """A provider's number names one payment, and this one was taken for another order before."""

    code = "payment-ref-taken"
    title = _("The provider's number of a payment was used for another order.")


class StepNotAllowed(DomainError):
    """The order is not in a state from which this step follows."""

    code = "step-not-allowed"
    title = _("The order cannot take this step now.")


class OrderNumberTaken(DomainError):
    """This till number was used for another order of the store."""

    code = "pos-order-no-taken"
    title = _("The store already has an order with this till number.")


@dataclass(frozen=True, kw_only=True, slots=True)
class LineDraft:
    """A priced line to be written; allocations are (kind, code, amount)."""

    product_id: int
    sku: str
    name_zh: str
    name_en: str
    options: dict[str, Any]
    quantity: int
    unit_price_cents: Cents
    unit_cost_cents: Cents
    discount_cents: Cents
    earns_points: bool
    allocations: Sequence[tuple[str, str, Cents]]
    is_gift: bool = False

    @property
    def subtotal_cents(self) -> Cents:
        """Return unit price × quantity."""
        return Cents(self.unit_price_cents * self.quantity)

    @property
    def net_cents(self) -> Cents:
        """Return what the guest pays for the line."""
        return Cents(self.subtotal_cents - self.discount_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderDraft:
    """A priced basket to be written."""

    store: Store
    till_id: int | None
    member: Member | None
    pos_order_no: str | None
    order_type: str
    lines: Sequence[LineDraft]
    points_spent: int
    coupon_codes: list[str]
    reward_code: str
    boost_points: Points
    coupon_gifts: dict[str, int]
    trace: dict[str, Any]
    is_complimentary: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Tender:
    """Money that the till or a provider took; `code` is the gift card's that it comes from."""

    method: str
    amount_cents: Cents
    provider_ref: str | None = None
    code: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundRequest:
    """What to give back: pieces per line position, or an amount, or (neither) all that is left."""

    quantities: dict[int, int] = field(default_factory=dict)
    amount_cents: Cents | None = None
    reason: str = ""


@transaction.atomic(savepoint=False)
def create(draft: OrderDraft, *, now: datetime) -> Order:
    """Write an order with its lines and frozen discounts, waiting for payment.

    Raises:
        OrderNumberTaken: the store has an order with this till number.
    """
    order = order_row(draft, number=identifiers.new_code(9), now=now)
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
    order = order_row(draft, number=identifiers.new_code(9), now=now)
    _ensure_enough(order, tenders)
    _set_paid(order, now=now)
    payments = _payment_rows(order, tenders, now=now)
    event = OrderEvent(status=Status.PAID, actor=actor, occurred_at=now)
    with _saying_which_ref_is_taken(payments):
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
            "lines": rows.as_json(line_rows(order, draft)),
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


def order_row(draft: OrderDraft, *, number: str, now: datetime) -> Order:
    """Return the row of an order that waits for payment; its number starts with the day."""
    subtotal = sum(line.subtotal_cents for line in draft.lines)
    discount = sum(line.discount_cents for line in draft.lines)
    business_date = draft.store.business_date(now)
    return Order(
        number=f"{business_date:%y%m%d}{number}",
        store=draft.store,
        till_id=draft.till_id,
        member=draft.member,
        pos_order_no=draft.pos_order_no,
        order_type=draft.order_type,
        subtotal_cents=Cents(subtotal),
        discount_cents=Cents(discount),
        payable_cents=Cents(subtotal - discount),
        earning_cents=Cents(sum(line.net_cents for line in draft.lines if line.earns_points)),
        points_spent=draft.points_spent,
        coupon_codes=draft.coupon_codes,
        reward_code=draft.reward_code,
        boost_points=draft.boost_points,
        coupon_gifts=draft.coupon_gifts,
        pricing_trace=draft.trace,
        is_complimentary=draft.is_complimentary,
        business_date=business_date,
        placed_at=now,
        expires_at=now + UNPAID_ORDERS_LIVE,
    )


def line_rows(order: Order, draft: OrderDraft) -> list[OrderLine]:
    """Return the rows of an order's lines."""
    return [
        OrderLine(
            order=order,
            position=position,
            product_id=line.product_id,
            sku=line.sku,
            name_zh=line.name_zh,
            name_en=line.name_en,
            options=line.options,
            quantity=line.quantity,
            unit_price_cents=line.unit_price_cents,
            unit_cost_cents=line.unit_cost_cents,
            subtotal_cents=line.subtotal_cents,
            discount_cents=line.discount_cents,
            net_cents=line.net_cents,
            earns_points=line.earns_points,
            is_gift=line.is_gift,
        )
        for position, line in enumerate(draft.lines, start=1)
    ]


def discount_rows(lines: Sequence[OrderLine], draft: OrderDraft) -> list[OrderDiscount]:
    """Return the rows of what each discount took off each line."""
    return [
        OrderDiscount(line=row, kind=kind, code=code, amount_cents=amount)
        for row, line in zip(lines, draft.lines, strict=True)
        for kind, code, amount in line.allocations
    ]


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
    with _saying_which_ref_is_taken(payments):
        rows.insert(*payments)


@contextmanager
def _saying_which_ref_is_taken(payments: Sequence[Payment]) -> Iterator[None]:
    """Turn the refusal of a payment's number into ours; the flow rolls back what was begun."""
    try:
        yield
    except IntegrityError as error:
        if not _is_of(error, _ONE_REF):
            raise
        refs = [payment.provider_ref for payment in payments if payment.provider_ref]
        raise PaymentRefTaken(provider_refs=refs) from error


_ONE_REF = {"payment_once_per_provider_ref", "paid_number_once"}
"""A provider's number pays for one thing: among orders, and among all that can be paid for."""


def _is_of(error: IntegrityError, constraints: Collection[str]) -> bool:
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and cause.diag.constraint_name in constraints


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


# --- refunds -------------------------------------------------------------------------------------


@transaction.atomic(savepoint=False)
def refund(
    order: Order,
    request: RefundRequest,
    *,
    actor: str,
    now: datetime,
    kept_back_cents: Cents | None = None,
) -> Refund:
    """Give money back on a locked order, by pieces, by amount, or all that is left.

    Pieces give back their share of what the line really cost, as the difference of two shares; an
    amount is spread over what is left of the lines. Any sequence sums to exactly what was paid.
    `kept_back_cents` is how much of all pieces returned so far, these included, is kept because
    the rest lost a discount; what was kept before and need not be any more is given back now.

    Raises:
        OrderNotRefundable, RefundTooLarge
        InvalidInput: no such line.
    """
    if order.paid_at is None or order.status == Status.REFUNDED:
        raise OrderNotRefundable(order_number=order.number, order_status=order.status)
    lines = list(order.lines.order_by("position"))
    parts = _refund_parts(lines, request)
    if kept_back_cents is not None:
        parts = _keep_back(lines, parts, kept_back_cents)
    amount = Cents(sum(cents for _line, _pieces, cents in parts))
    for line, pieces, cents in parts:
        line.refunded_quantity += pieces
        line.refunded_cents = Cents(line.refunded_cents + cents)
        line.kept_back_cents = min(line.kept_back_cents, _left_cents(line))
    row = Refund.objects.create(
        order=order,
        number=f"R{identifiers.new_code(11)}",
        amount_cents=amount,
        kept_back_cents=Cents(sum(line.kept_back_cents for line in lines)),
        reason=request.reason,
        actor=actor,
        refunded_at=now,
    )
    RefundLine.objects.bulk_create(
        [
            RefundLine(refund=row, line=line, quantity=pieces, amount_cents=cents)
            for line, pieces, cents in parts
        ]
    )
    OrderLine.objects.bulk_update(
        [line for line, _pieces, _cents in parts],
        ["refunded_quantity", "refunded_cents", "kept_back_cents"],
    )
    order.refunded_cents = Cents(order.refunded_cents + amount)
    if _is_whole(order, lines):
        order.status = Status.REFUNDED
        OrderEvent.objects.create(order=order, status=Status.REFUNDED, actor=actor, occurred_at=now)
    order.save(update_fields=["refunded_cents", "status"])
    return row


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


def set_boost_points(order: Order, boost_points: Points) -> None:
    """Say what a new order earns on top, where that is not what was quoted."""
    order.boost_points = boost_points
    order.save(update_fields=["boost_points"])


def set_voucher_part(refund: Refund, cents: Cents) -> None:
    """Say how much of a new refund was paid by voucher: that part is not handed out in cash."""
    refund.voucher_cents = cents
    refund.save(update_fields=["voucher_cents"])


def set_stored_part(refund: Refund, cents: Cents) -> None:
    """Say how much of a new refund went back to a wallet or a gift card."""
    refund.stored_cents = cents
    refund.save(update_fields=["stored_cents"])


def refunded_earning_cents(order: Order) -> Cents:
    """Return how much of the part that earned points has been given back."""
    lines = OrderLine.objects.filter(order=order, earns_points=True)
    return Cents(lines.aggregate(total=Sum("refunded_cents"))["total"] or 0)


def _refund_parts(
    lines: Sequence[OrderLine], request: RefundRequest
) -> list[tuple[OrderLine, int, Cents]]:
    if request.quantities:
        return _parts_by_quantity(lines, request.quantities)
    if request.amount_cents is not None:
        return _parts_by_amount(lines, request.amount_cents)
    return [
        (line, line.quantity - line.refunded_quantity, _left_cents(line))
        for line in lines
        if line.refunded_quantity < line.quantity or _left_cents(line) > 0
    ]


def _parts_by_quantity(
    lines: Sequence[OrderLine], quantities: dict[int, int]
) -> list[tuple[OrderLine, int, Cents]]:
    by_position = {line.position: line for line in lines}
    parts = []
    for position, pieces in quantities.items():
        line = by_position.get(position)
        if line is None:
            raise InvalidInput("/lines", _("The order has no such line."), reason="unknown-line")
        left = line.quantity - line.refunded_quantity
        if pieces > left:
            raise RefundTooLarge(line=position, left_quantity=left)
        before = share_of(line.net_cents, part=line.refunded_quantity, of=line.quantity)
        after = share_of(line.net_cents, part=line.refunded_quantity + pieces, of=line.quantity)
        # What was already given back by amount is not given back a second time by piece.
        parts.append((line, pieces, Cents(min(after - before, _left_cents(line)))))
    return parts


def _keep_back(
    lines: Sequence[OrderLine],
    parts: Sequence[tuple[OrderLine, int, Cents]],
    kept_back: Cents,
) -> list[tuple[OrderLine, int, Cents]]:
    """Return the parts less what is kept of them, with what was kept before and is free now.

    Sets what each line keeps. More than the pieces are worth is never kept.
    """
    asked = {line.position: (pieces, cents) for line, pieces, cents in parts}
    worth = []
    for line in lines:
        pieces, cents = asked.get(line.position, (0, Cents(0)))
        if pieces or line.kept_back_cents:
            most = min(cents + line.kept_back_cents, _left_cents(line))
            worth.append((line, pieces, Cents(most)))
    whole = sum(cents for _line, _pieces, cents in worth)
    shares = split_cents(
        Cents(max(whole - kept_back, 0)), [cents for _line, _pieces, cents in worth]
    )
    for (line, _pieces, cents), share in zip(worth, shares, strict=True):
        line.kept_back_cents = Cents(cents - share)
    rows = zip(worth, shares, strict=True)
    return [(line, pieces, share) for (line, pieces, _cents), share in rows]


def _parts_by_amount(
    lines: Sequence[OrderLine], amount: Cents
) -> list[tuple[OrderLine, int, Cents]]:
    left = [_left_cents(line) for line in lines]
    if amount > sum(left):
        raise RefundTooLarge(left_cents=sum(left))
    shares = split_cents(amount, left)
    return [(line, 0, share) for line, share in zip(lines, shares, strict=True) if share]


def _left_cents(line: OrderLine) -> Cents:
    return Cents(line.net_cents - line.refunded_cents)


def _is_whole(order: Order, lines: Sequence[OrderLine]) -> bool:
    """Tell whether all its pieces are back, or all its money (if it cost any)."""
    has_all_pieces = all(line.refunded_quantity == line.quantity for line in lines)
    return has_all_pieces or (order.paid_cents > 0 and order.refunded_cents == order.paid_cents)
