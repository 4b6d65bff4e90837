"""Two memberships of one person become one: nothing is lost, nothing comes twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from campaigns import referrals
from campaigns.models import Acquisition, Coupon, Referral
from loyalty import earning_events, expiry, points, renewals, rewards
from loyalty.models import Membership, PointsAccount, PointsEntry, PointsLot, Reward, Visit
from shop.kernel.money import Points
from shop.models import Member, MemberSession
from shop.refunds import RefundRequest
from shop.storefront import facts, merging, refunds
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

EARLIER = make.NOON - timedelta(days=40)
SPRING, AUTUMN = make.NOON + timedelta(days=300), make.NOON + timedelta(days=400)


def merge(source: Member, into: Member, *, now: datetime = make.NOON) -> merging.Merged:
    return merging.merge_members(source, into=into, reason="one person", actor="test", now=now)


@transaction.atomic
def earn(who: Member, amount: int, *, expires_at: datetime, source: str = "test") -> None:
    account = points.lock_accounts([who.pk]).points(who.pk)
    points.earn(account, points=Points(amount), source=source, now=make.NOON, expires_at=expires_at)


def wallet(who: Member, name: str = "points") -> PointsAccount:
    return PointsAccount.objects.get(member=who, wallet=name)


def refund(number: str) -> None:
    refunds.refund_order(number=number, request=RefundRequest(), actor="test", now=make.NOON)


def broken() -> list[str]:
    return [f"{found.name}: {found.examples}" for found in suite.check_all(now=make.NOON).broken]


class TestMerge:
    def test_moves_lots_with_their_expiries(self) -> None:
        source, target = make.member(), make.member()
        earn(source, 30, expires_at=SPRING, source="a")
        earn(source, 20, expires_at=AUTUMN, source="b")
        earn(target, 5, expires_at=SPRING)

        moved = merge(source, target).points

        lots = PointsLot.objects.filter(account=wallet(target)).order_by("expires_at", "points")
        assert moved["points"] == 50
        assert [(lot.remaining, lot.expires_at) for lot in lots] == [
            (5, SPRING),
            (30, SPRING),
            (20, AUTUMN),
        ]
        assert (wallet(source).balance, wallet(source).is_closed) == (0, True)
        assert wallet(target).balance == 55
        assert broken() == []

    def test_moves_a_debt_as_a_debt(self) -> None:
        source, target = make.member(), make.member()
        order = make.paid(who=source).order
        make.give_points(source, 38)
        make.paid(what=make.basket(who=source, points=Points(50)), total=1100)
        refund(order.number)
        owed = wallet(source).balance
        make.give_points(target, 100)

        merge(source, target)

        assert owed < 0
        assert wallet(target).balance == 100 + owed
        assert broken() == []

    def test_keeps_the_days_of_qualifying_points_and_the_higher_tier(self) -> None:
        source, target = make.member(now=EARLIER), make.member()
        make.paid(
            what=make.basket(who=source, lines=[make.line(quantity=45)]), total=54000, now=EARLIER
        )
        high = Membership.objects.get(member=source).tier

        merge(source, target)

        entry = PointsEntry.objects.get(account=wallet(target, "qualifying"))
        assert (entry.kind, entry.points, entry.occurred_at) == ("merge_in", 540, EARLIER)
        assert high.level > 1
        assert Membership.objects.get(member=target).tier == high
        assert broken() == []

    def test_brings_orders_visits_and_the_earlier_origin(self) -> None:
        source = make.member(now=EARLIER)
        order = make.paid(who=source).order
        target = make.member()
        origin = Acquisition.objects.get(member=source).channel

        merge(source, target)

        order.refresh_from_db()
        target.refresh_from_db()
        assert order.member == target
        assert Visit.objects.get(order=order).member == target
        assert target.joined_at == EARLIER
        acquisition = Acquisition.objects.get(member=target)
        assert (acquisition.channel, acquisition.acquired_at) == (origin, EARLIER)
        assert facts.load(target.pk, now=make.NOON).order_count == 1
        assert broken() == []

    def test_lets_later_refunds_find_what_was_earned_and_spent_before(self) -> None:
        source, target = make.member(), make.member()
        make.give_points(source, 200)
        order = make.paid(what=make.basket(who=source, points=Points(50)), total=1100).order
        merge(source, target)

        refund(order.number)

        assert wallet(source).balance == 0
        assert wallet(target).balance == 200
        assert wallet(target, "qualifying").balance == 0

    def test_lets_points_that_expired_before_be_given_back_once(self) -> None:
        source, target = make.member(), make.member()
        points.earn(
            points.lock_accounts([source.pk]).points(source.pk),
            points=Points(40),
            source="t:1",
            now=EARLIER,
            expires_at=EARLIER + timedelta(days=9),
        )
        expiry.expire_accounts([wallet(source).pk], now=make.NOON)
        merge(source, target)
        terms: dict[str, Any] = {
            "expired_since": EARLIER,
            "until": AUTUMN + timedelta(days=365),
            "reason": "back",
            "actor": "test",
            "now": make.NOON,
        }

        back = renewals.reinstate(target.pk, **terms)

        assert (back, wallet(target).balance, wallet(source).balance) == (40, 40, 0)
        with pytest.raises(renewals.NothingToReinstate):
            renewals.reinstate(target.pk, **terms)
        assert broken() == []

    def test_renumbers_coupons_and_leaves_a_twin_of_the_same_issue(self) -> None:
        source, target = make.member(), make.member()
        make.definition("FULL25_5", per_member_limit=1)
        mine, theirs = make.coupon(target), make.coupon(source)
        twins = [make.coupon(who, "WINBACK_6") for who in (source, target)]
        Coupon.objects.filter(pk__in=[twin.pk for twin in twins]).update(source="issue:7")

        merged = merge(source, target)

        usable = Coupon.objects.filter(member=target, definition__code="FULL25_5")
        assert {(c.code, c.slot) for c in usable} == {(mine.code, 1), (theirs.code, 2)}
        twin = Coupon.objects.get(pk=twins[0].pk)
        assert (twin.member, twin.status) == (source, "revoked")
        assert merged.coupons >= 1
        assert broken() == []

    def test_voids_a_referral_of_oneself_and_takes_its_reward_back(self) -> None:
        referrer = make.member()
        friend = make.referred(referrer)
        make.paid(who=friend)

        merge(friend, referrer)

        assert Referral.objects.get().status == "void"
        assert referrals.count_qualified(referrer.pk, since=EARLIER) == 0
        pending = PointsAccount.objects.get(member=referrer, wallet="points").pending
        assert set(pending.values_list("state", flat=True)) == {"voided"}
        assert broken() == []

    def test_keeps_the_friends_and_the_earlier_of_two_who_brought_one(self) -> None:
        first, second = make.member(), make.member()
        source = make.referred(first, now=EARLIER)
        target = make.referred(second)
        friend = make.referred(source)

        merge(source, target)

        assert Referral.objects.get(referee=target).referrer == first
        assert Referral.objects.get(referee=friend).referrer == target
        assert broken() == []

    def test_is_done_once_and_closes_the_source(self) -> None:
        source, target, third = (make.member() for _each in range(3))
        phone = make.phone_of(source)
        merge(source, target)
        office = make.staff(group="Head office")

        again = office.post(
            f"/members/{source.public_id}/merge",
            {"into": str(third.public_id), "reason": "mistake"},
        )

        source.refresh_from_db()
        assert (again.status_code, again.json()["code"]) == (409, "member-not-active")
        assert (source.status, source.merged_into) == ("closed", target)
        assert phone.get("/me").status_code == 401
        assert not MemberSession.objects.filter(member=source, revoked_at=None).exists()

    def test_leads_all_former_memberships_to_the_last(self) -> None:
        first, second, third = (make.member() for _each in range(3))
        order = make.paid(who=first).order
        merge(first, second)
        merge(second, third)

        refund(order.number)

        first.refresh_from_db()
        assert first.merged_into == third
        assert wallet(third).balance == 0
        assert broken() == []

    @pytest.mark.parametrize("what", ["order", "reward", "self", "frozen"])
    def test_is_refused_while_something_is_open(self, what: str) -> None:
        source, target = make.member(), make.member()
        codes = {
            "order": "orders-open",
            "reward": "points-held",
            "self": "merge-into-self",
            "frozen": "member-not-active",
        }
        make.give_points(source, 2000)
        if what == "order":
            make.placed(who=source)
        elif what == "reward":
            rewards.redeem("FREE_DRINK", member_id=source.pk, now=make.NOON)
        elif what == "frozen":
            Member.objects.filter(pk=target.pk).update(status="frozen")
        office = make.staff(group="Head office")

        into = source if what == "self" else target
        answer = office.post(
            f"/members/{source.public_id}/merge",
            {"into": str(into.public_id), "reason": "one person"},
        )

        assert (answer.status_code, answer.json()["code"]) == (409, codes[what])
        assert wallet(source).balance == 2000


def test_caps_limits_and_events_count_on() -> None:
    """Both used a mug and both checked in on one day: neither can be had or done once more."""
    mug = Reward.objects.create(
        code="MUG", kind="goods", cost_points=Points(5), limit_per_member=2, name_zh="杯"
    )
    make.earning_rule(kind="event", event="check_in", points=10, max_points_per_day=15)
    source, target = make.member(), make.member()
    for who in (source, target):
        record(who, key="monday")
        code = rewards.redeem(mug.code, member_id=who.pk, now=make.NOON).code
        rewards.hand_out_goods(code, store_id=make.store().pk, actor="test", now=make.NOON)
    record(source, key="tuesday")

    merge(source, target)

    assert broken() == []
    assert [record(target, key=key) for key in ("monday", "tuesday", "sunday")] == [10, 5, 0]
    with pytest.raises(rewards.RewardLimitReached):
        rewards.redeem(mug.code, member_id=target.pk, now=make.NOON)


def record(who: Member, *, key: str) -> int:
    """Return what a check-in under this key has earned."""
    event, _is_new = earning_events.record(
        who.pk, event="check_in", key=key, store=make.store(), actor="test", now=make.NOON
    )
    return event.points


class TestStatement:
    def test_says_which_membership_brought_what(self) -> None:
        """Both histories: the entries of the former, and what arrived of them."""
        stays, goes, other = make.member(), make.member(), make.member()
        make.give_points(goes, 30)
        make.give_points(goes, 12)
        for number, source in enumerate((goes, other)):
            merging.merge_members(
                source,
                into=stays,
                reason="new phone",
                actor="staff:1",
                now=make.NOON + timedelta(hours=number),
            )
        phone = make.phone_of(stays)

        mine = phone.get("/me/merges").json()
        staff = make.staff("SH001").get(f"/members/{stays.public_id}/merges").json()
        former = phone.get("/me/points/entries", former=str(goes.public_id)).json()["results"]
        arrived = phone.get("/me/points/entries").json()["results"]
        strange = make.phone_of(make.member()).get("/me/points/entries", former=str(goes.public_id))

        assert [row["source"] for row in mine] == [str(other.public_id), str(goes.public_id)]
        assert [row["points"].get("points", 0) for row in mine] == [0, 42]
        assert (staff[1]["reason"], staff[1]["actor"]) == ("new phone", "staff:1")
        assert [(row["kind"], row["points"]) for row in former] == [
            ("merge_out", -42),
            ("adjust", 12),
            ("adjust", 30),
        ]
        assert {row["source"].partition("/")[0] for row in arrived} == {mine[1]["reference"]}
        assert strange.json()["results"] == []
