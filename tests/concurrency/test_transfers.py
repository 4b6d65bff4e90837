"""A coupon on offer in a rush: one friend gets it, or its owner uses it, never both."""

from functools import partial

from campaigns import transfers
from campaigns.models import Coupon
from tests import make
from tests.concurrency.crowd import outcomes
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
