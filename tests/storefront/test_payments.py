"""Payments that a provider reports."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from shop.kernel import outbox
from shop.kernel.models import OutboxMessage
from shop.models import Alert, Message, Order, Payment
from shop.payments import SandboxPayments
from shop.storefront import checkout
from shop.storefront.tasks import cancel_unpaid_orders
from tests import make

pytestmark = pytest.mark.django_db


def report(order: Order, *, amount: int = 1200, ref: str = "WX-1", **changes: Any) -> Any:
    """Return the answer to a callback, signed unless a change breaks it."""
    body = json.dumps({"order": order.number, "amount_cents": amount, "provider_ref": ref})
    timestamp = changes.get("timestamp", str(int(timezone.now().timestamp())))
    signature = SandboxPayments().sign(body=body.encode(), timestamp=timestamp)
    api = make.Api()
    api.headers = {
        "X-Sandbox-Timestamp": timestamp,
        "X-Sandbox-Signature": changes.get("signature", signature),
    }
    sent = json.loads(changes.get("body", body))
    if "body" not in changes:
        return api.client.post(
            "/api/v1/payments/callbacks/sandbox",
            body,
            content_type="application/json",
            headers=api.headers,
        )
    return api.post("/payments/callbacks/sandbox", sent)


class TestPaymentCallback:
    def test_pays_the_order_and_a_second_delivery_changes_nothing(self) -> None:
        guest = make.member()
        order = make.placed(who=guest, now=timezone.now())

        answers = [report(order), report(order)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[1].json() == {"order": order.number, "status": "paid"}
        assert Payment.objects.filter(order=order).count() == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"signature": "0" * 64},
            {"signature": ""},
            {"signature": "é"},
            {"timestamp": "1000000000"},
            {"timestamp": ""},
            {"timestamp": "²"},
            {"body": '{"order": "x", "amount_cents": 1, "provider_ref": "y"}'},
        ],
    )
    def test_refuses_what_the_provider_did_not_sign_just_now(self, change: dict[str, str]) -> None:
        order = make.placed(now=timezone.now())

        answer = report(order, **change)

        assert (answer.status_code, answer.json()["code"]) == (401, "callback-refused")
        order.refresh_from_db()
        assert order.status == Order.Status.PENDING

    def test_alarms_about_another_amount_and_leaves_the_order_unpaid(self) -> None:
        order = make.placed(now=timezone.now())

        answer = report(order, amount=1199)

        assert answer.json()["code"] == "payment-mismatch"
        assert Alert.objects.get().code == "payment-mismatch"
        assert not Payment.objects.exists()

    def test_sends_back_what_comes_for_a_cancelled_order(self) -> None:
        order = make.placed(now=timezone.now())
        checkout.cancel_order(number=order.number, actor="test", now=timezone.now())

        answer = report(order)

        assert answer.json()["status"] == "cancelled"
        assert Payment.objects.get(order=order).is_orphan
        assert Alert.objects.get().code == "orphan-payment"
        outbox.relay(now=timezone.now())
        assert OutboxMessage.objects.get(topic="payment.refund").state == "sent"

    def test_sends_back_a_second_payment_of_a_paid_order(self) -> None:
        order = make.placed(now=timezone.now())
        report(order, ref="WX-1")

        answer = report(order, ref="WX-2")

        assert answer.json()["status"] == "paid"
        assert list(Payment.objects.order_by("id").values_list("is_orphan", flat=True)) == [
            False,
            True,
        ]


class TestUnpaidOrders:
    def test_are_cancelled_once_their_time_is_over(self) -> None:
        guest = make.member()
        coupon = make.coupon(guest, now=timezone.now())
        what = make.basket(who=guest, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])
        late = make.placed(what=what, total=3100, now=timezone.now() - timedelta(minutes=16))
        waiting = make.placed(now=timezone.now())

        cancel_unpaid_orders()

        late.refresh_from_db()
        waiting.refresh_from_db()
        coupon.refresh_from_db()
        assert (late.status, waiting.status) == ("cancelled", "pending")
        assert coupon.status == "available"


class TestReceipts:
    def test_reach_a_member_once_however_often_they_are_delivered(self) -> None:
        guest = make.member()
        make.paid(who=guest)
        now = timezone.now()
        outbox.relay(now=now)

        OutboxMessage.objects.update(state="new", available_at=now)
        outbox.relay(now=now)

        assert Message.objects.filter(member=guest, template="order.paid").count() == 1
