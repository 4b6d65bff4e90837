"""The menu file's own examples: what a choice costs, what it costs to make, what cannot be had."""

from collections.abc import Mapping
from typing import Any

import pytest

from shop import catalog
from shop.catalog import Choice, MenuProduct, PricedChoice
from shop.kernel.errors import InvalidInput
from shop.models import Product
from shop.storefront.demo import chain
from tests import make

pytestmark = pytest.mark.django_db

MENU = chain.read_menu()
PRODUCTS = {product["code"]: product for product in MENU["products"]}
OPTIONS = {
    (group["code"], option["code"]): option
    for group in MENU["option_groups"]
    for option in group["options"]
}
DEFAULT_STORE = "SH001"


def load(code: str, *, store: str | None = None) -> MenuProduct:
    """Return a product as a store sells it."""
    here = make.store(store or DEFAULT_STORE)
    return catalog.load_products(store_id=here.pk, codes=[code])[code]


def priced(example: Mapping[str, Any]) -> PricedChoice:
    """Price an example of the file."""
    choice = Choice(options=example["options"], toppings=example.get("toppings", {}))
    return catalog.price_choice(load(example["product"], store=example.get("store")), choice)


def default_choice(code: str) -> Choice:
    """Return a product as it comes when nobody asks for anything."""
    options = {
        group["group"]: group["default"]
        for group in PRODUCTS[code]["option_groups"]
        if "default" in group
    }
    return Choice(options=options, toppings={})


@pytest.mark.parametrize("example", MENU["price_examples"], ids=lambda example: example["product"])
def test_a_choice_costs_what_the_menu_says(example: dict[str, Any]) -> None:
    assert priced(example).unit_price_cents == example["expected_unit_price_fen"]


@pytest.mark.parametrize("example", MENU["invalid_examples"], ids=lambda example: example["reason"])
def test_a_choice_that_the_menu_calls_invalid_is_refused(example: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        priced(example)

    (error,) = refused.value.members["errors"]
    assert error["pointer"].startswith(("/options/", "/toppings"))
    assert error["code"] in {"option-not-allowed", "option-missing", "too-many-toppings"}


@pytest.mark.parametrize("code", PRODUCTS)
def test_a_default_choice_costs_and_makes_what_the_rules_say(code: str) -> None:
    """Price: base + deltas of options; cost: the product's + deltas of options."""
    choice = default_choice(code)
    chosen = [OPTIONS[item] for item in choice.options.items()]
    data = PRODUCTS[code]

    result = catalog.price_choice(load(code), choice)

    assert result.unit_price_cents == data["base_price_fen"] + sum(
        option["price_delta_fen"] for option in chosen
    )
    assert result.unit_cost_cents == data["cost_fen"] + sum(
        option["cost_delta_fen"] for option in chosen
    )


class TestToppings:
    def test_cost_the_shop_as_many_times_as_they_are_taken(self) -> None:
        plain = catalog.price_choice(load("MT01"), Choice(options=make.MILK_TEA, toppings={}))
        topped = catalog.price_choice(
            load("MT01"), Choice(options=make.MILK_TEA, toppings={"pearl": 2, "coconut_jelly": 1})
        )
        pearl, jelly = OPTIONS["topping", "pearl"], OPTIONS["topping", "coconut_jelly"]

        assert topped.unit_cost_cents - plain.unit_cost_cents == (
            2 * pearl["cost_delta_fen"] + jelly["cost_delta_fen"]
        )
        assert topped.toppings_cents == 2 * pearl["price_delta_fen"] + jelly["price_delta_fen"]

    @pytest.mark.parametrize("code", [c for c, data in PRODUCTS.items() if data.get("includes")])
    def test_that_are_included_are_free_and_do_not_count_against_the_most(self, code: str) -> None:
        rows = Product.objects.get(code=code).included_toppings
        most = next(g["max"] for g in MENU["option_groups"] if g["code"] == "topping")
        product = load(code)
        extra = [option for option in product.options if option.is_topping][:most]
        choice = default_choice(code)

        plain = catalog.price_choice(product, choice)
        result = catalog.price_choice(
            product,
            Choice(options=choice.options, toppings={option.code: 1 for option in extra}),
        )

        assert set(rows.values_list("code", flat=True)) == set(PRODUCTS[code]["includes"])
        assert len(extra) == most
        assert result.toppings_cents == sum(option.price_delta_cents for option in extra)
        assert result.unit_price_cents == plain.unit_price_cents + result.toppings_cents
