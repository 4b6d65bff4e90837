"""The promotion form: a manager types what applies by itself, switches it, and sees how it goes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import CouponDefinition, Promotion, UsageCounter
from shop.catalog import Choice
from shop.storefront import quotes
from shop.storefront.baskets import BasketLine
from tests import make
from tests.admin.test_buttons import press, told

pytestmark = pytest.mark.django_db

ADD = "admin:campaigns_promotion_add"
CHANGE = "admin:campaigns_promotion_change"
TYPED: dict[str, Any] = {
    "code": "TRY",
    "name_zh": "试试",
    "name_en": "Try",
    "stacking": "common",
    "partial_return": "keep",
    "priority": 100,
}


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def typed(client: Client, **answers: Any) -> Promotion:
    """Return the promotion that these inputs make, switched on."""
    response = client.post(reverse(ADD), TYPED | answers)
    assert response.status_code == 302, response.context["adminform"].form.errors
    Promotion.objects.filter(code="TRY").update(status="active")
    return Promotion.objects.get(code="TRY")


def quoted(*lines: Any, **fields: Any) -> quotes.Quote:
    return quotes.quote(make.basket(lines=lines, **fields), now=make.NOON)


BY_THE_PIECE = {"kind": "tiered_percent_off", "ladder": "2:10", "ladder_by": "quantity"}


class TestTypedPromotion:
    """One cup is ¥12, a large one ¥15."""

    @pytest.mark.parametrize(
        ("answers", "cups", "expected"),
        [
            ({"kind": "tiered_fixed_off", "ladder": "20:3, 40：8"}, 1, 0),
            ({"kind": "tiered_fixed_off", "ladder": "20:3, 40：8"}, 2, 300),
            ({"kind": "tiered_fixed_off", "ladder": "20:3, 40：8"}, 4, 800),
            ({"kind": "tiered_fixed_off", "ladder": "2:3, 4:8", "ladder_by": "quantity"}, 3, 300),
            ({"kind": "tiered_percent_off", "ladder": "20:10, 30:12.5"}, 3, 450),
            (
                {
                    "kind": "tiered_percent_off",
                    "ladder": "2:10",
                    "ladder_by": "quantity",
                    "cap": "1",
                },
                2,
                100,
            ),
            ({"kind": "unit_price", "amount": "9.90"}, 2, 420),
            ({"kind": "percent_off", "percent": "10", "exclude": ["product:MT01"]}, 1, 0),
            ({"kind": "percent_off", "percent": "10", "exclude": ["category:snack"]}, 1, 120),
            ({"kind": "percent_off", "percent": "10", "members_only": "on"}, 1, 0),
            ({"kind": "percent_off", "percent": "10", "order_types": ["delivery"]}, 1, 0),
            ({"kind": "percent_off", "percent": "10", "order_types": ["pickup"]}, 1, 120),
        ],
    )
    def test_takes_off_what_was_typed(
        self, office: Client, answers: dict[str, Any], cups: int, expected: int
    ) -> None:
        typed(office, **answers)

        assert quoted(make.line(quantity=cups)).discount_cents == expected

    def test_sells_a_set_for_one_price_as_it_was_typed(self, office: Client) -> None:
        """A tea of ¥12 and a biscuit of ¥6 for ¥15; of a second tea there is no set."""
        promotion = typed(
            office,
            kind="bundle_price",
            amount="15",
            part_1_quantity=1,
            part_1_goods=["category:milk_tea"],
            part_2_quantity=1,
            part_2_goods=["product:SN01"],
        )
        biscuit = BasketLine(product="SN01", quantity=1, choice=Choice(options={}, toppings={}))

        alone, both = quoted(make.line()), quoted(make.line(quantity=2), biscuit)
        page = office.get(reverse("admin:campaigns_promotion_change", args=[promotion.pk]))

        assert alone.discount_cents == 0
        assert both.discount_cents == both.subtotal_cents - 1200 - 1500
        form = page.context["adminform"].form
        assert form.initial["part_2_goods"] == ["product:SN01"]
        assert form.initial["kind"] == "bundle_price"

    def test_gives_what_was_typed(self, office: Client) -> None:
        typed(office, kind="gift_item", gift_product="SN01", pieces=2, buy_quantity=2)

        (gift,) = quoted(make.line(quantity=3)).gifts

        assert (gift.product.code, gift.quantity) == ("SN01", 2)

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            ({"kind": "tiered_fixed_off", "ladder": ""}, "ladder"),
            ({"kind": "tiered_fixed_off", "ladder": "50"}, "ladder"),
            ({"kind": "tiered_fixed_off", "ladder": "50:10, 20:5"}, "ladder"),
            ({"kind": "gift_coupon", "gift_coupon": "NOSUCH"}, "gift_coupon"),
            ({"kind": "points_boost"}, "kind"),
            ({"kind": "percent_off", "percent": "101"}, "percent"),
            ({"kind": "percent_off", "percent": "NaN"}, "percent"),
            ({"kind": "fixed_off", "amount": "-1"}, "amount"),
            ({"kind": "fixed_off", "amount": "1", "uses_total": "-1"}, "uses_total"),
            ({"kind": "fixed_off", "amount": "1", "uses_total": "0"}, "uses_total"),
        ],
    )
    def test_that_makes_no_sense_is_told_at_its_input(
        self, office: Client, answers: dict[str, Any], field: str
    ) -> None:
        response = office.post(reverse(ADD), TYPED | answers)

        assert field in response.context["adminform"].form.errors
        assert not Promotion.objects.exists()


class TestSwitch:
    def test_activates_pauses_and_ends(self, office: Client) -> None:
        """Beside no coupon ¥1 off takes no cup below its floor price."""
        CouponDefinition.objects.update(status="ended")
        promotion = make.promotion({"kind": "fixed_off", "amount_cents": 100}, status="draft")

        seen = []
        for name in ("activate", "pause", "activate", "end"):
            press(office, f"campaigns_promotion_{name}", promotion)
            promotion.refresh_from_db()
            seen.append((promotion.status, quoted().discount_cents))

        assert seen == [("active", 100), ("paused", 0), ("active", 100), ("ended", 0)]
        assert told(press(office, "campaigns_promotion_activate", promotion))[0] == "error"

    def test_does_not_start_what_is_over(self, office: Client) -> None:
        promotion = make.promotion(
            {"kind": "fixed_off", "amount_cents": 500},
            status="draft",
            conditions={"ends_at": "2026-01-01T00:00:00+08:00"},
        )

        assert told(press(office, "campaigns_promotion_activate", promotion)) == (
            "error",
            "The offer cannot be switched to that now. Its period is over.",
        )


class TestPage:
    def test_shows_use_against_limit_and_budget(self, office: Client) -> None:
        promotion = make.promotion(
            {"kind": "fixed_off", "amount_cents": 500}, uses_total=9, budget_cents=2000
        )
        make.paid(total=700)

        page = office.get(reverse(CHANGE, args=[promotion.pk])).content.decode()

        assert "1 / 9" in page
        assert "¥5.00 / ¥20.00" in page

    def test_counts_what_was_used_when_a_limit_is_set(self, office: Client) -> None:
        promotion = make.promotion({"kind": "fixed_off", "amount_cents": 500})
        make.paid(total=700)
        promotion.status = "paused"
        promotion.save()

        answers = TYPED | {"kind": "fixed_off", "amount": "5", "code": "PROMO", "uses_per_store": 1}
        response = office.post(reverse(CHANGE, args=[promotion.pk]), answers)

        assert response.status_code == 302
        counter = UsageCounter.objects.get()
        assert (counter.dimension, counter.used) == ("store", 1)

    def test_is_not_a_store_managers_to_write(self) -> None:
        manager: Client = make.staff("SH001").client

        assert manager.get(reverse(ADD)).status_code == 403
