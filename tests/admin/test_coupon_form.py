"""The coupon form: what a manager types is what is priced, and what people hold stays as it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from campaigns import pricing
from campaigns.admin.rules import answers_of, rule_of
from campaigns.models import CouponDefinition
from shop.kernel.money import Cents, Points
from shop.storefront import quotes
from tests import make

pytestmark = pytest.mark.django_db

ADD = "admin:campaigns_coupondefinition_add"
CHANGE = "admin:campaigns_coupondefinition_change"
TYPED: dict[str, Any] = {
    "code": "TRY",
    "name_zh": "试试",
    "name_en": "Try",
    "kind": "percent_off",
    "stacking": "common",
    "priority": 100,
    "valid_days": 7,
    "per_member_limit": 1,
    "claim_buckets": 1,
    "after_refund": "if_not_expired",
    "partial_return": "keep",
}


@pytest.fixture
def office() -> Client:
    client: Client = make.staff(group="Head office").client
    return client


def typed(client: Client, **answers: Any) -> CouponDefinition:
    """Return the definition that these inputs make, switched on."""
    response = client.post(reverse(ADD), TYPED | answers)
    assert response.status_code == 302, response.context["adminform"].form.errors
    return make.definition("TRY", status="active")


def errors(response: Any) -> dict[str, list[str]]:
    form = response.context["adminform"].form
    return {name: list(map(str, found)) for name, found in form.errors.items()}


def discount(definition: CouponDefinition, *lines: Any, at: str = "SH001") -> int:
    """Return what a coupon of this definition takes off a basket."""
    who = make.member()
    coupon = make.coupon(who, definition.code)
    basket = make.basket(who=who, lines=lines, at=at, coupon_codes=[coupon.code])
    return quotes.quote(basket, now=make.NOON).discount_cents


class TestTypedOffer:
    @pytest.mark.parametrize(
        ("answers", "quantity", "expected"),
        [
            ({"percent": "12.5"}, 2, 300),
            ({"percent": "50", "cap": "5"}, 2, 500),
            ({"kind": "fixed_off", "amount": "3.50"}, 1, 350),
            ({"kind": "fixed_off", "amount": "3.50", "min_spend": "24"}, 1, 0),
            ({"kind": "fixed_off", "amount": "3.50", "min_spend": "24"}, 2, 350),
            ({"kind": "fixed_off", "amount": "1", "min_quantity": 3}, 2, 0),
            ({"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1}, 4, 2400),
            (
                {"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1}
                | {"max_applications": 1},
                4,
                1200,
            ),
            ({"kind": "nth_item_percent", "nth": 2, "percent": "50"}, 2, 600),
            ({"percent": "10", "categories": ["milk_tea"]}, 1, 120),
            ({"percent": "10", "categories": ["fruit_tea"]}, 1, 0),
            ({"percent": "10", "products": ["MT01"]}, 1, 120),
            ({"percent": "10", "weekdays": [4]}, 1, 120),  # the test's noon is a Thursday's
            ({"percent": "10", "weekdays": [5]}, 1, 0),
            ({"percent": "10", "hours_from": "14:00", "hours_until": "17:00"}, 1, 0),
            ({"percent": "10", "stores": ["SH002"]}, 1, 0),
        ],
    )
    def test_is_priced_as_it_was_typed(
        self, office: Client, answers: dict[str, Any], quantity: int, expected: int
    ) -> None:
        definition = typed(office, **answers)

        assert discount(definition, make.line(quantity=quantity)) == expected

    def test_begins_as_a_draft(self, office: Client) -> None:
        office.post(reverse(ADD), TYPED | {"percent": "10"})

        assert CouponDefinition.objects.get(code="TRY").status == "draft"

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            ({}, "percent"),
            ({"percent": "0"}, "percent"),
            ({"percent": "101"}, "percent"),
            ({"percent": "x"}, "percent"),
            ({"kind": "fixed_off"}, "amount"),
            ({"kind": "fixed_off", "amount": "0"}, "amount"),
            ({"kind": "fixed_off", "amount": "1.234"}, "amount"),
            ({"kind": "fixed_off", "amount": "1" + "0" * 20}, "amount"),
            ({"kind": "nth_item_percent", "percent": "50"}, "nth"),
            ({"kind": "nth_item_percent", "percent": "50", "nth": 1}, "nth"),
            ({"kind": "buy_x_get_y", "buy_quantity": 1}, "get_quantity"),
            ({"kind": "no_such"}, "kind"),
            ({"percent": "10", "categories": ["no_such"]}, "categories"),
            ({"percent": "10", "weekdays": [8]}, "weekdays"),
            ({"percent": "10", "valid_days": ""}, "valid_days"),
            ({"percent": "10", "priority": -1}, "priority"),
            ({"percent": "10", "per_member_limit": 0}, "per_member_limit"),
            ({"percent": "10", "total_limit": 0}, "total_limit"),
            ({"percent": "10", "uses_per_day": 0}, "uses_per_day"),
            ({"percent": "10", "budget_cents": "0"}, "budget_cents"),
            ({"percent": "10", "starts_at_0": "0001-01-01", "starts_at_1": "00:00"}, "starts_at"),
            (
                {"percent": "10", "valid_until_0": "9999-12-31", "valid_until_1": "23:59"},
                "valid_until",
            ),
            (
                {"percent": "10", "claim_starts_at_0": "2026-06-02", "claim_starts_at_1": "10:00"}
                | {"claim_ends_at_0": "2026-06-01", "claim_ends_at_1": "10:00"},
                "claim_ends_at",
            ),
        ],
    )
    def test_that_makes_no_sense_is_told_at_its_input(
        self, office: Client, answers: dict[str, Any], field: str
    ) -> None:
        response = office.post(reverse(ADD), TYPED | answers)

        assert list(errors(response)) == [field]
        assert not CouponDefinition.objects.filter(code="TRY").exists()

    def test_is_explained_in_chinese_too(self, office: Client) -> None:
        response = office.post(reverse(ADD), TYPED, headers={"Accept-Language": "zh-CN"})

        with translation.override("zh-hans"):
            assert errors(response) == {"percent": ["这种优惠必须填写此项。"]}
        assert "这种优惠必须填写此项。" in response.content.decode()


class TestExistingOffer:
    def test_shows_its_values_and_keeps_them(self, office: Client) -> None:
        definition = make.definition("FULL25_5")
        form = office.get(reverse(CHANGE, args=[definition.pk])).context["adminform"].form

        assert form.initial["kind"] == "fixed_off"
        assert form["amount"].value() == "5.00"
        assert form["min_spend"].value() == "25.00"

        unchanged = TYPED | {
            "code": "FULL25_5",
            "kind": "fixed_off",
            "amount": "5.00",
            "min_spend": "25.00",
            "name_en": "Renamed",
        }
        office.post(reverse(CHANGE, args=[definition.pk]), unchanged)

        changed = CouponDefinition.objects.get(pk=definition.pk)
        assert changed.name_en == "Renamed"
        assert pricing.parse_rule(changed.rule) == pricing.parse_rule(definition.rule)

    def test_is_changed_while_nobody_holds_it(self, office: Client) -> None:
        definition = typed(office, percent="10")
        make.definition("TRY", status="paused")

        office.post(reverse(CHANGE, args=[definition.pk]), TYPED | {"percent": "20"})
        make.definition("TRY", status="active")

        assert discount(definition, make.line()) == 240

    def test_is_fixed_once_somebody_holds_it(self, office: Client) -> None:
        definition = typed(office, percent="10")
        make.coupon(make.member(), "TRY")

        page = office.get(reverse(CHANGE, args=[definition.pk])).content.decode()
        office.post(reverse(CHANGE, args=[definition.pk]), TYPED | {"percent": "90"})

        assert "it is fixed" in page
        assert make.definition("TRY").rule == definition.rule

    def test_is_fixed_when_somebody_got_it_meanwhile(self, office: Client) -> None:
        """The form was opened before the first coupon went out."""
        definition = typed(office, percent="10")
        from campaigns.admin.coupon_form import DefinitionForm

        opened = make.definition("TRY", status="paused")
        make.definition("TRY", status="active")
        make.coupon(make.member(), "TRY")
        form = type("Form", (DefinitionForm,), {"Meta": _Meta})(
            TYPED | {"percent": "90"}, instance=opened
        )

        assert "kind" in form.errors
        assert make.definition("TRY").rule == definition.rule

    def test_saving_puts_no_counter_back(self, office: Client) -> None:
        definition = make.definition(issued_count=3, spent_cents=Cents(500), redeemed_count=1)
        address = reverse(CHANGE, args=[definition.pk])
        answers = TYPED | {"code": definition.code, "name_en": "New name", "total_limit": 2}

        refused = office.post(address, answers)
        office.post(address, answers | {"total_limit": 4, "budget_cents": "5.00"})

        assert errors(refused) == {"total_limit": ["3 have been issued already."]}
        saved = make.definition()
        assert (saved.issued_count, saved.redeemed_count, saved.spent_cents) == (3, 1, 500)
        assert (saved.name_en, saved.total_limit, saved.budget_cents) == ("New name", 4, 500)

    def test_beyond_the_form_is_shown_as_it_is_stored(self, office: Client) -> None:
        rule = {
            "version": 1,
            "effect": {"kind": "cheapest_free", "free_quantity": 1, "group_quantity": 3},
        }
        definition = make.definition(rule=rule)
        address = reverse(CHANGE, args=[definition.pk])

        page = office.get(address).content.decode()
        office.post(address, TYPED | {"code": definition.code, "name_en": "Still this"})

        assert "cheapest_free" in page
        assert 'name="percent"' not in page
        saved = make.definition()
        assert (saved.rule, saved.name_en) == (rule, "Still this")


class TestRuleAnswers:
    @pytest.mark.parametrize(
        "rule",
        [
            pricing.Rule(effect=pricing.PercentOff(percent_bp=1250)),
            pricing.Rule(effect=pricing.FixedOff(amount_cents=Cents(500))),
            pricing.Rule(
                effect=pricing.TieredFixedOff(
                    tiers=(
                        pricing.FixedTier(threshold=5000, amount_cents=Cents(1050)),
                        pricing.FixedTier(threshold=10_000, amount_cents=Cents(2500)),
                    )
                )
            ),
            pricing.Rule(effect=pricing.UnitPrice(price_cents=Cents(990))),
            pricing.Rule(effect=pricing.FreeTopping(max_value_cents=Cents(300), quantity=2)),
            pricing.Rule(effect=pricing.FreeUpsize()),
            pricing.Rule(effect=pricing.GiftItem(product="SN01", buy_quantity=2)),
            pricing.Rule(effect=pricing.GiftCoupon(coupon="FULL25_5")),
            pricing.Rule(
                effect=pricing.PointsBoost(multiplier_percent=150, bonus_points=Points(5)),
                conditions=pricing.Conditions(
                    members_only=True,
                    birthday_month=True,
                    joined_within_days=30,
                    order_types=frozenset({"delivery"}),
                    starts_at=datetime(2026, 6, 1, tzinfo=UTC),
                    ends_at=datetime(2026, 7, 1, tzinfo=UTC),
                ),
            ),
            pricing.Rule(
                effect=pricing.BuyXGetY(buy_quantity=1, get_quantity=1),
                limits=pricing.Limits(max_discount_cents=Cents(300)),
                conditions=pricing.Conditions(min_quantity=2, stores=frozenset({"SH001"})),
                stacking=pricing.Stacking.EXCLUSIVE,
                priority=5,
            ),
            pricing.Rule(effect=pricing.BuyXGetY(buy_quantity=2, get_quantity=1)),
            pricing.Rule(effect=pricing.NthItemPercent(nth=2, percent_bp=5000)),
        ],
    )
    def test_give_the_same_rule_again(self, rule: pricing.Rule) -> None:
        answers = answers_of(rule)

        assert answers is not None
        assert rule_of(answers) == rule

    @pytest.mark.parametrize(
        "rule",
        [
            pricing.Rule(effect=pricing.CheapestFree()),
            pricing.Rule(
                effect=pricing.PercentOff(percent_bp=1), limits=pricing.Limits(max_items=1)
            ),
            pricing.Rule(
                effect=pricing.PercentOff(percent_bp=1),
                conditions=pricing.Conditions(tiers=frozenset({"gold"})),
            ),
            pricing.Rule(effect=pricing.BuyXGetY(buy_quantity=1, get_quantity=1, percent_bp=5000)),
        ],
    )
    def test_do_not_stand_for_a_rule_with_more_to_it(self, rule: pricing.Rule) -> None:
        assert answers_of(rule) is None


class _Meta:
    model = CouponDefinition
    fields = ("code", "name_zh", "name_en", "valid_days", "per_member_limit", "after_refund")
