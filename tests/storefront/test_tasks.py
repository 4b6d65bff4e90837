"""Background jobs: what comes due, and what does not."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from loyalty import rewards
from loyalty.models import PendingPoints, PointsAccount, RewardRedemption
from shop.models import Member
from shop.storefront.tasks import cancel_unpaid_orders, release_pending_points
from tests import make

pytestmark = pytest.mark.django_db

A_WEEK = timedelta(days=7)


def wallet(who: Member) -> PointsAccount:
    return PointsAccount.objects.get(member=who, wallet="points")


class TestPromisedPoints:
    def test_reach_both_friends_once_after_the_refund_window(self) -> None:
        then = timezone.now() - A_WEEK
        friend = make.member(now=then)
        guest = make.referred(friend, now=then)
        make.paid(who=guest, now=then)

        release_pending_points()
        release_pending_points()

        assert (wallet(friend).balance, wallet(guest).balance) == (50, 12 + 20)
        assert set(PendingPoints.objects.values_list("state", flat=True)) == {"posted"}

    def test_expire_with_the_year_of_the_store(self) -> None:
        then = timezone.now() - A_WEEK
        friend = make.member(now=then)
        make.paid(who=make.referred(friend, now=then), now=then)

        release_pending_points()

        expires_at = wallet(friend).lots.get().expires_at
        assert expires_at is not None
        local = expires_at.astimezone(ZoneInfo(make.store().timezone))
        assert (local.month, local.day, local.hour) == (1, 1, 0)

    def test_wait_until_the_window_is_over(self) -> None:
        then = timezone.now() - A_WEEK + timedelta(hours=1)
        friend = make.member(now=then)
        make.paid(who=make.referred(friend, now=then), now=then)

        release_pending_points()

        assert wallet(friend).balance == 0


class TestUnusedReward:
    def test_gives_its_points_back_when_its_time_is_over(self) -> None:
        guest = make.member()
        make.give_points(guest, 2000)
        then = timezone.now() - timedelta(days=31)
        over = rewards.redeem("FREE_DRINK", member_id=guest.pk, now=then)
        good = rewards.redeem("FREE_DRINK", member_id=guest.pk, now=timezone.now())

        release_pending_points()

        statuses = dict(RewardRedemption.objects.values_list("code", "status"))
        assert statuses == {over.code: "expired", good.code: "issued"}
        assert wallet(guest).available == 1000


class TestUnpaidOrder:
    def test_that_is_paid_meanwhile_stays(self) -> None:
        late = make.placed(now=timezone.now() - timedelta(minutes=16))
        paid = make.paid(now=timezone.now() - timedelta(minutes=16)).order

        cancel_unpaid_orders()
        cancel_unpaid_orders()

        late.refresh_from_db()
        paid.refresh_from_db()
        assert (late.status, paid.status) == ("cancelled", "paid")
        assert late.events.count() == 1
