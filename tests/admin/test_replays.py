"""A promotion tried on past orders from its page."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import Promotion
from shop.storefront.admin import replays as page
from tests import make
from tests.admin.test_buttons import is_offered, press, told

pytestmark = pytest.mark.django_db

BUTTON = "campaigns_promotion_replay"


@pytest.fixture
def promotion() -> Promotion:
    effect = {"kind": "percent_off", "percent_bp": 1000}
    return make.promotion(effect, status="draft", conditions={"min_spend_cents": 2000})


def buy(quantity: int, total: int, at: str = "SH001") -> Any:
    what = make.basket(lines=[make.line(quantity=quantity)], at=at)
    return make.paid(what=what, total=total, now=timezone.now())


def test_shows_what_it_would_have_done_and_why_not(promotion: Promotion) -> None:
    office = make.staff(group="Head office").client
    buy(3, 3600)
    buy(1, 1200)

    sent = press(office, BUTTON, promotion, days=1)
    text = office.get(sent.url).content.decode()

    assert is_offered(office, promotion, BUTTON)
    for said in ("¥3.60", "−¥3.60", "50.0%", "of 2", "The bill was too small."):
        assert said in text
    assert "changed since" not in text
    Promotion.objects.update(rule={"version": 1, "effect": {"kind": "free_item"}})
    assert "changed since" in office.get(sent.url).content.decode()


def test_many_orders_are_left_to_a_worker(
    promotion: Promotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "AT_ONCE", 0)
    office = make.staff(group="Head office").client
    buy(1, 1200)

    text = office.get(press(office, BUTTON, promotion, days=1).url).content.decode()

    assert 'http-equiv="refresh"' in text
    assert "0 / 1" in text


def test_a_manager_tries_it_on_the_orders_of_their_stores(promotion: Promotion) -> None:
    manager: Client = make.staff("SH002").client
    buy(3, 3600)

    nothing = press(manager, BUTTON, promotion, days=7)
    buy(2, 2000, at="SH002")
    sent = press(manager, BUTTON, promotion, days=7)

    assert told(nothing) == ("error", "Nothing was sold in these days.")
    assert "¥2.00" in manager.get(sent.url).content.decode()
    assert make.staff("SH001").client.get(sent.url).status_code == 404
