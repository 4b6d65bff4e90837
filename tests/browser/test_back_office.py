"""The back office as people use it, in a browser that may ask nobody but this server."""

import pytest
from playwright.sync_api import expect

from campaigns.models import CouponDefinition
from shop.storefront import quotes
from tests import make
from tests.admin import world
from tests.browser.desk import Desk

pytestmark = pytest.mark.slow


def test_the_dashboard_shows_pictures_in_both_languages(desk: Desk) -> None:
    world.populate("SH001")
    desk.sign_in("Head office")
    page = desk.page

    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    expect(page.locator("[data-card]")).to_have_count(4)
    desk.open("/admin/?store=SH001&days=365")
    expect(page.locator("[data-chart=channels] canvas")).to_be_visible()
    assert (
        page.evaluate("Chart.getChart(document.querySelector('canvas')).data.datasets.length") == 2
    )

    page.locator("#nav-sidebar-inner [x-on\\:click='openUserLinks = !openUserLinks']").click()
    page.get_by_role("button", name="简体中文").click()

    expect(page.get_by_role("heading", name="总览")).to_be_visible()
    expect(page.get_by_text("今日营业额")).to_be_visible()
    assert desk.has_asked_only_home


def press(desk: Desk, label: str) -> None:
    """Press a button of the page and say yes in its dialog."""
    desk.page.get_by_role("link", name=label).click()
    desk.page.locator("#dialog").get_by_role("button", name=label).click()


def test_a_coupon_made_in_the_form_is_priced_as_it_reads(desk: Desk) -> None:
    desk.sign_in("Head office")
    page = desk.open("/admin/campaigns/coupondefinition/add/")

    page.fill("[name=code]", "TWO_FOR_LESS")
    page.fill("[name=name_zh]", "第二杯六折")
    page.fill("[name=name_en]", "Second cup 40% off")
    expect(page.locator("[name=nth]")).to_be_hidden()
    page.select_option("[name=kind]", "nth_item_percent")
    expect(page.locator("[name=amount]")).to_be_hidden()
    page.fill("[name=nth]", "2")
    page.fill("[name=percent]", "40")
    page.fill("[name=cap]", "4.50")
    page.locator("#id_categories + .select2 .select2-search__field").click()
    page.locator(".select2-results__option", has_text="milk_tea Classic").click()
    page.fill("[name=valid_days]", "7")
    page.click("[name=_continue]")
    press(desk, "Activate")
    expect(page.get_by_text("A second person must agree")).to_be_visible()
    press(desk, "Submit")
    expect(page.get_by_text("waits for approval.")).to_be_visible()
    address = page.url
    page.context.clear_cookies()
    desk.sign_in("Head office")
    page.goto(address)
    press(desk, "Approve")
    expect(page.get_by_text("is active.")).to_be_visible()

    definition = CouponDefinition.objects.get(code="TWO_FOR_LESS")
    assert definition.status == "active"
    assert definition.rule["scope"] == {"categories": ["milk_tea"]}
    who = make.member()
    coupon = make.coupon(who, "TWO_FOR_LESS")
    basket = make.basket(who=who, lines=[make.line(quantity=2)], coupon_codes=[coupon.code])
    assert quotes.quote(basket, now=make.NOON).discount_cents == 450  # 40 % were ¥4.80
    assert desk.has_asked_only_home


def test_a_manager_sees_their_own_store_and_no_other(desk: Desk) -> None:
    world.populate("SH001")
    world.populate("SH002")
    desk.sign_in("Store manager", "SH001")
    page = desk.page

    expect(page.locator("[data-choice] [name=store]")).to_have_count(0)
    desk.open("/admin/?store=SH002")
    expect(page.locator(".board-choice strong")).to_have_text(make.store("SH001").name_en)
    desk.open("/admin/shop/member/")
    expect(page.get_by_text("熟客SH001")).to_be_visible()
    assert page.get_by_text("SH002").count() == 0
    assert desk.has_asked_only_home
