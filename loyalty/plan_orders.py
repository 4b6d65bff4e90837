"""Paid memberships that members buy on their phones: ordered, and begun when the money is there.

The only writer of these orders and their payments; the period itself is sold by `plans`.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty import plans
from loyalty.models import PlanOrder, PlanPayment, PlanPurchase
from shop import members, payment_refs
from shop.kernel import identifiers
from shop.kernel.errors import DomainError, NotFound
from shop.kernel.money import Cents
from shop.models import Member
from shop.orders import PaymentMismatch
from shop.payments import Notice

PREFIX = "M"
"""What their numbers begin with; those of drinks begin with a date."""


class PlanOrderPaid(DomainError):
    """Another payment has paid for this order already."""

    code = "plan-order-paid"
    title = _("This membership was paid for already.")


def place(plan_code: str, *, member: Member, price_cents: Cents, now: datetime) -> PlanOrder:
    """Write down that a member wants a plan at the price that they saw; it waits for the money.

    Raises:
        NotFound: no such plan on offer.
        plans.PlanPriceChanged, members.MemberNotActive
    """
    members.ensure_active(member)
    plan = plans.find(plan_code, price_cents=price_cents)
    return PlanOrder.objects.create(
        number=f"{PREFIX}{identifiers.new_code(11)}",
        plan=plan,
        member=member,
        store_id=member.store_id,
        price_cents=plan.price_cents,
        placed_at=now,
    )


def find(number: str, *, member_id: int) -> PlanOrder:
    """Return a member's own order.

    Raises:
        NotFound
    """
    mine = PlanOrder.objects.select_related("plan", "payment__purchase__plan")
    order = mine.filter(number=number, member_id=member_id).first()
    if order is None:
        raise NotFound
    return order


def is_number(number: str) -> bool:
    """Tell whether a number is that of such an order."""
    return number.startswith(PREFIX)


@transaction.atomic
def pay(notice: Notice, *, method: str, now: datetime) -> PlanPurchase:
    """Begin the period that a provider says it took the money for, at the price of the order.

    The same payment again returns what it has bought. Of memberships that became one, the one
    that is left gets it.

    Raises:
        NotFound, PaymentMismatch, PlanOrderPaid, members.MemberNotActive
        PaymentRefTaken: the payment was for something else.
    """
    waiting = PlanOrder.objects.select_for_update(of=("self",))
    order = waiting.filter(number=notice.order_number).first()
    if order is None:
        raise NotFound
    paid = PlanPayment.objects.select_related("purchase").filter(order=order).first()
    if paid is not None:
        if (paid.method, paid.provider_ref) != (method, notice.provider_ref):
            raise PlanOrderPaid(order=order.number)
        return paid.purchase
    if notice.amount_cents != order.price_cents:
        raise PaymentMismatch(payable_cents=order.price_cents, tendered_cents=notice.amount_cents)
    member = order.member.merged_into or order.member
    members.ensure_active(member)
    purchase = plans.begin(
        order.plan,
        price_cents=Cents(order.price_cents),
        member_id=member.pk,
        store=order.store,
        method=method,
        source=order.source,
        actor=f"provider:{method}",
        reference=notice.provider_ref,
        now=now,
    )
    with payment_refs.each_once([notice.provider_ref]):
        PlanPayment.objects.create(
            order=order,
            purchase=purchase,
            method=method,
            amount_cents=notice.amount_cents,
            provider_ref=notice.provider_ref,
            received_at=now,
        )
    return purchase


def payment_of(purchase: PlanPurchase) -> PlanPayment | None:
    """Return the provider's payment for a period, None where a till or staff took the money."""
    return PlanPayment.objects.filter(purchase=purchase).first()
