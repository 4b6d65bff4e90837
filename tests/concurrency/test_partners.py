"""Statements and deliveries, asked for by several people in the same moment."""

import threading
from datetime import UTC, date, datetime
from functools import partial

import pytest

from campaigns import deals, statements, swaps
from campaigns.models import Channel, ResourceSwap, StatementLine
from shop.kernel.money import Cents
from tests import make
from tests.campaigns import partnership as of
from tests.concurrency.crowd import outcomes

pytestmark = pytest.mark.usefixtures("real_commits")

JULY = datetime(2026, 7, 2, 4, tzinfo=UTC)


class TestStatements:
    def test_of_one_month_hold_each_order_once(self) -> None:
        """The lock of the deal lets the second bring the first one's draft up to date; without it
        two rows are inserted, and the unique key (deal, month) breaks one request.
        """
        link = make.link("kol", at=None)
        deal = of.deal(links=[link])
        of.sold(link)

        said = outcomes(
            partial(statements.draft, deal.pk, month=of.JUNE, actor=f"staff:{number}", now=JULY)
            for number in range(4)
        )

        assert said == {"done": 4}
        assert StatementLine.objects.count() == 1
        assert of.statement(deal).sales_cents == 1200

    def test_of_two_deals_that_claim_one_order_hold_it_in_one(self) -> None:
        """A coupon's deal drafts while the deal of the link, which comes first, begins: each sees
        the order as its own. The unique key `statement_line_order_once` (with its ON CONFLICT)
        gives it to the first; without both the order is paid for twice.
        """
        link, definition = make.link("kol", at=None), make.definition("FULL25_5")
        by_coupon = of.deal(coupons=[definition])
        by_link = of.deal(links=[link], is_active=False)
        who = of.brought(link)
        coupon = make.coupon(who).code
        basket = make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=[coupon])
        make.paid(what=basket, total=3_100)
        begun = threading.Event()

        def draft_of_the_coupon() -> None:
            statements.draft(by_coupon.pk, month=of.JUNE, actor="staff:1", now=JULY)
            begun.set()

        def begin_and_draft() -> None:
            begun.wait(timeout=0.2)  # the coupon's deal is usually there first
            deals.step(by_link.pk, to="active", now=JULY)
            statements.draft(by_link.pk, month=of.JUNE, actor="staff:2", now=JULY)

        said = outcomes([draft_of_the_coupon, begin_and_draft])

        assert said == {"done": 2}
        assert StatementLine.objects.filter(kind="order").count() == 1

    def test_are_approved_once(self) -> None:
        """The lock of the deal and the guarded update hold it; without both all four freeze it."""
        deal = of.deal()
        statements.draft(deal.pk, month=of.JUNE, actor="staff:0", now=JULY)
        approve = partial(
            statements.approve,
            deal.pk,
            month=of.JUNE,
            expected_total_cents=Cents(50_000),
            now=JULY,
        )

        said = outcomes(partial(approve, actor=f"staff:{number}") for number in range(1, 5))

        assert said == {"done": 1, "statement-decided": 3}


class TestDeliveries:
    def test_never_exceed_what_was_agreed(self) -> None:
        """The lock of the swap holds it; without it each adds to the same number, and the values
        no longer sum to the share of what was delivered.
        """
        swap = swaps.agree(
            partner=of.partner("brand"),
            label="swap",
            channel=Channel.objects.get(code="kol"),
            we_give="cups",
            they_give="screens",
            unit="days",
            agreed_quantity=3,
            agreed_cents=Cents(1000),
            agreed_on=date(2026, 6, 1),
        )
        deliver = partial(
            swaps.deliver,
            swap.pk,
            quantity=1,
            delivered_on=date(2026, 6, 2),
            actor="test",
            now=JULY,
        )

        said = outcomes(partial(deliver, reference=f"LF-{number}") for number in range(5))

        assert said == {"done": 3, "delivery-too-large": 2}
        values = ResourceSwap.objects.get().deliveries.values_list("value_cents", flat=True)
        assert sum(values) == 1000
