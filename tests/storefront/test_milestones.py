"""Birthdays, friends and profiles earn by themselves: once each, when a rule gives something."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from loyalty import promises
from loyalty.models import EarningEvent, PointsAccount
from shop import accounts
from shop.models import Member
from shop.refunds import RefundRequest
from shop.storefront import milestones, refunds
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def balance(who: Member) -> int:
    return int(PointsAccount.objects.get(member=who, wallet="points").balance)


def celebrate(now: datetime) -> int:
    return milestones.celebrate_birthdays(now=now, limit=100)


class TestBirthdays:
    def test_earn_once_a_year_on_the_day_of_the_store(self) -> None:
        """19 June begins in Shanghai at 16:00 UTC the day before."""
        make.earning_rule(kind="event", event="birthday", points=88)
        who = make.member(birthday=date(2000, 6, 19), now=make.NOON - 30 * DAY)
        make.member(birthday=date(2000, 6, 27), now=make.NOON - 30 * DAY)
        midnight = datetime(2026, 6, 18, 16, tzinfo=UTC)

        given = [
            celebrate(midnight - timedelta(seconds=1)),
            celebrate(midnight),
            celebrate(midnight),
            celebrate(midnight + 6 * DAY),
            celebrate(datetime(2027, 6, 19, tzinfo=UTC)),
        ]

        assert given == [0, 1, 0, 0, 1]
        assert balance(who) == 2 * 88
        assert sorted(EarningEvent.objects.values_list("key", flat=True)) == ["2026", "2027"]
        assert suite.check_all(now=make.NOON).broken == []

    def test_of_29_february_are_on_the_28th_where_there_is_no_29th(self) -> None:
        make.earning_rule(kind="event", event="birthday", points=88)
        make.member(birthday=date(2000, 2, 29), now=make.NOON)

        assert celebrate(datetime(2027, 2, 27, 4, tzinfo=UTC)) == 0
        assert celebrate(datetime(2027, 2, 28, 4, tzinfo=UTC)) == 1

    def test_give_nothing_without_a_rule_or_to_a_frozen_member(self) -> None:
        today = date(2000, 6, 18)
        make.member(birthday=today, now=make.NOON - DAY)
        assert celebrate(make.NOON) == 0

        make.earning_rule(kind="event", event="birthday", points=88)
        frozen = make.member(birthday=today, now=make.NOON - DAY)
        accounts.freeze(frozen, reason="test", actor="test", now=make.NOON)

        assert celebrate(make.NOON) == 1
        assert not EarningEvent.objects.filter(member=frozen).exists()


class TestFriends:
    def test_earn_when_their_first_order_can_no_longer_come_back(self) -> None:
        """Seven days are the refund window; 50 more come by the programme itself."""
        make.earning_rule(kind="event", event="referral", points=30)
        who = make.member()
        stays, leaves = make.referred(who), make.referred(who)
        make.paid(who=stays)
        number = make.paid(who=leaves).order.number
        refunds.refund_order(
            number=number, request=RefundRequest(), actor="test", now=make.NOON + DAY
        )

        thanked = [
            milestones.thank_referrers(now=make.NOON + days * DAY, limit=100) for days in (6, 7, 8)
        ]

        assert thanked == [0, 1, 0]
        assert balance(who) == 30
        assert milestones.thank_referrers(now=make.NOON + 40 * DAY, limit=100) == 0

    def test_earn_nothing_for_good_with_an_order_that_came_back_late(self) -> None:
        """Both rewards go, that of the programme and that of the rule."""
        make.earning_rule(kind="event", event="referral", points=30)
        who = make.member()
        order = make.paid(who=make.referred(who)).order
        later = make.NOON + 8 * DAY
        for promise in promises.due(now=later, limit=10):
            promises.release(promise, now=later, expires_at=None)
        milestones.thank_referrers(now=later, limit=100)
        before = balance(who)

        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=later + DAY
        )

        assert (before, balance(who)) == (50 + 30, 0)
        assert milestones.thank_referrers(now=later + DAY, limit=100) == 0
        assert suite.check_all(now=later + DAY).broken == []


class TestProfiles:
    def test_earn_once_when_name_and_birthday_are_told(self) -> None:
        make.earning_rule(kind="event", event="profile", points=20)
        who = make.member(name="林", now=timezone.now())
        phone = make.phone_of(who)

        first = phone.post("/me/birthday", {"birthday": "2000-02-29"})
        again = phone.post("/me/birthday", {"birthday": "2000-02-28"})

        assert (first.status_code, again.status_code) == (200, 409)
        assert first.json()["points_balance"] == 20
        assert balance(who) == 20

    def test_earn_at_once_for_who_joins_with_both(self) -> None:
        make.earning_rule(kind="event", event="profile", points=20)

        assert balance(make.member(name="林", birthday=date(2000, 1, 1))) == 20
        assert balance(make.member(birthday=date(2000, 1, 1))) == 0
