"""Stores and menus over HTTP."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.models import Product, Store, StoreProduct
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

ANYBODY = Api()


def product(menu: dict[str, Any], code: str) -> dict[str, Any]:
    return next(
        product
        for category in menu["categories"]
        for product in category["products"]
        if product["code"] == code
    )


class TestStores:
    def test_are_listed_for_everybody_with_hours_and_without_what_is_ours(self) -> None:
        answer = ANYBODY.get("/stores").json()

        first = answer["results"][0]
        assert [store["code"] for store in answer["results"]] == ["HZ001", "SH001", "SH002"]
        assert [day["weekday"] for day in first["hours"]] == [1, 2, 3, 4, 5, 6, 7]
        assert "ownership" not in first
        assert "id" not in first

    def test_out_of_business_are_not_listed(self) -> None:
        Store.objects.filter(code="SH002").update(is_active=False)

        codes = [store["code"] for store in ANYBODY.get("/stores").json()["results"]]

        assert codes == ["HZ001", "SH001"]
        assert ANYBODY.get("/stores/SH002/menu").status_code == 404

    def test_are_narrowed_by_city(self) -> None:
        assert ANYBODY.get("/stores", city="nowhere").json()["results"] == []


class TestMenu:
    def test_has_prices_of_the_store(self) -> None:
        StoreProduct.objects.filter(store__code="SH002", product__code="MT01").update(
            price_cents=1350
        )

        here = product(ANYBODY.get("/stores/SH001/menu").json(), "MT01")
        there = product(ANYBODY.get("/stores/SH002/menu").json(), "MT01")

        assert (here["price_cents"], there["price_cents"]) == (1200, 1350)

    def test_says_how_a_product_may_be_ordered(self) -> None:
        menu = ANYBODY.get("/stores/SH001/menu").json()

        questions = {group["code"]: group for group in menu["option_groups"]}
        answers = {answer["group"]: answer for answer in product(menu, "MT01")["options"]}
        assert questions["size"]["is_sku_axis"]
        assert questions["topping"]["is_topping"]
        assert answers["size"]["default"] == "M"
        assert set(answers["size"]["allowed"]) <= {o["code"] for o in questions["size"]["options"]}
        assert answers["topping"]["default"] is None

    def test_prices_every_product_as_a_quote_of_its_defaults_does(self) -> None:
        till = make.till()
        menu = ANYBODY.get("/stores/SH001/menu").json()
        deltas = {
            (group["code"], option["code"]): option["price_delta_cents"]
            for group in menu["option_groups"]
            for option in group["options"]
        }
        for category in menu["categories"]:
            for item in category["products"]:
                if item["is_sold_out"] or not item["is_in_season"]:
                    continue
                defaults = {a["group"]: a["default"] for a in item["options"] if a["default"]}
                body = {
                    "order_type": item["sellable"][0],
                    "lines": [{"product": item["code"], "options": defaults}],
                }

                quote = till.post("/quotes", body)

                expected = item["price_cents"] + sum(deltas[answer] for answer in defaults.items())
                assert quote.json()["total_cents"] == expected, item["code"]

    def test_leaves_out_what_the_store_does_not_list(self) -> None:
        mt01 = Product.objects.get(code="MT01")
        StoreProduct.objects.create(store=make.store(), product=mt01, is_listed=False)

        here = ANYBODY.get("/stores/SH001/menu").content.decode()
        there = ANYBODY.get("/stores/SH002/menu").content.decode()

        assert '"code":"MT01"' not in here
        assert '"code":"MT01"' in there

    def test_marks_what_is_out_of_season(self) -> None:
        never_now = {"available_from_month": 13, "available_to_month": 14}
        Product.objects.filter(code="MT01").update(**never_now)

        assert not product(ANYBODY.get("/stores/SH001/menu").json(), "MT01")["is_in_season"]

    def test_takes_three_statements(self) -> None:
        with CaptureQueriesContext(connection) as statements:
            ANYBODY.get("/stores/SH001/menu")

        assert len(statements) == 3

    def test_of_no_store_is_not_found(self) -> None:
        answer = ANYBODY.get("/stores/nowhere/menu")

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


class TestAvailability:
    PATH = "/stores/SH001/products/MT01/availability"

    def test_keeps_a_sold_out_product_off_the_next_quote_until_it_is_back(self) -> None:
        till = make.till()
        basket = {"lines": [{"product": "MT01", "options": make.MILK_TEA}]}

        sold_out = till.post(self.PATH, {"is_sold_out": True})
        refused = till.post("/quotes", basket)
        shown = product(ANYBODY.get("/stores/SH001/menu").json(), "MT01")
        back = till.post(self.PATH, {"is_sold_out": False})
        quoted = till.post("/quotes", basket)

        assert sold_out.json() == {"store": "SH001", "product": "MT01", "is_sold_out": True}
        assert refused.json()["code"] == "product-not-available"
        assert shown["is_sold_out"]
        assert back.json()["is_sold_out"] is False
        assert quoted.status_code == 200

    def test_keeps_the_stores_own_price(self) -> None:
        mt01 = Product.objects.get(code="MT01")
        StoreProduct.objects.create(store=make.store(), product=mt01, price_cents=1350)

        make.till().post(self.PATH, {"is_sold_out": True})

        row = StoreProduct.objects.get(store=make.store(), product=mt01)
        assert (row.price_cents, row.is_sold_out) == (1350, True)

    def test_is_not_for_another_stores_till(self) -> None:
        answer = make.till("SH002").post(self.PATH, {"is_sold_out": True})

        assert (answer.status_code, answer.json()["code"]) == (403, "permission-denied")

    def test_is_for_managers_of_the_store(self) -> None:
        manager = make.staff("SH001")

        elsewhere = self.PATH.replace("SH001", "SH002")
        assert manager.post(self.PATH, {"is_sold_out": True}).status_code == 200
        assert manager.post(elsewhere, {"is_sold_out": True}).status_code == 403

    @pytest.mark.parametrize(
        "body", [{}, [], {"is_sold_out": "yes"}, {"is_sold_out": 1}, {"is_sold_out": True, "x": 1}]
    )
    def test_refuses_bad_input(self, body: Any) -> None:
        answer = make.till().post(self.PATH, body)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")

    def test_of_no_product_is_not_found(self) -> None:
        path = "/stores/SH001/products/NOPE/availability"

        assert make.till().post(path, {"is_sold_out": True}).status_code == 404

    def test_needs_a_key_with_the_scope(self) -> None:
        assert ANYBODY.post(self.PATH, {"is_sold_out": True}).status_code == 401
        assert make.till(scopes=["menu:read"]).post(self.PATH, {}).status_code == 403
