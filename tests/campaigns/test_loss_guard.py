"""The loss guard: nothing below its floor price runs without a second person."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from campaigns import definitions, loss_guard, phases
from campaigns.models import Campaign, CampaignPhase, CouponDefinition, Promotion
from shop.models import Alert, Product, ProductOption, StoreProduct
from tests import make

pytestmark = pytest.mark.django_db

MT01 = {"products": ["MT01"]}


@pytest.fixture(autouse=True)
def only_ours() -> None:
    """Leave a milk tea of ¥12 with a floor of ¥5, in one size, and no offers but the test's."""
    CouponDefinition.objects.update(status="ended")
    Product.objects.filter(code="MT01").update(base_price_cents=1200, floor_price_cents=500)
    ProductOption.objects.filter(product__code="MT01", option__price_delta_cents__gt=0).delete()
    StoreProduct.objects.all().delete()


def percent(bp: int, code: str = "HALF", **fields: Any) -> Promotion:
    effect = {"kind": "percent_off", "percent_bp": bp}
    return make.promotion(effect, code=code, **{"scope": MT01, "status": "draft"} | fields)


def fixed(cents: int, code: str, **fields: Any) -> Promotion:
    effect = {"kind": "fixed_off", "amount_cents": cents}
    return make.promotion(effect, code=code, **{"scope": MT01, "status": "draft"} | fields)


def worst(offer: Any) -> tuple[str, int, list[str]]:
    found = loss_guard.check(offer, now=make.NOON)[0]
    said = definitions.as_json(found)
    return said["sku"], said["unit_cents"], said["offers"]


def refused(offer: Any) -> dict[str, Any]:
    with pytest.raises(definitions.ApprovalNeeded) as refusal:
        definitions.activate(offer, now=make.NOON)
    offer.refresh_from_db()
    assert offer.status == "draft"
    found: dict[str, Any] = refusal.value.members["combinations"][0]
    return found


class TestActivation:
    def test_three_that_sell_a_cup_of_12_for_1_20_need_a_second_person(self) -> None:
        fixed(500, "FIVE", priority=1, status="active")
        percent(5000, priority=2, status="active")
        third = fixed(230, "THIRD", priority=3)

        found = refused(third)

        assert (found["product"], found["list_cents"], found["unit_cents"]) == ("MT01", 1200, 120)
        assert (found["offers"], found["floor_cents"]) == (["FIVE", "HALF", "THIRD"], 500)

    def test_what_stays_above_every_floor_runs_at_once(self) -> None:
        promotion = percent(1000)

        definitions.activate(promotion, now=make.NOON)

        promotion.refresh_from_db()
        assert promotion.status == "active"

    def test_another_person_approves_and_the_same_loss_may_run_again(self) -> None:
        promotion = percent(9000)
        asks, agrees = (make.staff_member(group="Head office") for _ in range(2))
        refused(promotion)

        definitions.submit(promotion, by=asks)
        promotion.refresh_from_db()
        with pytest.raises(definitions.ApproverIsSubmitter):
            definitions.approve(promotion, by=asks, now=make.NOON)
        definitions.approve(promotion, by=agrees, now=make.NOON)
        promotion.refresh_from_db()
        assert (promotion.status, promotion.approved_by) == ("active", agrees)
        assert promotion.approved_loss_cents == 380  # 5.00 − 1.20
        definitions.pause(promotion)
        definitions.activate(promotion, now=make.NOON)
        promotion.refresh_from_db()
        assert promotion.status == "active"

    def test_a_greater_loss_than_was_approved_is_asked_for_anew(self) -> None:
        promotion = percent(9000)
        asks, agrees = (make.staff_member(group="Head office") for _ in range(2))
        definitions.submit(promotion, by=asks)
        promotion.refresh_from_db()
        definitions.approve(promotion, by=agrees, now=make.NOON)
        definitions.pause(promotion)
        fixed(100, "MORE", status="active")
        promotion.refresh_from_db()

        with pytest.raises(definitions.ApprovalNeeded):
            definitions.activate(promotion, now=make.NOON)

    def test_a_rejected_offer_is_a_draft_again(self) -> None:
        promotion = percent(9000)
        definitions.submit(promotion, by=make.staff_member(group="Head office"))
        promotion.refresh_from_db()

        definitions.reject(promotion)

        promotion.refresh_from_db()
        assert (promotion.status, promotion.submitted_by) == ("draft", None)

    def test_what_was_changed_meanwhile_is_not_what_was_approved(self) -> None:
        promotion = percent(9000)
        definitions.submit(promotion, by=make.staff_member(group="Head office"))
        promotion.refresh_from_db()
        Promotion.objects.update(rule=percent(9900, "OTHER").rule)

        with pytest.raises(definitions.OfferNotSwitchable):
            definitions.approve(promotion, by=make.staff_member(), now=make.NOON)

    def test_nobody_approves_their_own_even_by_hand(self) -> None:
        promotion, person = percent(1000), make.staff_member()
        with pytest.raises(IntegrityError):
            Promotion.objects.filter(pk=promotion.pk).update(
                submitted_by=person, approved_by=person
            )


class TestWhatItMeets:
    def test_a_coupon_that_a_member_may_have_twice_counts_twice(self) -> None:
        coupon = make.definition("FULL25_5", status="draft", per_member_limit=2, rule=self.five())
        assert worst(coupon) == ("MT01-M", 200, ["FULL25_5", "FULL25_5"])

    def test_coupons_of_equal_rank_are_taken_in_the_worst_order(self) -> None:
        """Which of them comes first is chance: half and then five off is worse than the reverse."""
        make.definition("FULL25_5", status="active", per_member_limit=1, rule=self.five())
        half = {"version": 1, "effect": {"kind": "percent_off", "percent_bp": 5000}, "scope": MT01}
        other = CouponDefinition.objects.exclude(code="FULL25_5").first()
        assert other is not None
        coupon = make.definition(other.code, status="draft", per_member_limit=1, rule=half)
        assert worst(coupon)[1:] == (100, [other.code, "FULL25_5"])

    def test_coupons_in_wallets_after_the_end(self) -> None:
        make.definition("FULL25_5", status="active", per_member_limit=1, rule=self.five())
        make.coupon(make.member())
        make.definition("FULL25_5", status="ended")
        assert worst(percent(5000))[2] == ["FULL25_5", "HALF"]

    def test_what_a_phase_will_switch_on(self) -> None:
        coming = fixed(500, "COMING", priority=1, status="paused")
        campaign = Campaign.objects.create(code="c", starts_at=make.NOON, status="active")
        phase = CampaignPhase.objects.create(
            campaign=campaign, kind="always_on", starts_at=make.NOON + timedelta(days=3)
        )
        assert worst(percent(5000))[1] == 600
        phase.promotions.add(coming)
        assert worst(percent(5000, "OTHER"))[1] == 350

    def test_the_lowest_price_of_any_store(self) -> None:
        StoreProduct.objects.update_or_create(
            store=make.store(),
            product=Product.objects.get(code="MT01"),
            defaults={"price_cents": 900},
        )
        assert worst(percent(5000))[1] == 450

    @staticmethod
    def five() -> dict[str, Any]:
        return {
            "version": 1,
            "effect": {"kind": "fixed_off", "amount_cents": 500},
            "scope": MT01,
        }


def test_a_phase_does_not_switch_on_what_nobody_approved() -> None:
    losing = percent(9000, status="paused")
    campaign = Campaign.objects.create(code="c", starts_at=make.NOON, status="active")
    phase = CampaignPhase.objects.create(campaign=campaign, kind="always_on", starts_at=make.NOON)
    phase.promotions.add(losing)

    phases.advance(now=make.NOON)

    losing.refresh_from_db()
    assert losing.status == "paused"
    assert Alert.objects.get().code == "offer-not-unlocked"


class TestApi:
    def test_head_office_reads_the_worst_first(self) -> None:
        percent(9000)

        said = make.staff(group="Head office").get("/promotions/HALF/loss-check").json()

        assert said["needs_approval"]
        assert (said["worst_loss_cents"], said["combinations"][0]["unit_cents"]) == (380, 120)
        assert said["summary"]["en"].startswith("90% off on Original milk tea")

    def test_a_coupon_is_checked_alike(self) -> None:
        said = make.staff(group="Head office").get("/coupon-definitions/FULL25_5/loss-check")
        assert said.status_code == 200

    def test_stores_do_not_see_what_the_chain_plans(self) -> None:
        percent(9000)
        assert make.staff("SH001").get("/promotions/HALF/loss-check").status_code == 404
        head_office = make.staff(group="Head office")
        assert head_office.get("/promotions/NONE/loss-check").status_code == 404

    def test_guests_read_what_a_coupon_says(self) -> None:
        CouponDefinition.objects.update(status="active", is_claimable=True)
        rows = make.till().get("/coupon-definitions").json()["results"]
        five = next(row for row in rows if row["code"] == "FULL25_5")
        assert five["summary"]["zh"].startswith("减¥5；订单满¥25可用")
