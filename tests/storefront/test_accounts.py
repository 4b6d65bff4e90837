"""Memberships frozen, closed and erased: what stops, what stays, what is gone."""

import pytest
from django.utils import timezone

from campaigns.models import Acquisition, Coupon, Referral
from loyalty import rewards
from loyalty.models import PointsAccount, PointsEntry
from shop import members
from shop.kernel.money import Points
from shop.models import ErasedPhone, LoginCode, Member, MemberStatusChange, Message
from shop.refunds import RefundRequest
from shop.storefront import departures, refunds, tasks
from shop.storefront.invariants import suite
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

PHONE = "+8613900001111"


@pytest.fixture
def office() -> Api:
    return make.staff(group="Head office")


def freeze(office: Api, who: Member, *, to: str = "freeze") -> int:
    answer = office.post(f"/members/{who.public_id}/{to}", {"reason": "lost phone"})
    return int(answer.status_code)


def erase(who: Member) -> int:
    return departures.erase_member(who, reason="asked for it", actor="test", now=make.NOON)


def broken() -> list[str]:
    return [f"{found.name}: {found.examples}" for found in suite.check_all(now=make.NOON).broken]


class TestFreeze:
    def test_stops_spending_earning_and_the_session_until_unfrozen(self, office: Api) -> None:
        """Peer bug 15."""
        who = make.member(phone=PHONE)
        make.give_points(who, 500)
        phone, till = make.phone_of(who), make.till()
        body = {"lines": [{"product": "MT01", "options": make.MILK_TEA}]}

        assert freeze(office, who) == 200
        quote = till.post("/quotes", body | {"member": str(who.public_id)}, key=None)
        reward = till.post("/rewards/FREE_DRINK/redemptions", {"member": str(who.public_id)})
        found = till.post("/members/lookup", {"phone": PHONE}, key=None)

        for answer in (quote, reward, found):
            assert (answer.status_code, answer.json()["code"]) == (409, "member-not-active")
        assert phone.get("/me").status_code == 401
        assert freeze(office, who, to="unfreeze") == 200
        assert till.post("/members/lookup", {"phone": PHONE}, key=None).status_code == 200

    def test_is_written_down_with_who_and_why(self, office: Api) -> None:
        who = make.member()

        freeze(office, who)
        again = freeze(office, who)

        change = MemberStatusChange.objects.get(member=who)
        assert again == 409
        assert (change.kind, change.reason) == ("freeze", "lost phone")
        assert change.actor.startswith("staff:")


class TestClose:
    def test_gives_up_points_coupons_promises_and_rewards(self, office: Api) -> None:
        who = make.member()
        make.give_points(who, 1500)
        coupon = make.coupon(who)
        rewards.redeem("FREE_DRINK", member_id=who.pk, now=make.NOON)

        answer = office.post(f"/members/{who.public_id}/close", {"reason": "moved away"})

        account = PointsAccount.objects.get(member=who, wallet="points")
        entry = PointsEntry.objects.get(account=account, kind="forfeit")
        coupon.refresh_from_db()
        assert answer.json()["points_given_up"] == 1500
        assert (account.balance, account.held, entry.points) == (0, 0, -1500)
        assert coupon.status == "revoked"
        assert broken() == []

    def test_is_refused_while_an_order_is_open(self, office: Api) -> None:
        who = make.member()
        order = make.placed(who=who)

        answer = office.post(f"/members/{who.public_id}/close", {"reason": "moved away"})

        assert answer.json()["orders"] == [order.number]
        assert answer.json()["code"] == "orders-open"

    @pytest.mark.parametrize(
        ("what", "since"),
        [("points-extensions", "expiring_by"), ("points-reinstatements", "expired_since")],
    )
    def test_lets_nothing_come_into_its_wallet_again(
        self, office: Api, what: str, since: str
    ) -> None:
        who = make.member()
        departures.close_member(who, reason="moved", actor="test", now=make.NOON)
        body = {since: "2026-01-01", "last_day": "2099-12-31", "reason": "come back"}

        answer = office.post(f"/members/{who.public_id}/{what}", body)

        assert (answer.status_code, answer.json()["code"]) == (409, "wallet-closed")

    def test_lets_a_refund_give_money_back_but_no_points(self) -> None:
        who = make.member()
        make.give_points(who, 100)
        order = make.paid(what=make.basket(who=who, points=Points(50)), total=1100).order
        departures.close_member(who, reason="moved", actor="test", now=make.NOON)

        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        assert PointsAccount.objects.get(member=who, wallet="points").balance == 0
        assert broken() == []


class TestErase:
    def test_leaves_nothing_that_says_who_it_was(self) -> None:
        who = make.member(phone=PHONE, name="张三", visitor_id="v-1")
        Message.objects.create(member=who, template="receipt", text="张三", sent_at=make.NOON)
        order = make.paid(who=who).order
        members.new_login_code(phone=PHONE, now=timezone.now())

        erase(who)

        who.refresh_from_db()
        order.refresh_from_db()
        assert (who.name, who.birthday, who.phone_last4) == ("", None, "")
        assert bytes(who.phone_sealed) == b""
        assert str(who) == f"#{str(who.public_id)[:8]}"
        assert members.find_by_phone(PHONE) is None
        assert not LoginCode.objects.exists()
        assert Message.objects.get().text == ""
        assert Acquisition.objects.get(member=who).visitor_id == ""
        assert order.member == who
        assert PointsEntry.objects.filter(account__member=who, kind="earn").count() == 2
        assert broken() == []

    def test_lets_the_phone_join_again_without_a_second_gift(self) -> None:
        """The tombstone; without it the welcome coupons come again. Peer bug 65."""
        who = make.member(phone=PHONE)
        assert Coupon.objects.filter(member=who, source="welcome").exists()
        friend = make.member()
        erase(who)

        again = make.member(phone=PHONE, referral_code=make.referral_code(friend))

        assert again.pk != who.pk
        assert not Coupon.objects.filter(member=again).exists()
        assert not Referral.objects.filter(referee=again).exists()

    def test_forgets_the_tombstone_in_the_end(self) -> None:
        erase(make.member(phone=PHONE))
        ErasedPhone.objects.update(expires_at=make.NOON)
        tasks.forget_erased_phones()

        assert not ErasedPhone.objects.exists()
        again = make.member(phone=PHONE)

        assert Coupon.objects.filter(member=again, source="welcome").exists()

    def test_is_asked_for_by_the_member_with_a_fresh_code(self) -> None:
        who = make.member(phone=PHONE)
        make.give_points(who, 70)
        order = make.placed(who=who)
        phone = make.phone_of(who)
        code = members.new_login_code(phone=PHONE, now=timezone.now())
        wrong = "000000" if code != "000000" else "111111"

        refused = phone.post("/me/erasure", {"code": wrong}, key=None)
        done = phone.post("/me/erasure", {"code": code}, key=None)

        order.refresh_from_db()
        assert refused.status_code == 401
        assert done.json() == {"id": str(who.public_id), "points_given_up": 70}
        assert order.status == "cancelled"
        assert phone.get("/me").status_code == 401
