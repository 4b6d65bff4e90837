"""Giving money back on an order: shares of its lines that sum to exactly what was paid.

Beside `shop.orders` the only module that writes orders: what was given back, of which lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from shop.kernel import identifiers
from shop.kernel.errors import DomainError, InvalidInput
from shop.kernel.money import Cents, share_of, split_cents
from shop.models import Order, OrderEvent, OrderLine, Refund, RefundLine

Status = Order.Status


class OrderNotRefundable(DomainError):
    """Nothing was paid for this order, or it was refunded whole."""

    code = "order-not-refundable"
    title = _("There is nothing left to refund on this order.")


class RefundTooLarge(DomainError):
    """More than what is left of the order or of one of its lines."""

    code = "refund-too-large"
    title = _("The refund is larger than what is left.")


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundRequest:
    """What to give back: pieces per line position, or an amount, or (neither) all that is left."""

    quantities: dict[int, int] = field(default_factory=dict)
    amount_cents: Cents | None = None
    reason: str = ""


@transaction.atomic(savepoint=False)
def give_back(
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
