"""What a promotion would have done: sums worked out by hand, over orders as they were."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Promotion
from shop.kernel import jobs
from shop.models import OrderLine, Product
from shop.refunds import RefundRequest
from shop.storefront import checkout, refunds, replays
from tests import make

pytestmark = pytest.mark.django_db

COST = 420
"""What a medium MT01 of ¥12 costs the shop."""
TENTH = {"kind": "percent_off", "percent_bp": 1000}
NEXT_DAY = make.NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
def cost_of_a_tea() -> None:
    Product.objects.filter(code="MT01").update(cost_cents=COST)


def draft(effect: dict[str, Any] = TENTH, *, code: str = "DRAFT", **fields: Any) -> Promotion:
    return make.promotion(effect, code=code, status="draft", **fields)


def buy(quantity: int = 1, *, at: str = "SH001", total: int | None = None, **fields: Any) -> Any:
    """Return the order of so many teas of ¥12."""
    now = fields.pop("now", make.NOON)
    what = make.basket(lines=[make.line(quantity=quantity)], at=at, **fields)
    return make.paid(what=what, total=1200 * quantity if total is None else total, now=now).order


def replay(promotion: Promotion, *, days: int = 28, now: Any = NEXT_DAY) -> dict[str, Any]:
    job = replays.start(promotion, days=days, store_ids=None, requested_by="test", now=now)
    result: dict[str, Any] = jobs.run(job.pk, now=now).result
    return result


def totals(**expected: int) -> dict[str, int]:
    nothing = dict.fromkeys(replays.total_of([]), 0)
    return nothing | expected


class TestSums:
    def test_are_what_the_offer_would_have_taken_off_per_store_and_day(self) -> None:
        promotion = draft(conditions={"min_spend_cents": 2000})
        buy(3)  # 36.00, a tenth is 3.60
        buy(1)  # 12.00 is not enough
        buy(2, now=NEXT_DAY - timedelta(hours=2))  # 24.00, 2.40
        buy(2, at="SH002", total=2000)  # where one is 10.00: 20.00 is just enough, 2.00
        checkout.place_order(make.basket(), expected_total_cents=1200, now=make.NOON)
        gone = buy(4)
        refunds.refund_order(
            number=gone.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        result = replay(promotion)

        of_a_store = [(row["store"], row["day"], row["discount_cents"]) for row in result["rows"]]
        assert of_a_store == [
            ("SH001", "2026-06-18", 360),
            ("SH001", "2026-06-19", 240),
            ("SH002", "2026-06-18", 200),
        ]
        assert result["totals"] == totals(
            orders=4,
            qualified=3,
            discount_cents=800,
            revenue_cents=3600 + 1200 + 2400 + 2000,
            margin_cents=9200 - 8 * COST,
            margin_change_cents=-800,
        )
        assert result["refusals"] == {"min-spend-not-met": 1}

    def test_stand_beside_what_the_orders_got(self) -> None:
        """36.00 − 5.00 by the coupon, and a tenth of the 31.00 that are left."""
        promotion = draft(priority=200)
        guest = make.member()
        buy(3, who=guest, coupon_codes=[make.coupon(guest).code], total=3100)

        found = replay(promotion)["totals"]

        assert (found["revenue_cents"], found["discount_cents"]) == (3100, 310)
        assert (found["displaced_cents"], found["margin_change_cents"]) == (0, -310)

    def test_tell_which_offers_would_have_given_way(self) -> None:
        """A fifth of 36.00 by itself is 7.20; the coupon's 5.00 would not have been taken off."""
        effect = {"kind": "percent_off", "percent_bp": 2000}
        promotion = draft(effect, stacking="exclusive", priority=1)
        guest = make.member()
        buy(3, who=guest, coupon_codes=[make.coupon(guest).code], total=3100)

        result = replay(promotion)

        assert result["displaced"] == {"coupon:FULL25_5": 1}
        found = result["totals"]
        assert (found["discount_cents"], found["displaced_cents"]) == (720, 500)
        assert found["margin_change_cents"] == -220

    def test_count_what_gifts_cost(self) -> None:
        gift = Product.objects.exclude(code="MT01").order_by("code")[0]
        Product.objects.filter(pk=gift.pk).update(cost_cents=333)
        buy(2)

        found = replay(draft({"kind": "gift_item", "product": gift.code}))["totals"]

        assert (found["qualified"], found["discount_cents"]) == (1, 0)
        assert found["margin_change_cents"] == -333

    def test_leave_out_an_order_that_cannot_be_priced_again(self) -> None:
        other = make.promotion({"kind": "fixed_off", "amount_cents": 200}, code="THEN")
        buy(2, total=2200)
        Promotion.objects.filter(pk=other.pk).update(
            rule={"version": 1, "effect": {"kind": "fixed_off", "amount_cents": 300}}
        )

        assert replay(draft())["totals"] == totals(orders=1, unclear=1)

    def test_of_a_promotion_that_ran_are_with_it_against_without_it(self) -> None:
        promotion = make.promotion(TENTH, code="RUNS")
        buy(3, total=3240)

        found = replay(promotion)["totals"]

        assert (found["revenue_cents"], found["discount_cents"]) == (3240, 360)


class TestAsItWas:
    def test_the_first_order_is_the_first_however_many_came_since(self) -> None:
        guest = make.member()
        buy(1, who=guest)
        buy(2, who=guest, now=NEXT_DAY - timedelta(hours=2))

        result = replay(draft(conditions={"first_order_only": True}))

        assert result["totals"]["discount_cents"] == 120
        assert result["refusals"] == {"not-first-order": 1}

    def test_its_limits_run_out_on_the_same_orders(self) -> None:
        guest = make.member()
        for who in (guest, guest, None):
            buy(1, who=who)

        by_member = replay(draft(uses_per_member=1))
        by_budget = replay(draft(code="OTHER", budget_cents=150))

        assert by_member["totals"]["qualified"] == 1
        assert by_member["refusals"] == {"members-only": 1, "per-member-limit-reached": 1}
        assert by_budget["totals"]["discount_cents"] == 120  # 30 are left, and not enough
        assert by_budget["refusals"] == {"budget-exhausted": 2}

    def test_its_period_is_not_asked_and_hours_are(self) -> None:
        soon = (NEXT_DAY + timedelta(days=9)).isoformat()
        buy(1)  # at 12:00
        hours = [{"starts": "12:00", "ends": "13:00"}]

        assert replay(draft(conditions={"starts_at": soon, "hours": hours}))["totals"]["qualified"]

    def test_prices_are_those_of_the_receipt(self) -> None:
        buy(1)
        Product.objects.filter(code="MT01").update(base_price_cents=9900)

        assert replay(draft())["totals"]["discount_cents"] == 120


class TestJob:
    def test_goes_on_slice_by_slice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(replays, "SLICE", 2)
        for _each in range(5):
            buy(1)

        found = replay(draft(uses_total=4), days=3)["totals"]

        assert (found["orders"], found["qualified"], found["discount_cents"]) == (5, 4, 480)

    def test_looks_back_so_many_business_days(self) -> None:
        buy(1)

        with pytest.raises(replays.NothingSold):
            replay(draft(), days=1)
        assert replay(draft(code="OTHER"), days=2)["totals"]["orders"] == 1


class TestHttp:
    @pytest.fixture
    def office(self) -> Any:
        return make.staff(group="Head office")

    def test_a_job_then_its_result_as_json_and_csv(self, office: Any) -> None:
        draft()
        buy(3, now=timezone.now())

        started = office.post("/promotions/DRAFT/replays", {"days": 2})
        job = started.json()["id"]
        waiting = office.get(f"/promotions/DRAFT/replays/{job}").json()
        jobs.run(job, now=timezone.now())
        done = office.get(f"/promotions/DRAFT/replays/{job}").json()
        rows = office.get(f"/promotions/DRAFT/replays/{job}?format=csv").content.decode()

        assert started.status_code == 202
        assert (waiting["state"], waiting["totals"]["orders"]) == ("waiting", 0)
        assert (done["state"], done["percent"]) == ("done", 100)
        assert done["totals"]["discount_cents"] == 360
        assert done["assumes"] == "no-change-of-behaviour"
        assert "SH001" in rows.splitlines()[1]

    def test_a_manager_replays_the_sales_of_their_own_stores(self, office: Any) -> None:
        draft()
        buy(3, now=timezone.now())
        buy(1, at="SH002", total=1000, now=timezone.now())
        manager = make.staff("SH002")

        job = manager.post("/promotions/DRAFT/replays", {}).json()["id"]
        jobs.run(job, now=timezone.now())
        found = manager.get(f"/promotions/DRAFT/replays/{job}").json()

        assert [row["store"] for row in found["rows"]] == ["SH002"]
        assert make.staff("SH001").get(f"/promotions/DRAFT/replays/{job}").status_code == 404
        assert office.get(f"/promotions/OTHER/replays/{job}").status_code == 404

    def test_nothing_to_replay_is_said(self, office: Any) -> None:
        draft()
        OrderLine.objects.all().delete()

        refused = office.post("/promotions/DRAFT/replays", {"days": 1})

        assert (refused.status_code, refused.json()["code"]) == (409, "nothing-sold")
