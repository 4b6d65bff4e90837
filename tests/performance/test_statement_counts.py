"""How many SQL statements each hot flow needs: a checked-in baseline, and budgets it must keep.

Counted is the flow itself, without authentication, idempotency and transaction control. After a
change that is meant: UPDATE_STATEMENT_COUNTS=1 pytest tests/performance
"""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from campaigns import coupons
from loyalty import promises, rewards
from loyalty.models import Reward
from shop.catalog import Choice
from shop.kernel.money import Cents, Points
from shop.models import Member
from shop.orders import Tender
from shop.refunds import RefundRequest
from shop.storefront import checkout, facts, quotes, refunds, registration
from shop.storefront.baskets import Basket, BasketLine
from shop.storefront.registration import Application
from tests import make
from tests.performance.counting import statements

pytestmark = pytest.mark.django_db

BASELINE = Path(__file__).with_name("statement_counts.json")
BUDGETS = {"lookup": 1, "quote": 3, "settle": 13}
BISCUIT = BasketLine(product="SN01", quantity=1, choice=Choice(options={}, toppings={}))
TOTAL = 3 * 1200 + 600 - 500

Flow = Callable[[], Callable[[], Any]]
"""Prepares what a flow needs, and returns the flow ready to run."""


def regular() -> Member:
    """Return a member who has bought before and has points to spend."""
    who = make.member()
    make.paid(who=who)
    make.give_points(who, 3000)
    return who


def basket(who: Member, **fields: Any) -> Basket:
    """Return a basket of two lines with a coupon."""
    return make.basket(
        who=who,
        lines=[make.line(quantity=3), BISCUIT],
        coupon_codes=[make.coupon(who).code],
        **fields,
    )


def lookup() -> Callable[[], Any]:
    phone = regular().phone
    return lambda: facts.find_by_phone(phone, now=make.NOON).available


def quote() -> Callable[[], Any]:
    what = basket(regular())
    return lambda: quotes.quote(what, now=make.NOON)


def settle() -> Callable[[], Any]:
    what = basket(regular())
    return lambda: make.paid(what=what, total=TOTAL)


def settle_guest() -> Callable[[], Any]:
    what = make.basket()
    return lambda: make.paid(what=what)


def place() -> Callable[[], Any]:
    what = basket(regular(), points=Points(100))
    return lambda: checkout.place_order(
        what, expected_total_cents=Cents(TOTAL - 200), now=make.NOON
    )


def pay() -> Callable[[], Any]:
    order = make.placed(what=basket(regular(), points=Points(100)), total=TOTAL - 200)
    return lambda: checkout.pay_order(
        number=order.number,
        tenders=[Tender(method="cash", amount_cents=order.payable_cents)],
        actor="test",
        now=make.NOON,
    )


def cancel() -> Callable[[], Any]:
    order = make.placed(what=basket(regular(), points=Points(100)), total=TOTAL - 200)
    return lambda: checkout.cancel_order(number=order.number, actor="test", now=make.NOON)


def refund() -> Callable[[], Any]:
    order = make.paid(what=basket(regular(), points=Points(100)), total=TOTAL - 200).order
    return lambda: refunds.refund_order(
        number=order.number, request=RefundRequest(), actor="test", now=make.NOON
    )


def claim() -> Callable[[], Any]:
    who, definition = regular(), make.definition(is_claimable=True)
    return lambda: coupons.claim(definition.code, member_id=who.pk, now=make.NOON)


def redeem_reward() -> Callable[[], Any]:
    who, reward = regular(), Reward.objects.get()
    return lambda: rewards.redeem(reward.code, member_id=who.pk, now=make.NOON)


def join() -> Callable[[], Any]:
    application = Application(phone=make.phone(), store=make.store())
    return lambda: registration.join(application, now=make.NOON)


def first_order_of_a_friend() -> Callable[[], Any]:
    what = make.basket(who=make.referred(regular()))
    return lambda: make.paid(what=what)


def release_promise() -> Callable[[], Any]:
    make.paid(who=make.referred(regular()))
    later = make.NOON + timedelta(days=8)
    promise, *_others = promises.due(now=later, limit=1)
    return lambda: promises.release(promise, now=later, expires_at=later)


FLOWS: dict[str, Flow] = {
    flow.__name__: flow
    for flow in (
        lookup,
        quote,
        settle,
        settle_guest,
        place,
        pay,
        cancel,
        refund,
        claim,
        redeem_reward,
        join,
        first_order_of_a_friend,
        release_promise,
    )
}


def count(flow: Flow) -> list[str]:
    """Return the statements of a flow, run a second time so that nothing is loaded only once."""
    flow()()
    run = flow()
    with statements() as found:
        run()
    return found


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_needs_as_many_statements_as_its_baseline_says(name: str) -> None:
    found = count(FLOWS[name])

    if os.environ.get("UPDATE_STATEMENT_COUNTS"):
        counts = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
        counts[name] = len(found)
        BASELINE.write_text(json.dumps(dict(sorted(counts.items())), indent=2) + "\n")
    assert len(found) == json.loads(BASELINE.read_text())[name], "\n".join(found)


@pytest.mark.parametrize("name", BUDGETS)
def test_a_hot_flow_keeps_its_budget(name: str) -> None:
    found = count(FLOWS[name])

    assert len(found) <= BUDGETS[name], "\n".join(found)


def test_the_baseline_knows_the_flows() -> None:
    assert set(json.loads(BASELINE.read_text())) == set(FLOWS)
