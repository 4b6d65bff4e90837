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
    def test_refuses_what_the_provider_did_not_sign_just_now(self, change: dict[str, Any]) -> None:
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

    def test_alarms_about_what_the_order_cannot_be_paid_with(self) -> None:
        order, other = make.placed(now=timezone.now()), make.placed(now=timezone.now())
        report(order, ref="WX-1")

        reused = report(other, ref="WX-1")
        unknown = report(Order(number="nowhere"), ref="WX-9")

        assert (reused.status_code, reused.json()["code"]) == (409, "payment-ref-taken")
        assert unknown.status_code == 404
        other.refresh_from_db()
        assert other.status == Order.Status.PENDING
        subjects = dict(Alert.objects.values_list("code", "subject"))
        assert subjects == {"payment-ref-taken": "payment:WX-1", "not-found": "payment:WX-9"}

    def test_pays_an_order_whose_time_is_over_but_which_nobody_has_cancelled_yet(self) -> None:
        order = make.placed(now=timezone.now() - timedelta(minutes=20))

        answer = report(order)
        cancel_unpaid_orders()

        order.refresh_from_db()
        assert (answer.json()["status"], order.status) == ("paid", "paid")


class TestRefundOfAProvidersPayment:
    def test_goes_back_through_the_provider_each_part_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[dict[str, Any]] = []
        monkeypatch.setattr(SandboxPayments, "refund", lambda _self, **what: sent.append(what))
        order = make.placed(who=make.member(), now=timezone.now())
        report(order)
        till = make.till()

        parts = [
            till.post(f"/orders/{order.number}/refunds", {"amount_cents": 600}).json()["number"]
            for _ in range(2)
        ]
        for _ in range(2):
            outbox.relay(now=timezone.now())
            OutboxMessage.objects.update(state="new", available_at=timezone.now())

        assert sent == [
            {"provider_ref": "WX-1", "amount_cents": 600, "refund_ref": f"refund:{number}"}
            for number in parts
        ]

    def test_is_not_sent_for_what_a_till_took(self) -> None:
        order = make.paid(who=make.member()).order

        make.till().post(f"/orders/{order.number}/refunds", {})

        assert not OutboxMessage.objects.filter(topic="payment.refund").exists()


class TestTender:
    def test_that_was_taken_before_pays_no_second_order(self) -> None:
        till = make.till()
        sale = {
            "lines": [{"product": "MT01", "options": make.MILK_TEA}],
            "expected_total_cents": 1200,
            "tenders": [{"method": "wechat", "amount_cents": 1200, "provider_ref": "WX-1"}],
        }

        first = till.post("/pos/settle", sale | {"pos_order_no": "A1"})
        second = till.post("/pos/settle", sale | {"pos_order_no": "A2"})

        assert first.status_code == 201
        assert (second.status_code, second.json()["code"]) == (409, "payment-ref-taken")
        assert Order.objects.count() == 1


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
