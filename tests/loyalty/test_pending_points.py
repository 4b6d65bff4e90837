"""Earned points that wait: for some days, or for the order to be completed; and their refunds."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from loyalty.models import LoyaltyProgramme, PendingPoints, PointsAccount, PointsEntry
from shop.kernel.money import Cents
from shop.models import Member, Order
from shop.refunds import RefundRequest
from shop.storefront import kitchen, refunds
from shop.storefront.invariants import suite
from shop.storefront.tasks import release_pending_points
from tests import make

SHANGHAI = ZoneInfo("Asia/Shanghai")

pytestmark = pytest.mark.django_db


def programme(**settings: Any) -> None:
    LoyaltyProgramme.objects.update_or_create(pk=1, defaults=settings)


def wallet(who: Member) -> PointsAccount:
    return PointsAccount.objects.get(member=who, wallet="points")


def refund(order: Order, **request: Any) -> None:
    refunds.refund_order(
        number=order.number, request=RefundRequest(**request), actor="test", now=timezone.now()
    )


def complete(order: Order) -> None:
    kitchen.advance_order(order.number, to="completed", actor="test", now=timezone.now())


def ten_cups(who: Member, *, ago: timedelta = timedelta()) -> Order:
    what = make.basket(who=who, lines=[make.line(quantity=10)])
    return make.paid(what=what, total=12_000, now=timezone.now() - ago).order


def _local(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment.astimezone(SHANGHAI)


@pytest.fixture
def guest() -> Member:
    return make.member(now=timezone.now() - timedelta(days=30))


class TestWaitingForDays:
    def test_comes_true_once_the_days_are_over(self, guest: Member) -> None:
        programme(points_wait_for="days", points_wait_days=7)
        ten_cups(guest, ago=timedelta(days=7))
        ten_cups(guest, ago=timedelta(days=6))

        release_pending_points()
        release_pending_points()

        entry = PointsEntry.objects.get(account=wallet(guest))
        assert (entry.kind, entry.points) == ("earn", 120)
        assert _local(entry.lot.expires_at).strftime("%m-%d %H:%M") == "01-01 00:00"
        assert PendingPoints.objects.filter(state="pending").count() == 1
        assert not suite.check_all(now=timezone.now()).broken


class TestWaitingForCompletion:
    def test_begins_to_count_when_the_kitchen_is_done(self, guest: Member) -> None:
        programme(points_wait_for="completion")
        order = ten_cups(guest, ago=timedelta(days=20))
        release_pending_points()
        before = wallet(guest).balance

        complete(order)
        release_pending_points()

        assert (before, wallet(guest).balance) == (0, 120)

    def test_may_take_some_days_more(self, guest: Member) -> None:
        programme(points_wait_for="completion", points_wait_days=2)
        order = ten_cups(guest, ago=timedelta(days=20))

        complete(order)
        release_pending_points()

        assert wallet(guest).balance == 0
        assert PendingPoints.objects.filter(
            available_at__gt=timezone.now() + timedelta(days=1)
        ).exists()


@pytest.mark.parametrize("policy", ["only_pending", "within_balance", "allow_debt"])
class TestRefunds:
    def test_shrink_what_is_pending(self, guest: Member, policy: str) -> None:
        programme(points_wait_for="completion", clawback=policy)
        order = ten_cups(guest)

        refund(order, amount_cents=Cents(4000))
        complete(order)
        release_pending_points()

        assert wallet(guest).balance == 80
        assert not suite.check_all(now=timezone.now()).broken

    def test_in_two_halves_are_as_much_as_the_whole(self, guest: Member, policy: str) -> None:
        programme(points_wait_for="completion", clawback=policy)
        order = ten_cups(guest)

        refund(order, amount_cents=Cents(5999))
        refund(order, amount_cents=Cents(6001))

        promise = PendingPoints.objects.get()
        assert (promise.state, promise.taken_back) == ("voided", 120)
        assert wallet(guest).balance == 0
        assert not suite.check_all(now=timezone.now()).broken

    def test_before_and_after_availability_add_up(self, guest: Member, policy: str) -> None:
        programme(points_wait_for="completion", clawback=policy)
        order = ten_cups(guest)

        refund(order, amount_cents=Cents(5999))
        complete(order)
        release_pending_points()
        refund(order, amount_cents=Cents(6001))

        kept = 61 if policy == "only_pending" else 0
        assert wallet(guest).balance == kept
        assert not suite.check_all(now=timezone.now()).broken


class TestRefundsOfAvailablePoints:
    @pytest.mark.parametrize(
        ("policy", "balance"), [("only_pending", 30), ("within_balance", 0), ("allow_debt", -90)]
    )
    def test_go_as_far_as_the_policy(self, guest: Member, policy: str, balance: int) -> None:
        """120 earned and 100 of them spent (which earns 10), then given back. Peer bug 24."""
        programme(clawback=policy)
        order = ten_cups(guest)
        make.paid(what=make.basket(who=guest, points=100), total=1000)

        refund(order)

        assert wallet(guest).balance == balance
        assert not suite.check_all(now=timezone.now()).broken

    def test_take_from_the_lot_of_the_order_first(self, guest: Member) -> None:
        """Else buying and giving back would exchange old points for fresh ones. Peer bug U18."""
        programme(points_expire="days", points_live_count=90)
        ten_cups(guest, ago=timedelta(days=80))
        order = ten_cups(guest)

        refund(order)

        old, fresh = wallet(guest).lots.order_by("id")
        assert (old.remaining, fresh.remaining) == (120, 0)
        assert not suite.check_all(now=timezone.now()).broken


class TestPointsGivenBack:
    def test_keep_the_expiry_each_of_them_had(self, guest: Member) -> None:
        """Spent from two lots with 10 and 70 days to live: the first gets the grace period."""
        programme(points_expire="days", points_live_count=90)
        ten_cups(guest, ago=timedelta(days=80))
        ten_cups(guest, ago=timedelta(days=20))
        what = make.basket(who=guest, lines=[make.line(quantity=10)], points=200)
        order = make.paid(what=what, total=11_600, now=timezone.now()).order

        refund(order)

        now, lots = timezone.now(), wallet(guest).lots
        back = lots.filter(entry__kind="reverse_spend").order_by("expires_at")
        days = [(_local(lot.expires_at) - now).days for lot in back]
        assert [lot.points for lot in back] == [120, 80]
        assert days[0] == 29
        assert 69 <= days[1] <= 71
        assert [lot.entry.source.partition("/")[2] for lot in back] == ["", "2"]
        assert not suite.check_all(now=timezone.now()).broken
