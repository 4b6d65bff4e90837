"""Drinks on the house are made, called out and cost something; they are no sale."""

from datetime import UTC, date, datetime, timedelta

import pytest

from campaigns.models import Conversion
from loyalty.models import PointsEntry, Visit
from shop.kernel.money import Cents
from shop.models import Order
from shop.refunds import RefundRequest
from shop.storefront import hospitality, receipt_claims, refunds
from shop.storefront.invariants import suite
from shop.storefront.reports import daily
from tests import make

pytestmark = pytest.mark.django_db


def served(*, cups: int = 2, now: datetime = make.NOON) -> Order:
    """Return an order of so many cups of MT01 (¥12.00 each) on the house."""
    return hospitality.serve(
        make.basket(lines=[make.line(quantity=cups)]),
        reason="test",
        pos_order_no=None,
        actor="test",
        now=now,
    )


class TestServe:
    def test_is_made_like_any_order_and_costs_the_guest_nothing(self) -> None:
        before = make.paid().order

        order = served()

        order.refresh_from_db()
        (line,) = order.lines.all()
        (discount,) = line.discounts.all()
        assert order.pickup_number == (before.pickup_number or 0) + 1
        assert (order.status, order.subtotal_cents, order.paid_cents) == ("paid", 2400, 0)
        assert (discount.kind, discount.amount_cents) == ("house", 2400)
        assert line.unit_cost_cents > 0

    def test_is_in_no_report_of_sales_even_if_it_comes_back(self) -> None:
        make.paid()
        refunds.refund_order(
            number=served().number, request=RefundRequest(), actor="test", now=make.NOON
        )
        served()

        (day,) = daily.build(
            stores=[make.store()], since=date(2026, 6, 18), until=date(2026, 6, 19)
        )

        assert (day.orders, day.paid_cents, day.refunds) == (1, 1200, 0)

    def test_is_nobodys_and_stays_so(self) -> None:
        order, who = served(), make.member()

        with pytest.raises(receipt_claims.ReceiptUnknown):
            receipt_claims.claim_receipt(
                order.number,
                store=order.store,
                amount_cents=Cents(0),
                member_id=who.pk,
                actor="test",
                guesser="test",
                now=make.NOON + timedelta(minutes=1),
            )

        assert not Visit.objects.exists()
        assert not PointsEntry.objects.exists()
        assert not Conversion.objects.filter(order=order).exists()
        assert suite.check_all(now=datetime.now(UTC)).broken == []
