"""A priced basket as it is to be written, and the rows of an order that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shop.kernel.money import Cents, Points
from shop.models import Member, Order, OrderDiscount, OrderLine, Store

UNPAID_ORDERS_LIVE = timedelta(minutes=15)


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
    stamps: Points
    coupon_gifts: dict[str, int]
    trace: dict[str, Any]
    is_complimentary: bool = False


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
        stamps=draft.stamps,
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
