"""Rewards of every kind: who may have them when, what the till does with them, giving them back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Coupon
from loyalty import rewards
from loyalty.models import Membership, PointsAccount, Reward, RewardRedemption, Tier
from shop.kernel.money import Cents, Points
from shop.models import Member
from shop.storefront import reward_desk
from tests import make

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def reward(kind: str = "goods", code: str = "MUG", **fields: Any) -> Reward:
    names = {"name_zh": "杯", "name_en": "Mug"}
    return Reward.objects.create(code=code, kind=kind, cost_points=Points(100), **names | fields)


def rich() -> Member:
    who = make.member(now=NOW)
    make.give_points(who, 1000, now=NOW)
    return who


def taken(who: Member, code: str = "MUG") -> Any:
    return make.phone_of(who).post(f"/rewards/{code}/redemptions", {})


def balance(who: Member) -> tuple[int, int]:
    account = PointsAccount.objects.get(member=who, wallet="points")
    return account.balance, account.held


class TestCatalogue:
    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"starts_at": NOW + timedelta(days=1)}, "not-yet"),
            ({"ends_at": NOW}, "over"),
            ({"stock": 0}, "out-of-stock"),
            ({"is_active": False}, "off-the-list"),
        ],
    )
    def test_says_why_a_reward_cannot_be_had(self, terms: dict[str, Any], reason: str) -> None:
        reward(**terms)
        who = rich()

        problem = taken(who).json()

        assert (problem["code"], problem["reason"]) == ("reward-not-available", reason)
        assert balance(who) == (1000, 0)
        listed = make.phone_of(who).get("/rewards").json()["results"]
        assert [row["code"] for row in listed] == ["FREE_DRINK"]

    def test_keeps_a_reward_for_a_tier_and_those_above(self) -> None:
        reward(min_tier=Tier.objects.get(code="T2"))
        who = rich()

        problem = taken(who).json()
        Membership.objects.filter(member=who).update(tier=Tier.objects.get(code="T3"))

        assert (problem["code"], problem["needed_tier"]) == ("reward-tier-too-low", "T2")
        assert taken(who).status_code == 201

    def test_counts_what_a_member_has_but_not_what_came_back(self) -> None:
        reward(limit_per_member=2)
        who = rich()
        phone, (first, *_others) = make.phone_of(who), [taken(who), taken(who)]

        refused = taken(who).json()
        phone.post(f"/redemptions/{first.json()['code']}/cancellation", {})

        assert (refused["code"], refused["limit"]) == ("reward-limit-reached", 2)
        assert [taken(who).status_code, taken(who).status_code] == [201, 409]
        assert taken(rich()).status_code == 201


class TestGoods:
    def test_are_handed_out_for_their_code_once(self) -> None:
        reward()
        who, till = rich(), make.till()
        code = taken(who).json()["code"]

        seen = till.get(f"/redemptions/{code}").json()
        answers = [till.post(f"/redemptions/{code}/use") for _ in range(2)]

        assert (seen["kind"], seen["status"]) == ("goods", "issued")
        assert [answer.status_code for answer in answers] == [200, 409]
        assert balance(who) == (900, 0)
        row = RewardRedemption.objects.get(code=code)
        assert (row.status, row.store) == ("used", make.store())

    def test_are_not_handed_out_when_their_time_is_over(self) -> None:
        row = rewards.redeem(reward().code, member_id=rich().pk, now=NOW - timedelta(days=31))

        answer = make.till().post(f"/redemptions/{row.code}/use")

        assert answer.json()["code"] == "reward-not-usable"

    def test_take_no_part_in_an_order_and_drinks_nothing_else(self) -> None:
        reward()
        who, till = rich(), make.till()
        mug, drink = taken(who).json()["code"], taken(rich(), "FREE_DRINK").json()["code"]

        lines = [{"product": "MT01", "options": make.MILK_TEA}]
        quote = till.post(
            "/quotes", {"member": str(who.public_id), "lines": lines, "reward": mug}
        ).json()
        used = till.post(f"/redemptions/{drink}/use").json()

        assert (quote["refusals"][0]["code"], quote["discount_cents"]) == (mug, 0)
        assert (used["code"], used["reason"]) == ("reward-not-usable", "use-on-an-order")

    def test_are_refunded_by_staff_with_a_reason_once(self) -> None:
        mug = reward(stock=5, limit_per_member=1)
        who, till, manager = rich(), make.till(), make.staff("SH001")
        code = taken(who).json()["code"]
        path, why = f"/redemptions/{code}/refund", {"reason": "It was broken.", "restock": True}

        early = manager.post(path, why)
        till.post(f"/redemptions/{code}/use")
        answers = [manager.post(path, why) for _ in range(2)]

        assert [early.status_code, *(a.status_code for a in answers)] == [409, 200, 409]
        assert answers[0].json()["refund_reason"] == "It was broken."
        assert balance(who) == (1000, 0)
        mug.refresh_from_db()
        assert mug.stock == 5
        assert make.staff("SH002").post(path, why).status_code == 404
        assert taken(who).status_code == 201


class TestTopping:
    def test_takes_a_topping_off_a_drink(self) -> None:
        """MT01 at ¥12 with pudding at ¥3; the topping is free up to ¥2."""
        reward("topping", "TOPPING", max_value_cents=Cents(200))
        who = rich()
        code = taken(who, "TOPPING").json()["code"]

        line = {"product": "MT01", "options": make.MILK_TEA, "toppings": {"pudding": 1}}
        quote = (
            make.till()
            .post("/quotes", {"member": str(who.public_id), "lines": [line], "reward": code})
            .json()
        )

        assert quote["discount_cents"] == 200


class TestCoupon:
    def test_goes_into_the_wallet_and_spends_the_points(self) -> None:
        reward("coupon", "FIVER", coupon="FULL25_5")
        who = rich()

        row = taken(who, "FIVER").json()

        coupon = Coupon.objects.get(code=row["coupon_code"])
        assert (row["status"], coupon.member, coupon.definition.code) == ("used", who, "FULL25_5")
        assert balance(who) == (900, 0)

    def test_is_not_paid_for_when_there_is_none(self) -> None:
        reward("coupon", "FIVER", coupon="FULL25_5", stock=1)
        make.definition("FULL25_5", total_limit=0)
        who = rich()

        assert taken(who, "FIVER").status_code == 409
        assert (balance(who), Reward.objects.get(code="FIVER").stock) == ((1000, 0), 1)

    def test_is_taken_back_with_a_refund_unless_used(self) -> None:
        reward("coupon", "FIVER", coupon="FULL25_5")
        who, manager = rich(), make.staff("SH001")
        make.definition("FULL25_5", per_member_limit=9)
        kept, used = (reward_desk.take("FIVER", member_id=who.pk, now=NOW) for _ in range(2))
        what = make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=[used.coupon_code])
        make.paid(what=what, total=3100, now=NOW)
        before = balance(who)[0]

        answers = [
            manager.post(f"/redemptions/{row.code}/refund", {"reason": "no"})
            for row in (kept, used)
        ]

        assert [answer.status_code for answer in answers] == [200, 409]
        assert answers[1].json()["code"] == "coupon-not-revocable"
        assert Coupon.objects.get(code=kept.coupon_code).status == "revoked"
        assert balance(who)[0] == before + 100
