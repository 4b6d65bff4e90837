"""Roll-ups are the facts added up, whatever happens to the facts, and in whatever order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from campaigns import referrals
from shop.kernel.money import Cents
from shop.models import Member, OrderLine
from shop.refunds import RefundRequest
from shop.storefront import merging, refunds
from shop.storefront.invariants import suite
from shop.storefront.models import (
    NEVER,
    Cohort,
    CohortAge,
    CohortDay,
    CohortMonth,
    Meeting,
    MemberRollup,
    MetOnceDay,
    MetOnceMonth,
    RollupMark,
    SalesDay,
    SalesMonth,
)
from shop.storefront.rollups import upkeep
from tests import make

pytestmark = pytest.mark.django_db

DAYS = [Meeting, MetOnceDay, MemberRollup, Cohort, CohortDay, SalesDay]
ROLLUPS = [*DAYS, CohortMonth, CohortAge, SalesMonth, MetOnceMonth]


def at(day: int, hour: int = 12) -> datetime:
    """Return a moment in June on a Shanghai wall."""
    return datetime(2026, 6, day, hour, tzinfo=UTC) - timedelta(hours=8)


def buy(who: Member | None, *, day: int, cost: int = 400) -> Any:
    order = make.paid(who=who, now=at(day, 13)).order
    OrderLine.objects.filter(order=order).update(unit_cost_cents=cost)
    return order


def give_back(order: Any, *, day: int, **fields: Any) -> None:
    refunds.refund_order(
        number=order.number, request=RefundRequest(**fields), actor="test", now=at(day)
    )


def broken() -> list[str]:
    return [check.name for check in suite.check_all(now=at(28)).broken if check.id == "I20"]


def snapshot() -> dict[str, list[Any]]:
    """Return every roll-up, but for the numbers of their rows."""
    return {
        model.__name__: sorted(
            tuple(sorted((k, str(v)) for k, v in row.items() if k != "id"))
            for row in model.objects.values()
        )
        for model in ROLLUPS
    }


@pytest.fixture
def regular() -> Member:
    """Somebody who joins on the 18th, buys on the 18th, 20th and 25th, and brings a friend."""
    link = make.link("douyin")
    make.touch(link, "regular", kind="click", now=at(18, 10))
    member = make.member(visitor_id="regular", now=at(18, 12))
    for day in (18, 20, 25):
        buy(member, day=day)
    friend = make.member(referral_code=referrals.code_of(member, now=at(19)).code, now=at(19))
    buy(friend, day=19)
    return member


class TestRefresh:
    def test_adds_up_what_happened(self, regular: Member) -> None:
        buy(None, day=20)

        upkeep.refresh()

        row = MemberRollup.objects.get(member_id=regular.pk)
        assert (row.joined_on, row.first_on) == (at(18).date(), at(18).date())
        assert (row.orders, row.revenue_cents, row.margin_cents) == (3, 3600, 2400)
        assert (row.margin_7_cents, row.margin_30_cents, row.friends) == (2400, 2400, 1)
        assert (row.seconds_to_first, row.seconds_to_second) == (3600, 2 * 86_400)
        assert (row.repeated_7, row.is_long_term) == (True, False)
        days = CohortDay.objects.filter(channel_id=row.channel_id).order_by("age")
        assert list(days.values_list("age", "orders", "margin_cents")) == [
            (0, 1, 800),
            (2, 1, 800),
            (7, 1, 800),
        ]
        sold = SalesDay.objects.filter(business_date=at(20).date()).order_by("channel_id")
        assert list(sold.values_list("orders", "first_orders", "paid_cents", "cost_cents")) == [
            (1, 0, 1200, 400),
            (1, 0, 1200, 400),
        ]
        assert sold[0].channel_id == 0
        assert broken() == []

    def test_takes_each_change_in_once(self, regular: Member) -> None:
        assert upkeep.refresh() > 0
        assert upkeep.refresh() == 0
        assert not RollupMark.objects.exists()

    def test_takes_back_what_was_refunded(self, regular: Member) -> None:
        """A part of the second order; then the first one whole, so that the second becomes it."""
        upkeep.refresh()
        first, second, _third = regular.orders.order_by("paid_at")

        give_back(second, day=21, amount_cents=Cents(500))
        give_back(first, day=26)
        upkeep.refresh()

        row = MemberRollup.objects.get(member_id=regular.pk)
        assert (row.first_order_id, row.first_on) == (second.pk, at(20).date())
        assert (row.orders, row.revenue_cents) == (2, 1900)
        assert Cohort.objects.filter(channel_id=row.channel_id).values_list("first_on").get() == (
            row.first_on,
        )
        by_day = SalesDay.objects.filter(channel_id=row.channel_id).order_by("business_date")
        assert list(
            by_day.values_list("business_date__day", "orders", "first_orders", "refunded_cents")
        ) == [(18, 1, 0, 0), (20, 1, 1, 0), (21, 0, 0, 500), (25, 1, 0, 0), (26, 0, 0, 1200)]
        assert broken() == []

    def test_follows_a_merge(self, regular: Member) -> None:
        other = make.member(now=at(22))
        buy(other, day=22)
        upkeep.refresh()

        merging.merge_members(regular, into=other, reason="one person", actor="test", now=at(27))
        upkeep.refresh()

        assert MemberRollup.objects.get(member_id=regular.pk).first_on == NEVER
        assert MemberRollup.objects.get(member_id=other.pk).orders == 4
        assert sum(CohortDay.objects.values_list("orders", flat=True)) == 5
        assert broken() == []


class TestRebuild:
    def test_comes_to_the_same(self, regular: Member) -> None:
        upkeep.refresh()
        before = snapshot()
        for model in ROLLUPS:
            model.objects.all().delete()

        call_command("rebuild_rollups", "--from", "2026-06-18", "--to", "2026-06-26")

        assert snapshot() == before
        call_command("rebuild_rollups")
        assert snapshot() == before

    def test_mends_what_was_wrong(self, regular: Member) -> None:
        upkeep.refresh()
        CohortDay.objects.update(margin_cents=1)
        MemberRollup.objects.filter(member_id=regular.pk).update(revenue_cents=1)
        SalesDay.objects.update(orders=7)
        Meeting.objects.update(is_clicked=False)
        MetOnceDay.objects.update(reached=7)
        CohortMonth.objects.update(buyers=7)
        assert set(broken()) == {
            "member-rollups-are-the-orders",
            "cohorts-are-their-members",
            "sales-days-are-the-orders",
            "months-are-their-days",
            "meetings-are-the-touches",
            "who-met-us-once-is-counted-once",
        }

        call_command("rebuild_rollups")

        assert broken() == []
