"""Giving coupons to friends over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import coupons, revocations, transfers
from campaigns.models import Coupon, CouponTransfer
from shop.models import Member
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

ACCEPT = "/coupon-transfers/acceptances"


@pytest.fixture
def giver() -> Member:
    make.definition(is_transferable=True, per_member_limit=1)
    return make.member()


@pytest.fixture
def coupon(giver: Member) -> Coupon:
    return make.coupon(giver, now=timezone.now())


def offer(coupon: Coupon) -> Any:
    return make.phone_of(coupon.member).post(f"/me/coupons/{coupon.code}/transfer")


def accept(who: Member, token: str) -> Any:
    return make.phone_of(who).post(ACCEPT, {"token": token})


class TestACouponGivenAway:
    def test_moves_to_whoever_has_the_link(self, coupon: Coupon) -> None:
        friend = make.member()
        token = offer(coupon).json()["token"]

        got = accept(friend, token)

        received = Coupon.objects.get(member=friend, definition=coupon.definition)
        coupon.refresh_from_db()
        assert (got.status_code, got.json()["code"]) == (201, received.code)
        assert (coupon.status, received.status) == ("transferred", "available")
        assert received.expires_at == coupon.expires_at
        assert received.passed_on_from == coupon
        assert make.definition().issued_count == 1

    def test_is_used_by_the_friend_alone(self, coupon: Coupon) -> None:
        friend = make.member()
        got = accept(friend, offer(coupon).json()["token"]).json()["code"]
        lines = [{"product": "MT01", "quantity": 3, "options": make.MILK_TEA}]

        def total(who: Member, code: str) -> int:
            body = {"store": "SH001", "lines": lines, "coupons": [code]}
            return make.phone_of(who).post("/quotes", body).json()["total_cents"]

        assert total(friend, got) == 3100
        assert total(coupon.member, coupon.code) == 3600
        assert total(coupon.member, got) == 3600

    def test_is_accepted_once(self, coupon: Coupon) -> None:
        token = offer(coupon).json()["token"]
        accept(make.member(), token)

        late = accept(make.member(), token)

        assert (late.status_code, late.json()["code"]) == (409, "transfer-not-open")

    def test_counts_as_one_that_the_receiver_has_had(self, coupon: Coupon) -> None:
        friend = make.member()
        make.coupon(friend)  # the only one they may have

        refused = accept(friend, offer(coupon).json()["token"])

        coupon.refresh_from_db()
        assert (refused.status_code, refused.json()["code"]) == (409, "claim-limit-reached")
        assert coupon.status == "available"
        assert CouponTransfer.objects.get().status == "open"

    def test_gives_the_giver_no_room_for_another(self, coupon: Coupon) -> None:
        accept(make.member(), offer(coupon).json()["token"])

        with pytest.raises(coupons.ClaimLimitReached):
            make.coupon(coupon.member)

    def test_may_be_given_on(self, coupon: Coupon) -> None:
        friend, other = make.member(), make.member()
        accept(friend, offer(coupon).json()["token"])
        received = Coupon.objects.get(member=friend, definition=coupon.definition)

        accept(other, offer(received).json()["token"])

        assert Coupon.objects.get(member=other, definition=coupon.definition).status == "available"

    def test_has_its_days_of_grace_when_its_order_comes_back_late(self) -> None:
        make.definition(is_transferable=True, after_refund="reusable")
        coupon, friend = make.coupon(make.member(), now=timezone.now()), make.member()
        code = accept(friend, offer(coupon).json()["token"]).json()["code"]
        what = make.basket(who=friend, lines=[make.line(quantity=3)], coupon_codes=[code])
        order = make.paid(what=what, total=3100, now=timezone.now()).order
        late = coupon.expires_at + timedelta(days=3)

        refunds.refund_order(number=order.number, request=RefundRequest(), actor="t", now=late)

        received = Coupon.objects.get(code=code)
        assert (received.status, received.expires_at) == ("available", late + timedelta(days=7))
        assert suite.check_all(now=late).broken == []

    def test_is_revoked_in_the_friends_wallet_when_its_order_is_refunded(self) -> None:
        make.promotion({"kind": "gift_coupon", "coupon": "FULL25_5"}, code="COMEBACK")
        make.definition(is_transferable=True)
        order = make.paid(who=make.member()).order
        gift = transfers.offer(
            Coupon.objects.get(source=order.source).code, member_id=order.member_id, now=make.NOON
        )
        received = transfers.accept(gift.token, member_id=make.member().pk, now=make.NOON)

        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        received.refresh_from_db()
        assert received.status == "revoked"


class TestALink:
    def test_is_for_coupons_that_may_be_given_away(self) -> None:
        coupon = make.coupon(make.member(), now=timezone.now())

        refused = offer(coupon)

        assert (refused.status_code, refused.json()["code"]) == (409, "coupon-not-transferable")

    @pytest.mark.parametrize("state", ["held", "redeemed", "revoked", "expired"])
    def test_is_not_made_for_one_that_is_used_or_over(self, giver: Member, state: str) -> None:
        coupon = make.coupon(giver, now=timezone.now())
        basket = make.basket(who=giver, lines=[make.line(quantity=3)], coupon_codes=[coupon.code])
        if state == "held":
            make.placed(what=basket, total=3100, now=timezone.now())
        elif state == "redeemed":
            make.paid(what=basket, total=3100, now=timezone.now())
        elif state == "revoked":
            revocations.revoke(coupon, reason="x", actor="test", now=timezone.now())
        else:
            Coupon.objects.filter(pk=coupon.pk).update(expires_at=timezone.now())

        refused = offer(coupon)

        assert refused.json()["code"] == "coupon-not-transferable"
        assert refused.json()["reason"] == state

    def test_leaves_the_coupon_usable_until_it_is_accepted(self, coupon: Coupon) -> None:
        now = timezone.now()
        token = offer(coupon).json()["token"]
        who = coupon.member
        lines = [make.line(quantity=3)]
        make.paid(
            what=make.basket(who=who, lines=lines, coupon_codes=[coupon.code]), total=3100, now=now
        )

        late = accept(make.member(), token)

        assert (late.status_code, late.json()["code"]) == (409, "coupon-not-usable")

    def test_can_be_taken_back(self, coupon: Coupon) -> None:
        token = offer(coupon).json()["token"]
        phone = make.phone_of(coupon.member)

        back = phone.post(f"/me/coupons/{coupon.code}/transfer/cancellation")
        again = phone.post(f"/me/coupons/{coupon.code}/transfer/cancellation")

        assert (back.status_code, again.json()["code"]) == (200, "transfer-not-open")
        assert accept(make.member(), token).json()["code"] == "transfer-not-open"

    def test_is_replaced_by_a_newer_one(self, coupon: Coupon) -> None:
        old, new = (offer(coupon).json()["token"] for _each in range(2))

        assert accept(make.member(), old).json()["code"] == "transfer-not-open"
        assert accept(make.member(), new).status_code == 201

    def test_lives_a_day(self, coupon: Coupon) -> None:
        now = timezone.now()
        offered = transfers.offer(coupon.code, member_id=coupon.member_id, now=now)
        day = timedelta(hours=24)

        with pytest.raises(transfers.TransferNotOpen):
            transfers.accept(offered.token, member_id=make.member().pk, now=now + day)
        assert transfers.expire(now=now + day) == 1
        assert CouponTransfer.objects.get().status == "expired"

    def test_is_not_for_oneself(self, coupon: Coupon) -> None:
        token = offer(coupon).json()["token"]

        assert accept(coupon.member, token).json()["code"] == "transfer-to-self"

    def test_that_nobody_made_is_404(self, giver: Member) -> None:
        assert accept(giver, "no-such-token").status_code == 404

    def test_for_somebody_elses_coupon_is_404(self, coupon: Coupon) -> None:
        stranger = make.phone_of(make.member())

        assert stranger.post(f"/me/coupons/{coupon.code}/transfer").status_code == 404


class TestHistory:
    def test_shows_both_sides_what_they_gave_and_got(self, coupon: Coupon) -> None:
        friend = make.member()
        code = accept(friend, offer(coupon).json()["token"]).json()["code"]

        def seen(who: Member) -> list[tuple[str, str, str]]:
            rows = make.phone_of(who).get("/me/coupon-transfers").json()["results"]
            return [(row["direction"], row["status"], row["coupon"]) for row in rows]

        assert seen(coupon.member) == [("given", "accepted", coupon.code)]
        assert seen(friend) == [("received", "accepted", code)]
        assert seen(make.member()) == []
