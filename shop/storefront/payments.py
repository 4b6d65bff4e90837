"""Payments that no till reports: one's own, and a provider's, twice, late or for lost orders."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from loyalty import pay_codes, plan_orders, prepaid
from shop import alerts, orders
from shop.kernel import outbox
from shop.kernel.errors import DomainError, PermissionDenied
from shop.models import Order, Payment
from shop.orders import PaymentMismatch, Tender
from shop.payment_refs import PaymentRefTaken
from shop.payments import Notice
from shop.storefront import checkout
from shop.storefront.checkout import Receipt


@transaction.atomic
def receive(notice: Notice, *, method: str, now: datetime) -> str:
    """Take a verified callback for an order of drinks or of a membership; return its state now.

    Raises:
        NotFound: no such order.
        and whatever receive_payment and plan_orders.pay raise; the caller alarms people.
    """
    if not plan_orders.is_number(notice.order_number):
        return receive_payment(notice, method=method, now=now).status
    plan_orders.pay(notice, method=method, now=now)
    return Order.Status.PAID


@transaction.atomic
def receive_payment(notice: Notice, *, method: str, now: datetime) -> Order:
    """Take a verified callback: pay the order, or keep the money as an orphan and send it back.

    The same payment again changes nothing. Whatever arrives for an order that no longer waits for
    payment is recorded, refunded through the outbox and alarmed; the order does not reopen.

    Raises:
        NotFound: no such order.
        PaymentMismatch: not the amount payable; the order stays unpaid.
        PaymentRefTaken: the provider reported this payment for another order.
        and whatever checkout.pay_order raises; the caller alarms people, because money was taken.
    """
    order = orders.lock(notice.order_number)
    known = Payment.objects.filter(method=method, provider_ref=notice.provider_ref).first()
    if known is not None:
        if known.order_id != order.pk:
            raise PaymentRefTaken(provider_refs=[notice.provider_ref])
        return order
    tender = Tender(
        method=method, amount_cents=notice.amount_cents, provider_ref=notice.provider_ref
    )
    if order.status != Order.Status.PENDING:
        _send_back(order, tender, now=now)
        return order
    if notice.amount_cents != order.payable_cents:
        raise PaymentMismatch(payable_cents=order.payable_cents, tendered_cents=notice.amount_cents)
    receipt = checkout.pay_order(
        number=order.number, tenders=[tender], actor=f"provider:{method}", now=now
    )
    return receipt.order


@transaction.atomic
def pay_own(*, number: str, tenders: Sequence[Tender], actor: str, now: datetime) -> Receipt:
    """Take what a member pays for their own order: from the wallet, with gift cards, or nothing.

    Who is signed in needs no code for their own wallet.

    Raises:
        PermissionDenied: with other money, which only a till or a provider can have taken.
        and whatever checkout.pay_order raises.
    """
    if any(tender.method not in {*prepaid.METHODS, Payment.Method.NONE} for tender in tenders):
        raise PermissionDenied
    order = orders.lock(number)
    if order.member is not None and any(t.method == prepaid.WALLET for t in tenders):
        code, _until = pay_codes.renew(order.member, now=now)
        tenders = [replace(t, code=code) if t.method == prepaid.WALLET else t for t in tenders]
    return checkout.pay_order(number=number, tenders=tenders, actor=actor, now=now)


def alert_refused(notice: Notice, error: DomainError, *, now: datetime) -> None:
    """Tell staff that a provider took money which could not be booked, and why."""
    alerts.record(
        error.code,
        subject=f"payment:{notice.provider_ref}",
        details={
            "order": notice.order_number,
            "amount_cents": notice.amount_cents,
            "provider_ref": notice.provider_ref,
            "because": error.members,
        },
        now=now,
    )


def _send_back(order: Order, tender: Tender, *, now: datetime) -> None:
    payment = orders.record_orphan(order, tender, now=now)
    details = {
        "payment": payment.pk,
        "order": order.number,
        "provider_ref": tender.provider_ref,
        "amount_cents": tender.amount_cents,
    }
    outbox.add("payment.refund", key=f"payment:{payment.pk}", payload=details, now=now)
    alerts.record(
        "orphan-payment",
        subject=order.source,
        details=details,
        now=now,
        severity=alerts.Severity.CRITICAL,
        store_id=order.store_id,
    )
