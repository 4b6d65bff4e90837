"""A coupon on offer in a rush: one friend gets it, or its owner uses it, never both."""

from functools import partial

from campaigns import revocations, transfers
from campaigns.models import Coupon
from tests import make
from tests.concurrency.crowd import at_once, outcome, outcomes
from tests.concurrency.test_coupons import settle


class TestOneLink:
    def test_gives_the_coupon_to_one_of_ten_friends(self) -> None:
        """The lock of the coupon in `transfers.accept` and, should it ever go, the guarded updates
        of `coupons.pass_on` and of the transfer; with all three gone several friends get it, and
        the one-to-one key of `passed_on_from` crashes the others. Peer bugs 12, 17.
        """
        definition = make.definition(is_transferable=True)
        coupon = make.coupon(make.member())
        offered = transfers.offer(coupon.code, member_id=coupon.member_id, now=make.NOON)
        friends = [make.member() for _ in range(10)]

        said = outcomes(
            [
                partial(transfers.accept, offered.token, member_id=friend.pk, now=make.NOON)
                for friend in friends
            ]
        )

        received = Coupon.objects.filter(definition=definition).exclude(pk=coupon.pk)
        definition.refresh_from_db()
        assert said == {"done": 1, "transfer-not-open": 9}
        assert (received.count(), definition.issued_count) == (1, 1)

    def test_gives_no_coupon_that_its_owner_uses_in_the_same_moment(self) -> None:
        """The status in `coupons.pass_on` and in the statement of `redemptions.redeem`."""
        make.definition(is_transferable=True)
        for number in range(4):
            owner, friend = make.member(), make.member()
            coupon = make.coupon(owner)
            offered = transfers.offer(coupon.code, member_id=owner.pk, now=make.NOON)
            lines = [make.line(quantity=3)]
            what = make.basket(who=owner, lines=lines, coupon_codes=[coupon.code])

            said = outcomes(
                [
                    partial(settle, what, 3100, f"T1-{number}"),
                    partial(transfers.accept, offered.token, member_id=friend.pk, now=make.NOON),
                ]
            )

            assert said["done"] == 1
            assert set(said) <= {"done", "coupon-not-usable", "quote-changed"}

    def test_made_twice_at_once_leaves_one_open(self) -> None:
        """The lock of the coupon in `transfers.offer`; without it the unique key crashes one."""
        make.definition(is_transferable=True)
        coupon = make.coupon(make.member())

        said = outcomes(
            [
                partial(transfers.offer, coupon.code, member_id=coupon.member_id, now=make.NOON)
                for _ in range(6)
            ]
        )

        assert said == {"done": 6}
        assert coupon.transfers.filter(status="open").count() == 1

    def test_gives_no_coupon_that_is_revoked_in_the_same_moment(self) -> None:
        """The condition of the update in `coupons.pass_on`, asked of the row as it is by then, and
        the lock of the rows in `revocations.mark`: with neither, the friend has what was revoked,
        or a coupon that was given away is revoked afterwards.
        """
        make.definition(is_transferable=True)
        for _round in range(6):
            coupon = make.coupon(make.member())
            friend = make.member()
            offered = transfers.offer(coupon.code, member_id=coupon.member_id, now=make.NOON)

            revoke = partial(revocations.revoke, coupon, reason="x", actor="t", now=make.NOON)
            said = at_once(
                [
                    outcome(revoke),
                    outcome(
                        partial(transfers.accept, offered.token, member_id=friend.pk, now=make.NOON)
                    ),
                ]
            )

            has_it = Coupon.objects.filter(passed_on_from=coupon, status="available").exists()
            status = Coupon.objects.get(pk=coupon.pk).status
            assert (said, status, has_it) in [
                (["done", "coupon-not-usable"], "revoked", False),
                (["coupon-not-revocable", "done"], "transferred", True),
            ]

    def test_taken_back_in_the_same_moment_is_taken_back_or_accepted(self) -> None:
        """The lock of the coupon in `transfers.cancel` and `transfers.accept` and, should it ever
        go, the guarded update of the transfer in `accept`; with both gone both are told that they
        were first.
        """
        make.definition(is_transferable=True)
        for _round in range(6):
            coupon = make.coupon(make.member())
            giver, friend = coupon.member_id, make.member().pk
            offered = transfers.offer(coupon.code, member_id=giver, now=make.NOON)

            said = outcomes(
                [
                    partial(transfers.cancel, coupon.code, member_id=giver, now=make.NOON),
                    partial(transfers.accept, offered.token, member_id=friend, now=make.NOON),
                ]
            )

            assert said == {"done": 1, "transfer-not-open": 1}
            is_accepted = coupon.transfers.get().status == "accepted"
            theirs = Coupon.objects.filter(member_id=friend, passed_on_from=coupon)
            assert is_accepted == theirs.exists()
