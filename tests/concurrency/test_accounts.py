"""Memberships that end, and adjustments that are decided, while others act."""

from functools import partial

from loyalty import adjustments
from loyalty.models import PointsAccount, PointsAdjustment, PointsEntry
from shop.kernel.money import Cents, Points
from shop.models import Member, MemberStatusChange, Order
from shop.orders import Tender
from shop.storefront import checkout, merging
from tests import make
from tests.concurrency.crowd import outcomes


def merge(source: Member, into: Member) -> None:
    merging.merge_members(source, into=into, reason="one person", actor="test", now=make.NOON)


def settle(who: Member, number: str) -> None:
    checkout.settle_order(
        make.basket(who=who),
        tenders=[Tender(method="cash", amount_cents=Cents(1200))],
        expected_total_cents=Cents(1200),
        pos_order_no=number,
        actor="test",
        now=make.NOON,
    )


def balance(who: Member) -> int:
    return int(PointsAccount.objects.get(member=who, wallet="points").balance)


class TestMerge:
    def test_is_done_once_however_often_and_whichever_way_it_is_asked_for(self) -> None:
        """The lock on both members in `accounts.lock`; without it two merges move the points twice,
        or each into the other.
        """
        for _round in range(3):
            one, other = make.member(), make.member()
            make.give_points(one, 30)
            make.give_points(other, 12)

            said = outcomes([partial(merge, one, other), partial(merge, other, one)] * 3)

            assert said["done"] == 1
            assert set(said) <= {"done", "member-not-active", "member-busy"}
            assert sorted([balance(one), balance(other)]) == [0, 42]
            assert MemberStatusChange.objects.filter(member__in=[one, other]).count() == 1

    def test_never_loses_what_is_earned_in_the_same_moment(self) -> None:
        """The closed wallet (`Wallets.ensure_open`): without it a sale that began before the merge
        earns for a membership that has ended.
        """
        for number in range(4):
            one, other = make.member(), make.member()
            make.give_points(one, 30)

            said = outcomes(
                [
                    partial(merge, one, other),
                    *[partial(settle, one, f"A{number}-{n}") for n in range(4)],
                ]
            )

            sold = Order.objects.filter(member__in=[one, other]).count()
            merged = Member.objects.get(pk=one.pk).merged_into_id is not None
            assert set(said) <= {"done", "wallet-closed", "member-not-active", "member-busy"}
            assert said["done"] == sold + merged
            assert (balance(one), balance(other))[merged] == 30 + 12 * sold


class TestAdjustment:
    def test_is_posted_once_however_many_agree(self) -> None:
        """The guarded update from pending in `adjustments._decide`; without it the second crashes
        on the ledger's unique key, and a rejected one is posted all the same.
        """
        who, asker = make.member(), make.staff_member("SH001")
        ask = partial(adjustments.request, who, by=asker, now=make.NOON, expires_at=None)
        row = ask(amount=Points(9000), reason="compensation", source="big")
        people = [make.staff_member(group="Head office") for _each in range(6)]

        def decide(index: int) -> None:
            mine = PointsAdjustment.objects.get(pk=row.pk)
            if index % 2:
                adjustments.reject(mine, by=people[index], now=make.NOON)
            else:
                adjustments.approve(mine, by=people[index], now=make.NOON, expires_at=None)

        said = outcomes([partial(decide, index) for index in range(6)])

        row.refresh_from_db()
        assert said == {"done": 1, "adjustment-decided": 5}
        assert balance(who) == (9000 if row.state == "approved" else 0)

    def test_alone_never_exceeds_what_one_person_may_in_a_day(self) -> None:
        """The lock of the person's name in `adjustments.request`; without it several small ones see
        the same sum of the day.
        """
        asker = make.staff_member("SH001")
        members = [make.member() for _each in range(8)]
        calls = [
            partial(
                adjustments.request,
                who,
                amount=Points(500),
                reason="compensation",
                by=asker,
                source=f"many:{who.pk}",
                now=make.NOON,
                expires_at=None,
            )
            for who in members
        ]

        outcomes(calls)

        assert PointsEntry.objects.filter(source__startswith="many:").count() == 4
        assert PointsAdjustment.objects.filter(state="pending").count() == 4
