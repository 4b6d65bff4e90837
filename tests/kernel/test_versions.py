"""Copies of the menu and of promotions are never older than the version that was read."""

import pytest
from django.db import transaction

from campaigns import limits, promotions
from campaigns.models import Promotion
from shop import catalog
from shop.kernel import versions
from shop.models import Product, StoreProduct
from tests import make
from tests.performance.counting import statements

pytestmark = pytest.mark.django_db


def price() -> int:
    """Return what MT01 costs in the store by whatever copy is good."""
    (version,) = versions.read(["menu"])
    found = catalog.load_products(store_id=make.store().pk, codes=["MT01"], version=version)
    return found["MT01"].price_cents


def set_price(cents: int) -> None:
    Product.objects.filter(code="MT01").update(base_price_cents=cents)


class TestCopies:
    def test_of_the_menu_serve_until_it_changes(self) -> None:
        before = price()
        with statements() as found:
            assert price() == before
        set_price(before + 100)

        assert len(found) == 2  # the store, the version
        assert price() == before + 100

    def test_of_the_menu_know_what_a_store_has_changed(self) -> None:
        price()
        product = Product.objects.get(code="MT01")

        StoreProduct.objects.create(store=make.store(), product=product, price_cents=9900)

        assert price() == 9900

    def test_that_were_made_before_a_rollback_are_not_taken_for_later_ones(self) -> None:
        """Versions come from a sequence; counted up they would come again."""
        before = price()
        with transaction.atomic():
            set_price(before + 100)
            assert price() == before + 100
            transaction.set_rollback(True)

        assert price() == before
        set_price(before + 200)
        assert price() == before + 200

    def test_of_promotions_serve_until_one_starts(self) -> None:
        place = limits.place_of(make.store(), member_id=None, now=make.NOON)

        def running() -> set[str]:
            (version,) = versions.read(["promotions"])
            return {p.code for p in promotions.running(place, version=version)}

        before = running()
        make.promotion({"kind": "fixed_off", "amount_cents": 100}, code="NEW")
        assert running() == before | {"NEW"}

        Promotion.objects.filter(code="NEW").update(status=Promotion.Status.PAUSED)
        assert running() == before

    def test_without_a_version_are_not_kept(self) -> None:
        assert versions.read(["nothing"]) == [None]
