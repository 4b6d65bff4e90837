"""Promotions: offers that apply by themselves, within their limits, and come back with a refund."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns import promotions
from campaigns.models import Coupon, PromotionUse, UsageCounter
from shop.models import Order
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

HALF_SECOND = {"kind": "nth_item_percent", "nth": 2, "percent_bp": 5000}
TEN_PERCENT = {"kind": "percent_off", "percent_bp": 1000}
FIVE_YUAN = {"kind": "fixed_off", "amount_cents": 500}
MILK_TEA = {"size": "M", "temp": "ice_std", "sugar": "s70"}


def cups(quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the JSON of a basket of ¥12 milk teas."""
    line = {"product": "MT01", "quantity": quantity, "options": MILK_TEA}
    return {"lines": [line]} | changes


def settle(till: Api, basket: dict[str, Any], total: int, **changes: Any) -> Any:
    """Return the answer to a sale in cash."""
    number = f"T-{Order.objects.count()}-{PromotionUse.objects.count()}"
    body = basket | {"expected_total_cents": total, "pos_order_no": number} | changes
    return till.post("/pos/settle", body)


def counters() -> dict[str, int]:
    """Return how often the only promotion was counted, by dimension."""
    return {row.dimension: row.used for row in UsageCounter.objects.all()}


class TestPromotion:
    def test_applies_to_a_guest_without_a_code(self) -> None:
        """Two cups of ¥12: the second at half price takes ¥6 off."""
        make.promotion(HALF_SECOND, code="SECOND50", name_en="Second cup half price")
        till = make.till()

        quote = till.post("/quotes", cups(2)).json()
        order = settle(till, cups(2), 1800).json()["order"]

        assert (quote["total_cents"], quote["refusals"]) == (1800, [])
        assert quote["applied"] == [
            {
                "kind": "promotion",
                "code": "SECOND50",
                "name": "Second cup half price",
                "discount_cents": 600,
            }
        ]
        assert order["discount_cents"] == 600
        assert PromotionUse.objects.get().discount_cents == 600

    def test_stacks_with_a_coupon_as_its_rule_says(self) -> None:
        """¥36 less 10 % is ¥32.40, less the coupon's ¥5 from ¥25 is ¥27.40; alone it is ¥31."""
        who, till = make.member(), make.till()
        basket = cups(
            3, member=str(who.public_id), coupons=[make.coupon(who, now=timezone.now()).code]
        )
        promotion = make.promotion(TEN_PERCENT, priority=1)

        together = till.post("/quotes", basket).json()["total_cents"]
        promotion.rule = promotion.rule | {"stacking": "exclusive"}
        promotion.save()
        alone = till.post("/quotes", basket).json()

        assert together == 2740
        assert alone["total_cents"] == 3240
        assert [refusal["reason"] for refusal in alone["refusals"]] == ["not-stackable"]

    def test_that_is_paused_does_nothing(self) -> None:
        make.promotion(HALF_SECOND, status="paused")

        assert make.till().post("/quotes", cups(2)).json()["total_cents"] == 2400

    def test_that_misses_is_a_near_miss_and_no_refusal(self) -> None:
        """¥24 of ¥28: four yuan short."""
        make.promotion(
            FIVE_YUAN, name_en="¥5 off ¥28", name_zh="满28减5", conditions={"min_spend_cents": 2800}
        )

        quote = make.till().post("/quotes", cups(2)).json()

        assert quote["refusals"] == []
        assert quote["near_misses"] == [
            {
                "code": "PROMO",
                "name": "¥5 off ¥28",
                "reason": "min-spend-not-met",
                "short": 400,
                "hint": "Spend ¥4 more for “¥5 off ¥28”.",
            }
        ]

    def test_for_new_members_says_so_to_nobody_but_the_trace(self) -> None:
        make.promotion(FIVE_YUAN, conditions={"members_only": True})
        till = make.till()

        guest = till.post("/quotes", cups()).json()
        told = till.post("/quotes/explain", cups()).json()["offers"]

        assert (guest["total_cents"], guest["near_misses"]) == (1200, [])
        assert [offer["refusal"]["reason"] for offer in told] == ["members-only"]
        assert told[0]["hint"] == "It is for members."


class TestLimits:
    """F51, F52, U8, U10: by member, store, day, week, month, in all, and in money."""

    @pytest.mark.parametrize(
        ("limit", "reason"),
        [
            ("uses_total", "usage-limit-reached"),
            ("uses_per_store", "store-limit-reached"),
            ("uses_per_day", "daily-limit-reached"),
            ("uses_per_week", "weekly-limit-reached"),
            ("uses_per_month", "monthly-limit-reached"),
        ],
    )
    def test_let_one_through_and_then_say_which(self, limit: str, reason: str) -> None:
        make.promotion(FIVE_YUAN, **{limit: 1})
        till = make.till()

        first = settle(till, cups(), 700)
        second = settle(till, cups(), 1200)
        (told,) = till.post("/quotes/explain", cups()).json()["offers"]

        assert (first.status_code, second.status_code) == (201, 201)
        assert told["refusal"] == {"reason": reason, "needed": 1, "actual": 1, "short": None}
        assert "1 of 1" in told["hint"]

    def test_by_store_and_by_day_are_each_stores_and_days_own(self) -> None:
        make.promotion(FIVE_YUAN, uses_per_store=1)

        assert settle(make.till("SH001"), cups(), 700).status_code == 201
        assert make.till("SH002").post("/quotes", cups()).json()["discount_cents"] == 500

    def test_by_member_are_for_members(self) -> None:
        """U6: a guest is told so, and nothing breaks."""
        make.promotion(FIVE_YUAN, uses_per_member=1)
        till, one, other = make.till(), make.member(), make.member()

        def quoted(**who: str) -> int:
            return int(till.post("/quotes", cups(**who)).json()["total_cents"])

        settle(till, cups(member=str(one.public_id)), 700)

        assert quoted() == 1200
        assert quoted(member=str(one.public_id)) == 1200
        assert quoted(member=str(other.public_id)) == 700

    def test_of_money_refuse_what_is_more_than_the_rest(self) -> None:
        """¥8 of budget: the first ¥5 fit, the second do not."""
        make.promotion(FIVE_YUAN, budget_cents=800)
        till = make.till()

        settle(till, cups(), 700)

        assert till.post("/quotes", cups()).json()["total_cents"] == 1200
        assert UsageCounter.objects.get().spent_cents == 500

    def test_that_do_not_exist_are_not_counted(self) -> None:
        make.promotion(FIVE_YUAN)

        settle(make.till(), cups(), 700)

        assert PromotionUse.objects.count() == 1
        assert counters() == {}

    def test_count_an_order_from_the_moment_it_is_placed(self) -> None:
        """U2: whoever waits at the counter with money in hand is not refused."""
        make.promotion(FIVE_YUAN, uses_total=1)
        till = make.till()

        placed = till.post("/orders", cups() | {"expected_total_cents": 700}).json()
        meanwhile = till.post("/quotes", cups()).json()["total_cents"]
        number = placed["number"]
        paid = till.post(
            f"/orders/{number}/payment", {"tenders": [{"method": "cash", "amount_cents": 700}]}
        )

        assert (meanwhile, paid.status_code) == (1200, 200)
        assert counters() == {"total": 1}

    def test_are_given_back_when_an_order_is_cancelled(self) -> None:
        make.promotion(FIVE_YUAN, uses_total=1, uses_per_day=1, budget_cents=500)
        till = make.till()
        number = till.post("/orders", cups() | {"expected_total_cents": 700}).json()["number"]

        till.post(f"/orders/{number}/cancellation", {})

        assert counters() == {"total": 0, "day": 0}
        assert till.post("/quotes", cups()).json()["total_cents"] == 700

    def test_are_given_back_when_an_order_is_refunded_whole_and_not_before(self) -> None:
        make.promotion(FIVE_YUAN, uses_total=1)
        till = make.till()
        number = settle(till, cups(2), 1900).json()["order"]["number"]

        till.post(f"/orders/{number}/refunds", {"lines": [{"line": 1, "quantity": 1}]})
        halfway = counters()
        till.post(f"/orders/{number}/refunds", {})

        assert (halfway, counters()) == ({"total": 1}, {"total": 0})
        assert PromotionUse.objects.get().released_at is not None

    def test_that_come_later_count_what_was_used_before(self) -> None:
        promotion = make.promotion(FIVE_YUAN)
        till = make.till()
        settle(till, cups(), 700)

        promotion.uses_per_store = 1
        promotion.save()
        promotions.recount(promotion)

        assert till.post("/quotes", cups()).json()["total_cents"] == 1200


class TestGifts:
    def test_points_are_boosted_and_taken_back_with_the_money(self) -> None:
        """¥24 earn 24 points; doubled and 5 on top make 53. One of two cups back takes half."""
        make.promotion({"kind": "points_boost", "multiplier_percent": 200, "bonus_points": 5})
        who, till = make.member(), make.till()
        basket = cups(2, member=str(who.public_id))

        quote = till.post("/quotes", basket).json()
        receipt = settle(till, basket, 2400).json()
        number = receipt["order"]["number"]
        till.post(f"/orders/{number}/refunds", {"lines": [{"line": 1, "quantity": 1}]})
        halfway = till.get(f"/members/{who.public_id}").json()["points_balance"]
        till.post(f"/orders/{number}/refunds", {})

        assert (quote["points_to_earn"], quote["boost_points"]) == (53, 29)
        assert receipt["points_earned"] == 53
        assert halfway == 27
        assert till.get(f"/members/{who.public_id}").json()["points_balance"] == 0

    def test_coupons_come_after_the_purchase_and_go_with_its_refund(self) -> None:
        """S58: the repurchase coupon; a refund before its use revokes it."""
        make.promotion({"kind": "gift_coupon", "coupon": "FULL25_5"})
        who, till = make.member(), make.till()
        basket = cups(member=str(who.public_id))

        quote = till.post("/quotes", basket).json()
        number = settle(till, basket, 1200).json()["order"]["number"]
        coupon = Coupon.objects.get(member=who, definition__code="FULL25_5")
        till.post(f"/orders/{number}/refunds", {})
        was, coupon = coupon.status, Coupon.objects.get(pk=coupon.pk)

        assert quote["coupon_gifts"] == {"FULL25_5": 1}
        assert (was, coupon.status, coupon.source) == ("available", "revoked", f"order:{number}")

    def test_coupons_that_are_gone_keep_nobody_from_paying(self) -> None:
        make.promotion({"kind": "gift_coupon", "coupon": "FULL25_5"})
        make.definition(total_limit=0)
        who = make.member()

        answer = settle(make.till(), cups(member=str(who.public_id)), 1200)

        assert answer.status_code == 201
        assert not Coupon.objects.filter(definition__code="FULL25_5").exists()

    def test_products_come_as_lines_that_cost_nothing(self) -> None:
        make.promotion({"kind": "gift_item", "product": "SN01"})
        till = make.till()

        quote = till.post("/quotes", cups()).json()
        receipt = settle(till, cups(), 1200).json()
        lines = till.get(f"/orders/{receipt['order']['number']}").json()["lines"]

        assert [(gift["product"], gift["quantity"]) for gift in quote["gifts"]] == [("SN01", 1)]
        assert [(line["sku"], line["net_cents"], line["is_gift"]) for line in lines[1:]] == [
            ("SN01", 0, True)
        ]


class TestDrinks:
    def test_get_their_topping_free(self) -> None:
        """A pudding of ¥3 comes free; the till needs to say nothing."""
        make.promotion({"kind": "free_topping"})
        line = {"product": "MT01", "options": MILK_TEA, "toppings": {"pudding": 1}}

        quote = make.till().post("/quotes", {"lines": [line]}).json()

        assert quote["subtotal_cents"] - quote["total_cents"] == quote["subtotal_cents"] - 1200
        assert quote["discount_cents"] > 0

    def test_get_their_larger_cup_free(self) -> None:
        make.promotion({"kind": "free_upsize"})
        line = {"product": "MT01", "options": MILK_TEA | {"size": "L"}}

        quote = make.till().post("/quotes", {"lines": [line]}).json()

        assert quote["subtotal_cents"] > quote["total_cents"] == 1200


class TestExplanation:
    def test_keeps_conditions_from_members(self) -> None:
        make.promotion(FIVE_YUAN, conditions={"segments": ["whales"]})
        phone = make.phone_of(make.member())

        (told,) = phone.post("/quotes/explain", cups(store="SH001")).json()["offers"]

        assert "conditions" not in told
        assert told["refusal"] == {
            "reason": "segment-mismatch",
            "needed": None,
            "actual": None,
            "short": None,
        }

    def test_names_codes_that_are_nobodys_or_somebody_elses_alike(self) -> None:
        """U30: no oracle."""
        mine, theirs = make.member(), make.coupon(make.member()).code
        phone = make.phone_of(mine)

        told = phone.post("/quotes/explain", cups(store="SH001", coupons=[theirs, "NOSUCH"]))

        assert [o["refusal"]["reason"] for o in told.json()["offers"]] == ["unknown-code"] * 2

    def test_tells_the_till_and_staff_whose_code_it_is(self) -> None:
        """To members it is unknown; staff can look members up anyway."""
        asking, owner = make.member(), make.member()
        basket = cups(member=str(asking.public_id), coupons=[make.coupon(owner).code, "NOSUCH"])

        for caller, where in ((make.till(), {}), (make.staff("SH001"), {"store": "SH001"})):
            told = caller.post("/quotes/explain", basket | where).json()["offers"]

            assert [offer["refusal"]["reason"] for offer in told] == [
                "belongs-to-another-member",
                "unknown-code",
            ]
            assert told[0]["refusal"]["needed"] == str(owner.public_id)
            assert told[0]["hint"] == "It is in another member's wallet."

    def test_of_a_coupon_that_is_used_or_over_says_what_there_is(self) -> None:
        who, till, now = make.member(), make.till(), timezone.now()
        used, over = make.coupon(who, now=now), make.coupon(make.member(), now=now)
        Coupon.objects.filter(pk=over.pk).update(
            member=who,
            slot=2,
            issued_at=now - timedelta(days=9),
            expires_at=now - timedelta(days=2),
        )
        basket = cups(3, member=str(who.public_id))
        settle(till, basket | {"coupons": [used.code]}, 3100)

        told = till.post("/quotes", basket | {"coupons": [used.code, over.code]}).json()["refusals"]

        assert (told[0]["reason"], told[0]["actual"]) == ("usage-limit-reached", 1)
        assert told[0]["hint"] == "Used 1 of 1."
        assert told[1]["hint"].startswith("Ended at ")
        assert told[1]["actual"] > told[1]["needed"]

    def test_is_for_staff_of_the_store(self) -> None:
        make.promotion(FIVE_YUAN, conditions={"segments": ["whales"]})
        basket = cups(store="SH001")

        (told,) = make.staff("SH001").post("/quotes/explain", basket).json()["offers"]

        assert told["conditions"][0]["needed"] == ["whales"]
        assert make.staff("SH002").post("/quotes/explain", basket).status_code == 404
        assert make.staff("SH001").post("/quotes/explain", cups()).status_code == 400
        assert make.staff("SH001").post("/quotes", basket).status_code == 403

    def test_of_an_order_tells_of_refused_codes_too(self) -> None:
        who, till = make.member(), make.till()
        basket = cups(member=str(who.public_id), coupons=["NOSUCH"])
        number = settle(till, basket, 1200).json()["order"]["number"]

        trace = till.get(f"/orders/{number}/pricing").json()["trace"]

        assert [offer["refusal"]["reason"] for offer in trace["offers"]] == ["unknown-code"]

    def test_is_kept_with_the_order(self) -> None:
        make.promotion(FIVE_YUAN, conditions={"min_spend_cents": 1000})
        till = make.till()
        number = settle(till, cups(), 700).json()["order"]["number"]

        trace = till.get(f"/orders/{number}/pricing").json()["trace"]

        assert trace["offers"][0]["conditions"] == [
            {
                "refuses_with": "min-spend-not-met",
                "passed": True,
                "needed": 1000,
                "actual": 1200,
            }
        ]
        assert make.till("SH002").get(f"/orders/{number}/pricing").status_code == 404
