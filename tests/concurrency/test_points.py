"""Points in a rush: nobody spends a point twice, nothing is earned or released twice."""

from datetime import timedelta
from functools import partial

from django.db import transaction

from loyalty import expiry, points, promises, rewards
from loyalty.models import PendingPoints, PointsAccount, PointsEntry, Reward, RewardRedemption
from shop.kernel.money import Cents, Points
from shop.models import Member, Order
from shop.orders import Tender
from shop.refunds import RefundRequest
from shop.storefront import checkout, refunds, reward_desk
from shop.storefront.baskets import Basket
from tests import make
from tests.concurrency.crowd import at_once, outcome, outcomes

BUSY = {"not-enough-points", "quote-changed"}
"""What the loser of a race for points is told: spent after its quote, or before."""
LATER = make.NOON + timedelta(days=8)


def wallet(who: Member) -> PointsAccount:
    return PointsAccount.objects.get(member=who, wallet="points")


def settle(what: Basket, total: int, number: str) -> None:
    checkout.settle_order(
        what,
        tenders=[Tender(method="cash", amount_cents=Cents(total))],
        expected_total_cents=Cents(total),
        pos_order_no=number,
        actor="test",
        now=make.NOON,
    )


def release(promise: PendingPoints) -> bool:
    return promises.release(promise.pk, now=LATER, expires_at=LATER + timedelta(days=365))


@transaction.atomic
def give_dated(who: Member, source: str) -> None:
    account = points.lock_accounts([who.pk]).points(who.pk)
    points.earn(account, points=Points(25), source=source, now=make.NOON, expires_at=LATER)


@transaction.atomic
def spend(who: Member, source: str) -> None:
    account = points.lock_accounts([who.pk]).points(who.pk)
    points.spend(account, points=Points(10), source=source, now=LATER)


@transaction.atomic
def expire(who: Member) -> None:
    expiry.expire_accounts([wallet(who).pk], now=LATER)


def friend_who_bought() -> tuple[Member, Member, Order]:
    """Return a referrer, the friend and the friend's first order."""
    referrer = make.member()
    friend = make.referred(referrer)
    return referrer, friend, make.paid(who=friend).order


class TestBalance:
    def test_is_spent_by_one_of_twenty_sales_at_once(self) -> None:
        """The row lock of `points.lock_accounts` holds it; without it several sales see the whole
        balance. Peer bugs 7, 15.
        """
        guest = make.member()
        make.give_points(guest, 300)
        what = make.basket(who=guest, points=Points(300))

        said = outcomes([partial(settle, what, 600, f"T1-{number}") for number in range(20)])

        assert said["done"] == 1
        assert set(said) <= {"done"} | BUSY
        assert wallet(guest).balance == 6
        assert Order.objects.count() == 1

    def test_is_held_by_one_of_many_orders_at_once(self) -> None:
        """The same lock: what is held stops being available at once."""
        guest = make.member()
        make.give_points(guest, 300)
        what = make.basket(who=guest, points=Points(300))
        place = partial(checkout.place_order, what, expected_total_cents=Cents(600), now=make.NOON)

        said = outcomes([place] * 10)

        assert said["done"] == 1
        assert set(said) <= {"done"} | BUSY
        assert (wallet(guest).balance, wallet(guest).held) == (300, 300)

    def test_keeps_every_credit_that_comes_at_once(self) -> None:
        """The same lock: without it two sales write the same balance, and one credit is lost."""
        guest = make.member()
        what = make.basket(who=guest)

        said = outcomes([partial(settle, what, 1200, f"T1-{number}") for number in range(12)])

        entries = PointsEntry.objects.filter(account=wallet(guest)).order_by("id")
        assert said == {"done": 12}
        assert [entry.balance_after for entry in entries] == [12 * n for n in range(1, 13)]
        assert wallet(guest).balance == 144


class TestExpiry:
    def test_takes_each_lot_once_however_many_runs_there_are_and_whoever_spends(self) -> None:
        """The lock on the accounts in `expiry.expire_accounts`; without it two runs see the same
        rest, and the second crashes on the unique source of its entry or takes what was spent.
        """
        for _round in range(3):
            guest = make.member()
            for number in range(4):
                give_dated(guest, f"t:{number}")

            said = outcomes(
                [
                    *[partial(expire, guest)] * 5,
                    *[partial(spend, guest, f"s:{number}") for number in range(5)],
                ]
            )

            spent = PointsEntry.objects.filter(account=wallet(guest), kind="spend").count()
            assert set(said) <= {"done", "not-enough-points"}
            assert wallet(guest).balance == 0
            assert said["done"] == 5 + spent
            expired = PointsEntry.objects.filter(account=wallet(guest), kind="expire")
            assert -sum(expired.values_list("points", flat=True)) == 100 - 10 * spent


class TestRewards:
    def test_with_points_for_one_only_one_is_had(self) -> None:
        """The row lock of `points.lock_accounts` again."""
        guest = make.member()
        reward = Reward.objects.get()
        make.give_points(guest, reward.cost_points + 1)
        redeem = partial(rewards.redeem, reward.code, member_id=guest.pk, now=make.NOON)

        said = outcomes([redeem] * 10)

        assert said == {"done": 1, "not-enough-points": 9}
        assert RewardRedemption.objects.count() == 1
        assert wallet(guest).available == 1

    def test_in_stock_once_goes_to_one_member(self) -> None:
        """The guarded update of the stock in `rewards`; without it the stock goes below zero."""
        Reward.objects.update(stock=1)
        reward = Reward.objects.get()
        members = [make.member() for _ in range(8)]
        for who in members:
            make.give_points(who, reward.cost_points)

        said = outcomes(
            [
                partial(rewards.redeem, reward.code, member_id=who.pk, now=make.NOON)
                for who in members
            ]
        )

        reward.refresh_from_db()
        assert said == {"done": 1, "reward-not-available": 7}
        assert reward.stock == 0
        assert PointsAccount.objects.filter(held__gt=0).count() == 1

    def test_limited_per_member_are_had_so_often(self) -> None:
        """The wallets' row lock before slots are counted; else the unique slot breaks instead."""
        Reward.objects.update(limit_per_member=2)
        reward = Reward.objects.get()
        guest = make.member()
        make.give_points(guest, 10 * reward.cost_points)

        redeem = partial(rewards.redeem, reward.code, member_id=guest.pk, now=make.NOON)

        said = outcomes([redeem] * 6)

        assert said == {"done": 2, "reward-limit-reached": 4}
        slots = RewardRedemption.objects.order_by("slot").values_list("slot", flat=True)
        assert list(slots) == [1, 2]

    def test_handed_out_or_refunded_by_many_are_so_once(self) -> None:
        """The guarded updates of the status in `rewards.hand_out` and `rewards.refund`."""
        Reward.objects.update(kind="goods", max_value_cents=0)
        reward = Reward.objects.get()
        guest = make.member()
        make.give_points(guest, reward.cost_points)
        code = rewards.redeem(reward.code, member_id=guest.pk, now=make.NOON).code
        hand_out = partial(
            rewards.hand_out_goods, code, store_id=make.store().pk, actor="test", now=make.NOON
        )
        refund = partial(
            reward_desk.refund, code, reason="no", actor="test", is_restocked=False, now=make.NOON
        )

        handed_out, refunded = outcomes([hand_out] * 6), outcomes([refund] * 6)

        assert handed_out == refunded == {"done": 1, "reward-not-usable": 5}
        assert (wallet(guest).balance, wallet(guest).held) == (reward.cost_points, 0)

    def test_are_used_on_one_of_many_orders(self) -> None:
        """The guarded update of the redemption's status in `rewards.use`."""
        guest = make.member()
        reward = Reward.objects.get()
        make.give_points(guest, reward.cost_points)
        code = rewards.redeem(reward.code, member_id=guest.pk, now=make.NOON).code
        what = make.basket(who=guest, reward_code=code)

        said = outcomes([partial(settle, what, 0, f"T1-{number}") for number in range(8)])

        assert said["done"] == 1
        assert set(said) <= {"done", "reward-not-usable", "quote-changed"}
        assert (wallet(guest).balance, wallet(guest).held) == (0, 0)

    def test_are_used_or_given_back_never_both(self) -> None:
        """The row lock on the account, and the guarded status: one of the two finds it gone."""
        reward = Reward.objects.get()
        for number in range(4):
            guest = make.member()
            make.give_points(guest, reward.cost_points)
            code = rewards.redeem(reward.code, member_id=guest.pk, now=make.NOON).code
            what = make.basket(who=guest, reward_code=code)

            used, returned = at_once(
                [
                    outcome(partial(settle, what, 0, f"T1-{number}")),
                    outcome(partial(rewards.cancel, code, member_id=guest.pk, now=make.NOON)),
                ]
            )

            assert {used, returned} & {"done"}
            left = reward.cost_points if returned == "done" else 0
            assert (wallet(guest).balance, wallet(guest).held) == (left, 0)
            assert Order.objects.filter(member=guest).count() == (used == "done")


class TestPromise:
    def test_is_released_once_however_many_workers_find_it_due(self) -> None:
        """The guarded update from pending in `promises.release`; without it the second worker
        crashes on the ledger's unique key.
        """
        referrer, _friend, _order = friend_who_bought()
        promise = PendingPoints.objects.get(account=wallet(referrer))

        released = at_once([partial(release, promise) for _ in range(10)])

        assert sorted(released) == [False] * 9 + [True]
        assert wallet(referrer).balance == promise.points

    def test_released_while_its_order_is_refunded_comes_to_nothing(self) -> None:
        """The account lock makes the two take turns: released and taken back, or never released."""
        for _round in range(4):
            referrer, friend, order = friend_who_bought()
            promises = list(PendingPoints.objects.filter(account__member__in=[referrer, friend]))
            refund = partial(
                refunds.refund_order,
                number=order.number,
                request=RefundRequest(),
                actor="test",
                now=LATER,
            )

            said = outcomes([*(partial(release, promise) for promise in promises), refund])

            assert said == {"done": 3}
            assert (wallet(referrer).balance, wallet(friend).balance) == (0, 0)


class TestReferral:
    def test_is_made_good_once_by_many_first_orders(self) -> None:
        """The guarded update from registered in `referrals.qualify`; without it the second order
        promises the reward again and crashes on its unique key. Peer bug 66.
        """
        referrer = make.member()
        friend = make.referred(referrer)
        what = make.basket(who=friend)

        said = outcomes([partial(settle, what, 1200, f"T1-{number}") for number in range(8)])

        promised = PendingPoints.objects.order_by("points").values_list("points", flat=True)
        assert said == {"done": 8}
        assert list(promised) == [20, 50]


class TestFriends:
    """A brought B and C; all three buy and give back in the same seconds."""

    def test_never_wait_for_each_other_in_a_circle(self) -> None:
        """`points.lock_accounts` locks all wallets of a flow at once in ascending id; one by one in
        any order, PostgreSQL ends deadlocks.
        """
        for number in range(3):
            referrer = make.member()
            friends = [make.referred(referrer) for _ in range(3)]
            bought = [make.paid(who=who).order for who in friends]
            newcomers = [make.referred(referrer) for _ in range(3)]

            said = outcomes(
                [
                    *(
                        partial(
                            refunds.refund_order,
                            number=order.number,
                            request=RefundRequest(),
                            actor="test",
                            now=make.NOON,
                        )
                        for order in bought
                    ),
                    *(
                        partial(settle, make.basket(who=who), 1200, f"T{number}-{position}")
                        for position, who in enumerate([*newcomers, *[referrer] * 4])
                    ),
                ]
            )

            assert said == {"done": 10}

    def test_may_lock_any_wallets_together(self) -> None:
        """The same, with nothing else around it: eight flows, every pair of four members."""
        members = [make.member().pk for _ in range(4)]
        pairs = [(a, b) for a in members for b in members if a != b]

        def lock_often(pair: tuple[int, int]) -> None:
            for _round in range(15):
                with transaction.atomic():
                    points.lock_accounts(pair)

        said = outcomes([partial(lock_often, pair) for pair in pairs])

        assert said == {"done": 12}


class TestStamps:
    def test_first_of_several_sales_open_one_card_and_none_is_lost(self) -> None:
        """`ON CONFLICT` of `points.open_account`: each sale has seen that there is no card."""
        make.earning_rule("CARD", kind="stamp", points=1)
        guest = make.member()

        said = outcomes(
            [partial(settle, make.basket(who=guest), 1200, f"T1-{n}") for n in range(6)]
        )

        assert said == {"done": 6}
        assert PointsAccount.objects.get(member=guest, wallet="stamps").balance == 6
