"""Refusals in words."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from campaigns.hints import SENTENCES, explain, hint, near_misses
from campaigns.pricing import (
    BuyXGetY,
    Conditions,
    FixedOff,
    FreeTopping,
    GiftCoupon,
    PercentOff,
    Reason,
    Refusal,
    Uses,
)
from shop.kernel.money import Cents
from tests.campaigns.samples import NOON, cups, offer, price

HALF = PercentOff(percent_bp=5000)


def refusal(reason: str, needed: int | str | None = None, actual: int | None = None) -> Refusal:
    return Refusal(key="A", reason=reason, needed=needed, actual=actual)


class TestHint:
    @pytest.mark.parametrize(
        ("refused", "text"),
        [
            (refusal(Reason.MIN_SPEND_NOT_MET, 2500, 2150), "Spend ¥3.50 more for “Tea”."),
            (refusal(Reason.MIN_QTY_NOT_MET, 2, 1), "Add 1 more item for “Tea”."),
            (refusal(Reason.MIN_QTY_NOT_MET, 3, 1), "Add 2 more items for “Tea”."),
            (refusal(Reason.MIN_PRODUCTS_NOT_MET, 3, 1), "Add 2 other products for “Tea”."),
            (refusal(Reason.REQUIRED_ITEM_MISSING, 1, 0), "Add 1 item that “Tea” asks for."),
            (refusal(Reason.USAGE_LIMIT_REACHED, 1, 0), ""),
            (refusal(Reason.NO_DISCOUNT_LEFT), ""),
        ],
    )
    def test_says_what_to_add(self, refused: Refusal, text: str) -> None:
        with translation.override("en"):
            assert hint(refused, offer="Tea") == text


class TestNearMisses:
    def test_are_told_nearest_first_and_only_when_the_cart_can_mend_them(self) -> None:
        from_25 = Conditions(min_spend_cents=Cents(2500))
        from_20 = Conditions(min_spend_cents=Cents(2000))
        members = Conditions(members_only=True, min_spend_cents=Cents(1300))

        pricing = price(
            cups(1200),
            offer(FixedOff(amount_cents=Cents(500)), "A", conditions=from_25),
            offer(BuyXGetY(buy_quantity=1, get_quantity=1), "B"),
            offer(FreeTopping(), "C"),
            offer(GiftCoupon(coupon="NEXT5"), "D", conditions=from_20),
            offer(HALF, "E", conditions=members),
            offer(HALF, "F", uses=(Uses(reason=Reason.USAGE_LIMIT_REACHED, used=1, most=1),)),
            offer(HALF, "G"),
        )

        assert [(near.key, near.short, near.reason) for near in near_misses(pricing)] == [
            ("D", 800, Reason.MIN_SPEND_NOT_MET),
            ("A", 1300, Reason.MIN_SPEND_NOT_MET),
            ("B", 1, Reason.MIN_QTY_NOT_MET),
            ("C", 1, Reason.REQUIRED_ITEM_MISSING),
        ]
        assert near_misses(pricing)[0].offer == "Offer D"
        assert near_misses(pricing)[0].hint

    def test_of_a_cart_that_gets_everything_there_are_none(self) -> None:
        assert near_misses(price(cups(1200), offer(HALF))) == []


class TestExplain:
    @pytest.mark.parametrize(
        ("refused", "text"),
        [
            (
                refusal(Reason.MIN_SPEND_NOT_MET, 2500, 2100),
                "¥4 short: needs ¥25, there is ¥21.",
            ),
            (
                refusal(Reason.MAX_SPEND_EXCEEDED, 2500, 2750),
                "Only for carts of up to ¥25; this one is ¥27.50.",
            ),
            (refusal(Reason.MIN_QTY_NOT_MET, 2, 1), "Needs 2 items, there are 1."),
            (
                refusal(Reason.MIN_PRODUCTS_NOT_MET, 3, 1),
                "Needs 3 different products, there are 1.",
            ),
            (
                refusal(Reason.NTH_ORDER_MISMATCH, 2, 4),
                "It is for order number 2; this is number 4.",
            ),
            (refusal(Reason.EXPIRED), "Expired."),
            (refusal(Reason.OUTSIDE_HOURS, NOON.replace(hour=14).isoformat()), "Starts at 14:00."),
            (refusal(Reason.USAGE_LIMIT_REACHED, 1, 1), "Used 1 of 1."),
            (refusal(Reason.PER_MEMBER_LIMIT_REACHED, 2, 2), "You used 2 of 2."),
            (refusal(Reason.DAILY_LIMIT_REACHED, 50, 50), "Used 50 of 50 today."),
            (refusal(Reason.BUDGET_EXHAUSTED, 1, 0), "Its budget is spent."),
            (
                refusal(Reason.BUDGET_EXHAUSTED, 500, 150),
                "Its budget has ¥1.50 left; this would take ¥5.",
            ),
            (refusal("unknown-code"), "There is no such code, or it is not yours."),
            (refusal("held-by-another-order"), "An unpaid order of yours holds it."),
            (refusal("something-new"), "This offer cannot be used now."),
        ],
    )
    def test_says_what_is_needed_and_what_there_is(self, refused: Refusal, text: str) -> None:
        with translation.override("en"):
            assert explain(refused, local_time=NOON) == text

    def test_tells_moments_by_the_clock_of_the_store(self) -> None:
        at_ten_utc = datetime(2026, 6, 20, 10, tzinfo=UTC).isoformat()

        with translation.override("en"):
            told = explain(refusal(Reason.EXPIRED, at_ten_utc), local_time=NOON)

        assert told == "Ended at 2026-06-20 18:00."

    @pytest.mark.parametrize("reason", Reason)
    def test_has_a_sentence_for_every_reason(self, reason: Reason) -> None:
        assert reason in SENTENCES
        assert explain(refusal(reason, NOON.isoformat()), local_time=NOON)
