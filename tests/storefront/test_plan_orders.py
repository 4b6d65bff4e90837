"""A paid membership that a member buys on their phone, through the payment provider."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from loyalty.models import MembershipPlan, PlanOrder, PlanPurchase
from shop.kernel.models import OutboxMessage
from shop.models import Alert, Member
from shop.payments import SandboxPayments
from shop.storefront import merging, plan_returns
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plan() -> MembershipPlan:
    names = {"name_zh": "月卡", "name_en": "Card"}
    return MembershipPlan.objects.create(code="card", price_cents=1990, days=30, **names)


def ordered(who: Member, **body: Any) -> Any:
    return make.phone_of(who).post(
        "/me/membership-orders", {"plan": "card", "price_cents": 1990} | body
    )


def report(number: str, *, amount: int = 1990, ref: str = "WX-1") -> Any:
    """Return the answer to the provider's signed word."""
    body = json.dumps({"order": number, "amount_cents": amount, "provider_ref": ref})
    timestamp = str(int(timezone.now().timestamp()))
    return make.Api().client.post(
        "/api/v1/payments/callbacks/sandbox",
        body,
        content_type="application/json",
        headers={
            "X-Sandbox-Timestamp": timestamp,
            "X-Sandbox-Signature": SandboxPayments().sign(body=body.encode(), timestamp=timestamp),
        },
    )


def test_begins_with_the_providers_word_and_not_before() -> None:
    guest = make.member()
    order = ordered(guest)
    path = f"/me/membership-orders/{order.json()['number']}"

    before = make.phone_of(guest).get(path).json()
    answers = [report(order.json()["number"]) for _ in range(2)]
    after = make.phone_of(guest).get(path).json()

    assert order.status_code == 201
    assert (before["state"], before["membership"]) == ("waiting", None)
    assert [answer.json()["status"] for answer in answers] == ["paid", "paid"]
    (bought,) = PlanPurchase.objects.filter(member=guest)
    assert (after["state"], after["membership"]["id"]) == ("paid", bought.pk)
    assert bought.ends_at - bought.starts_at == timedelta(days=30)
    assert (bought.method, bought.reference, bought.store) == ("sandbox", "WX-1", guest.store)
    assert not suite.check_all(now=timezone.now()).broken


def test_is_renewed_where_the_last_period_ends() -> None:
    guest = make.member()
    for ref in ("WX-1", "WX-2"):
        report(ordered(guest).json()["number"], ref=ref)

    first, second = PlanPurchase.objects.filter(member=guest).order_by("starts_at")

    assert second.starts_at == first.ends_at


@pytest.mark.parametrize(
    ("amount", "ref", "code"),
    [(1, "WX-2", "payment-mismatch"), (1990, "WX-1", "payment-ref-taken")],
)
def test_other_money_begins_nothing_and_alarms(amount: int, ref: str, code: str) -> None:
    guest = make.member()
    report(ordered(guest).json()["number"])
    other = ordered(guest).json()["number"]

    answer = report(other, amount=amount, ref=ref)

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert PlanPurchase.objects.count() == 1
    assert Alert.objects.get().code == code


def test_is_paid_once() -> None:
    number = ordered(make.member()).json()["number"]
    report(number)

    assert report(number, ref="WX-2").json()["code"] == "plan-order-paid"
    assert report("M23456789ABCX").status_code == 404


def test_one_key_orders_once_at_the_price_that_was_seen(plan: MembershipPlan) -> None:
    phone = make.phone_of(make.member())
    body = {"plan": "card", "price_cents": 1990}
    numbers = {
        phone.post("/me/membership-orders", body, key="buying-1").json()["number"] for _ in range(2)
    }
    MembershipPlan.objects.filter(pk=plan.pk).update(price_cents=2990)

    dearer = phone.post("/me/membership-orders", body, key="buying-2").json()
    gone = phone.post("/me/membership-orders", body | {"plan": "none"}, key="buying-3")

    assert len(numbers) == PlanOrder.objects.count() == 1
    assert (dearer["code"], dearer["price_cents"]) == ("plan-price-changed", 2990)
    assert gone.status_code == 404
    assert report(numbers.pop()).status_code == 200  # at the price of the order


def test_given_back_the_provider_returns_the_money_once() -> None:
    guest = make.member()
    report(ordered(guest).json()["number"])
    bought = PlanPurchase.objects.get()
    till = make.till()

    given = [
        till.post(f"/memberships/{bought.pk}/refund", {"member": str(guest.public_id)})
        for _ in range(2)
    ]

    assert (given[0].status_code, given[1].json()["code"]) == (200, "plan-not-refundable")
    message = OutboxMessage.objects.get(topic="payment.refund")
    assert message.payload["provider_ref"] == "WX-1"
    assert message.payload["amount_cents"] == given[0].json()["refunded_cents"] > 0


def test_what_a_till_sold_is_handed_out_by_the_till() -> None:
    guest = make.member()
    body = {"member": str(guest.public_id), "method": "cash", "paid_cents": 1990}
    bought = make.till().post("/membership-plans/card/purchases", body).json()

    plan_returns.give_back(bought["id"], member_id=guest.pk, actor="test", now=timezone.now())

    assert not OutboxMessage.objects.filter(topic="payment.refund").exists()


def test_paid_after_a_merge_it_is_of_the_membership_that_is_left() -> None:
    guest, kept = make.member(), make.member()
    number = ordered(guest).json()["number"]
    merging.merge_members(guest, into=kept, reason="one", actor="test", now=timezone.now())

    report(number)

    assert PlanPurchase.objects.get().member == kept
