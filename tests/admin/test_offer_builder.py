"""The promotion builder: presets, live preview, approval by another, copies, who changed what."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from campaigns.admin.presets import PRESETS
from campaigns.models import Coupon, CouponDefinition, Promotion, PromotionUse, UsageCounter
from shop.models import Staff
from tests import make
from tests.admin.test_buttons import is_offered, press, told
from tests.admin.test_coupon_form import TYPED as TYPED_COUPON
from tests.admin.test_promotions import TYPED

pytestmark = pytest.mark.django_db

ADD = {
    Promotion: "admin:campaigns_promotion_add",
    CouponDefinition: "admin:campaigns_coupondefinition_add",
}
HALF = {"kind": "percent_off", "percent": "50"}
BAD = ["-1", "0", "1e99", "1.234", "NaN", "Infinity", "x", "9" * 30]


@pytest.fixture
def boss() -> Staff:
    return make.staff_member(group="Head office")


@pytest.fixture
def office(boss: Staff) -> Client:
    client: Client = make.session_of(boss).client
    return client


def initial(client: Client, model: Any, preset: str) -> dict[str, Any]:
    """Return the answers with which the form opens, as a browser would send them back."""
    form = client.get(reverse(ADD[model]), {"preset": preset}).context["adminform"].form
    values: dict[str, Any] = {}
    for bound in form:
        value = bound.field.prepare_value(bound.value())
        if value not in (None, "", False, []):
            values[bound.name] = "on" if value is True else value
    return values


def preview(client: Client, what: str = "preview", **answers: Any) -> str:
    response = client.post(reverse(f"admin:campaigns_promotion_{what}"), TYPED | answers)
    assert response.status_code == 200
    return response.content.decode()


def counts() -> list[int]:
    tables: list[Any] = [Promotion, CouponDefinition, Coupon, PromotionUse, UsageCounter, LogEntry]
    return [table.objects.count() for table in tables]


class TestPresets:
    @pytest.mark.parametrize(
        ("model", "preset"),
        [
            *((Promotion, p.code) for p in PRESETS if p.code != "gift"),
            *((CouponDefinition, p.code) for p in PRESETS if p.coupon),
        ],
    )
    def test_each_makes_an_offer_as_it_is(self, office: Client, model: Any, preset: str) -> None:
        typed = TYPED if model is Promotion else TYPED_COUPON
        answers = typed | initial(office, model, preset) | {"code": "TRY"}

        response = office.post(reverse(ADD[model]), answers)

        assert response.status_code == 302, response.context["adminform"].form.errors
        assert model.objects.get(code="TRY").status == "draft"

    def test_a_gift_asks_what_is_given(self, office: Client) -> None:
        answers = TYPED | initial(office, Promotion, "gift")
        response = office.post(reverse(ADD[Promotion]), answers)
        assert list(response.context["adminform"].form.errors) == ["gift_product"]

    def test_an_unknown_one_is_an_empty_form(self, office: Client) -> None:
        assert office.get(reverse(ADD[Promotion]), {"preset": "none"}).status_code == 200


class TestPreview:
    def test_prices_the_sample_cart_and_says_the_offer_in_both_languages(
        self, office: Client
    ) -> None:
        page = preview(
            office, kind="nth_item_percent", nth=2, percent="50", **{"sample-product_1": "MT01"}
        )
        assert "第2件打5折" in page
        assert "item no. 2 of anything 50% off" in page
        assert "¥18.00" in page  # two cups of ¥12, the second at half price

    def test_tells_what_the_cart_lacks(self, office: Client) -> None:
        page = preview(office, **HALF, min_spend="30", **{"sample-product_1": "MT01"})
        assert "¥6 short" in page

    def test_is_tried_at_the_time_the_offer_is_for(self, office: Client) -> None:
        page = preview(
            office,
            **HALF,
            hours_from="03:00",
            hours_until="03:01",
            stores=["SH002"],
            **{"sample-product_1": "MT01"},
        )
        assert "¥12.00</th>" in page

    def test_previews_happy_hours_that_overlap(self, office: Client) -> None:
        make.promotion(
            {"kind": "percent_off", "percent_bp": 2000},
            name_en="Tea time",
            conditions={"hours": [{"starts": "16:00", "ends": "18:00", "weekdays": [1]}]},
            stacking="exclusive",
            priority=1,
        )
        page = preview(
            office, **HALF, hours_from="14:00", hours_until="17:00", stacking="exclusive"
        )
        assert "Tea time" in page
        assert "Mon 16:00–17:00" in page
        assert "Only the other one applies then" in page

    def test_shows_which_offers_sell_below_the_floor(self, office: Client) -> None:
        make.promotion(
            {"kind": "percent_off", "percent_bp": 8000}, code="OTHER", scope={"products": ["MT01"]}
        )
        page = preview(office, "losses", **HALF, products=["MT01"], code="MINE")
        assert "below their floor price" in page
        assert "OTHER + MINE" in page or "MINE + OTHER" in page

    def test_writes_nothing(self, office: Client) -> None:
        before = counts()
        preview(office, **HALF)
        preview(office, "losses", **HALF, products=["MT01"])
        assert counts() == before

    @pytest.mark.parametrize(
        ("kind", "field"),
        [
            ("percent_off", "percent"),
            ("fixed_off", "amount"),
            ("nth_item_percent", "nth"),
            ("tiered_fixed_off", "ladder"),
            ("points_boost", "multiplier"),
        ],
    )
    def test_says_what_is_wrong_and_saves_nothing(
        self, office: Client, kind: str, field: str
    ) -> None:
        answers = {"kind": kind, "percent": "50"}
        for bad in BAD:
            assert "offer-errors" in preview(office, **answers | {field: bad}), bad
        answers |= {field: "NaN"}
        assert "offer-errors" in preview(office, "losses", **answers)
        assert office.post(reverse(ADD[Promotion]), TYPED | answers).status_code == 200
        assert not Promotion.objects.exists()

    def test_a_bad_sample_falls_back_to_two_cups(self, office: Client) -> None:
        for bad in BAD:
            sample = {"quantity_1": bad, "product_1": bad, "at": bad, "weekday": bad, "buyer": bad}
            page = preview(office, **HALF, **{f"sample-{k}": v for k, v in sample.items()})
            assert "data-offer-total" in page

    def test_an_inverted_period_is_told_at_its_end(self, office: Client) -> None:
        period = {
            "starts_at_0": "2026-07-02",
            "starts_at_1": "10:00",
            "ends_at_0": "2026-07-01",
            "ends_at_1": "10:00",
        }
        response = office.post(reverse(ADD[Promotion]), TYPED | HALF | period)
        assert list(response.context["adminform"].form.errors) == ["ends_at"]

    def test_is_for_who_may_write_offers(self) -> None:
        manager = make.staff("SH001").client
        address = reverse("admin:campaigns_promotion_preview")
        assert manager.post(address, TYPED | HALF).status_code == 403
        assert Client().post(address, TYPED | HALF).status_code == 302


class TestApproval:
    """A promotion of 95 % takes every cup below its floor."""

    @pytest.fixture
    def losing(self) -> Promotion:
        return make.promotion(
            {"kind": "percent_off", "percent_bp": 9500},
            code="LOSING",
            status="draft",
            scope={"products": ["MT01"]},
        )

    def test_what_sells_below_the_floor_waits_for_another_person(
        self, office: Client, losing: Promotion
    ) -> None:
        level, note = told(press(office, "campaigns_promotion_activate", losing))
        assert level == "error"
        assert "LOSING together sell" in note

        press(office, "campaigns_promotion_submit", losing)
        own = told(press(office, "campaigns_promotion_approve", losing))
        losing.refresh_from_db()
        assert (own[0], losing.status) == ("error", "submitted")

        other = make.staff(group="Head office").client
        assert told(press(other, "campaigns_promotion_approve", losing))[0] == "success"
        losing.refresh_from_db()
        assert losing.status == "active"
        assert losing.approved_by != losing.submitted_by

    def test_a_rejected_one_is_a_draft(self, office: Client, losing: Promotion) -> None:
        press(office, "campaigns_promotion_submit", losing)
        press(office, "campaigns_promotion_reject", losing)
        losing.refresh_from_db()
        assert losing.status == "draft"
        assert is_offered(office, losing, "campaigns_promotion_submit")
        assert not is_offered(office, losing, "campaigns_promotion_approve")

    def test_a_changed_rule_is_approved_by_nobody(self, office: Client, losing: Promotion) -> None:
        Promotion.objects.update(
            status="paused", approved_by=make.staff_member(), approved_loss_cents=900
        )
        address = reverse("admin:campaigns_promotion_change", args=[losing.pk])
        office.post(address, TYPED | {"code": "LOSING", "kind": "percent_off", "percent": "99"})
        losing.refresh_from_db()
        assert losing.rule["effect"]["percent_bp"] == 9900
        assert (losing.approved_by, losing.approved_loss_cents) == (None, None)


class TestDuplicate:
    def test_gives_the_same_and_has_given_nothing(self, office: Client) -> None:
        definition = make.definition("FULL25_5", budget_cents=10_000)
        make.coupon(make.member())

        press(office, "campaigns_coupondefinition_duplicate", definition)
        press(office, "campaigns_coupondefinition_duplicate", definition)

        copies = CouponDefinition.objects.filter(code__startswith="FULL25_5-").order_by("code")
        assert [copy.code for copy in copies] == ["FULL25_5-2", "FULL25_5-3"]
        for copy in copies:
            assert copy.rule == definition.rule
            assert (copy.status, copy.issued_count, copy.budget_cents) == ("draft", 0, 10_000)


class TestHistory:
    def test_says_who_changed_what_from_what_to_what(self, office: Client, boss: Staff) -> None:
        promotion = make.promotion(
            {"kind": "percent_off", "percent_bp": 1000}, code="TRY", status="draft"
        )
        address = reverse("admin:campaigns_promotion_change", args=[promotion.pk])
        office.post(address, TYPED | {"kind": "percent_off", "percent": "20", "uses_total": 5})
        press(office, "campaigns_promotion_submit", promotion)

        moved, changed = office.get(address).context["changes"]

        assert {moved.who, changed.who} == {boss.get_username()}
        assert moved.differences == [("status", "draft", "submitted")]
        said = {name: (before, after) for name, before, after in changed.differences}
        assert said["uses in all"] == ("", "5")
        assert said["percent"] == ("10", "20")


def test_use_is_shown_against_limits(office: Client) -> None:
    make.definition("FULL25_5", total_limit=4, budget_cents=2000)
    make.coupon(make.member())
    definition = make.definition("FULL25_5")
    page = office.get(
        reverse("admin:campaigns_coupondefinition_change", args=[definition.pk])
    ).content.decode()
    assert f"{definition.issued_count} / 4 · " in page
    assert "¥0.00 / ¥20.00 · 0%" in page


def test_the_moment_is_told_in_the_stores_time(office: Client) -> None:
    page = preview(office, **HALF, **{"sample-weekday": "3", "sample-at": "15:30"})
    assert "Wed " in page
    assert "15:30" in page
