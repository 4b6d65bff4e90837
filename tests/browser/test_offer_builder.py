"""A manager writes an offer and sees what it does while typing; nobody else is asked."""

import pytest
from playwright.sync_api import expect

from campaigns.models import Promotion
from tests.browser.desk import Desk

pytestmark = pytest.mark.slow


def test_the_preview_follows_what_is_typed(desk: Desk) -> None:
    desk.sign_in("Head office")
    page = desk.open("/admin/campaigns/promotion/add/?preset=second-cup")
    page.select_option("[name=sample-product_1]", "MT01")
    expect(page.locator("[data-offer-total]")).to_have_text("¥18.00")

    page.fill("[name=percent]", "100")

    expect(page.locator("[data-offer-total]")).to_have_text("¥12.00")
    expect(page.locator("[data-offer-summary]")).to_contain_text("第2件免费")
    page.fill("[name=percent]", "101")
    expect(page.locator(".offer-errors")).to_be_visible()
    assert page.url.endswith("?preset=second-cup")
    assert desk.has_asked_only_home
    assert not Promotion.objects.exists()
