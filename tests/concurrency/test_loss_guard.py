"""Two offers that only together sell below a floor, activated at the same moment."""

from functools import partial

from campaigns import definitions
from campaigns.models import CouponDefinition, Promotion
from shop.kernel.errors import DomainError
from shop.models import Product
from tests import make
from tests.concurrency.crowd import at_once


def activate(code: str) -> str:
    try:
        definitions.activate(Promotion.objects.get(code=code), now=make.NOON)
    except DomainError as refusal:
        return refusal.code
    return "active"


def test_of_two_that_lose_money_only_together_one_is_found_out() -> None:
    """The lock of `activate`; without it each is checked before the other one is active."""
    CouponDefinition.objects.update(status="ended")
    Product.objects.exclude(code="MT01").update(is_active=False)
    Product.objects.update(floor_price_cents=500)
    for code in ("A", "B"):
        make.promotion(
            {"kind": "percent_off", "percent_bp": 4000},
            code=code,
            status="draft",
            scope={"products": ["MT01"]},
        )

    outcomes = at_once([partial(activate, "A"), partial(activate, "B")])

    assert sorted(outcomes) == ["active", "offer-needs-approval"]
