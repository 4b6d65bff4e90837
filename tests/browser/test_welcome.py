"""Guests at the welcome page, with a phone in their hand."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from campaigns import referrals
from campaigns.models import Acquisition, Coupon, ReferralCode
from shop.models import Member, MemberCode, MemberSession
from tests import make

pytestmark = pytest.mark.slow
PHONE = "13912345678"


@pytest.fixture
def shop(committed: None, live_server: Any, settings: Any) -> str:
    """Return the address of a shop that is open."""
    settings.PUBLIC_URL = live_server.url
    return str(live_server.url)


def join(page: Page, *, phone: str = PHONE) -> None:
    """Go from the phone number to the card."""
    page.get_by_label("Phone number").fill(phone)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#card")).not_to_have_class("card loading")


class TestGuestAtTheWelcomePage:
    def test_joins_through_the_link_that_they_followed(
        self, shop: str, page: Page, hosts: set[str]
    ) -> None:
        link = make.link(at="SH002")

        page.goto(f"{shop}/t/{link.code}?via=qr")
        expect(page.get_by_role("heading", level=1)).to_have_text(make.store("SH002").name_en)
        page.get_by_label("Phone number").fill(PHONE)
        page.get_by_role("button", name="Send me a code").click()
        expect(page.get_by_text("the code is filled in for you")).to_be_visible()
        page.get_by_role("button", name="Continue").click()

        expect(page.get_by_role("heading", level=2)).to_have_text("Welcome! You are a member now.")
        acquisition = Acquisition.objects.select_related("member__store").get()
        assert acquisition.last_link == link
        assert acquisition.visitor_id
        assert acquisition.member.store.code == "SH002"
        gift = Coupon.objects.select_related("definition").get(member=acquisition.member)
        expect(page.locator("#coupons")).to_contain_text(gift.definition.name_en)
        expect(page.locator("#coupons")).to_contain_text(gift.code)
        expect(page.locator("#tier")).to_have_text("Tea friend")
        assert hosts == {urlsplit(shop).netloc}

    def test_joins_by_a_friends_invitation_and_invites_others(self, shop: str, page: Page) -> None:
        friend = make.member(at="HZ001")
        code = referrals.code_of(friend, now=make.NOON).code

        page.goto(f"{shop}/welcome?ref={code.lower()}")
        expect(page.get_by_text("A friend invited you")).to_be_visible()
        join(page)

        joined = Acquisition.objects.select_related("member__store").exclude(member=friend).get()
        assert joined.referrer == friend
        assert joined.member.store.code == "HZ001"
        own = ReferralCode.objects.get(member=joined.member).code
        link = page.get_by_label("Invitation link")
        expect(link).to_have_value(f"{shop}/welcome?ref={own}")
        assert width_of(page, "#invite-qr") > 0

    def test_joins_without_an_invitation_that_has_become_worthless(
        self, shop: str, page: Page
    ) -> None:
        friend = make.member()
        code = referrals.code_of(friend, now=make.NOON).code
        page.goto(f"{shop}/welcome?ref={code}")
        Member.objects.filter(pk=friend.pk).update(status=Member.Status.FROZEN)

        page.get_by_label("Phone number").fill(PHONE)
        page.get_by_role("button", name="Send me a code").click()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("no longer valid")
        page.get_by_role("button", name="Continue").click()

        expect(page.get_by_role("heading", level=2)).to_have_text("Welcome! You are a member now.")
        assert not Acquisition.objects.filter(referrer=friend).exists()

    def test_reads_what_is_wrong(self, shop: str, page: Page) -> None:
        page.goto(f"{shop}/welcome?link=NOSUCH&store=NOSUCH&visitor={'v' * 99}")

        page.get_by_label("Phone number").fill("12")
        page.get_by_role("button", name="Send me a code").click()
        expect(page.get_by_role("alert")).to_have_text("This does not look like a phone number.")
        expect(page.get_by_label("Phone number")).to_be_focused()

        page.get_by_label("Phone number").fill(PHONE)
        page.get_by_role("button", name="Send me a code").click()
        shown = page.get_by_label("Code", exact=True).input_value()
        wrong = "000000" if shown != "000000" else "111111"
        page.get_by_label("Code", exact=True).fill(wrong)
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_contain_text("This code is wrong")

        page.get_by_role("button", name="Use another number").click()
        page.get_by_role("button", name="Send me a code").click()
        expect(page.get_by_role("alert")).to_contain_text("That was too often")

    def test_shows_a_code_that_the_till_knows_until_they_sign_out(
        self, shop: str, page: Page
    ) -> None:
        page.goto(f"{shop}/welcome")
        join(page)

        page.get_by_role("button", name="Show my code at the till").click()
        expect(page.locator("#member-digits")).to_be_visible()
        digits = page.locator("#member-digits").inner_text().replace(" ", "")
        assert digits == MemberCode.objects.get().code
        assert width_of(page, "#member-qr") > 0
        assert make.till().post("/members/lookup", {"member_code": digits}).status_code == 200

        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Phone number")).to_be_visible()
        assert MemberSession.objects.get().revoked_at
        page.reload()
        expect(page.get_by_label("Phone number")).to_be_visible()

    def test_keeps_the_card_in_either_language_until_the_session_ends(
        self, shop: str, page: Page
    ) -> None:
        page.goto(f"{shop}/welcome")
        join(page)

        page.get_by_role("button", name="简体中文").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
        expect(page.locator("#tier")).to_have_text("茶友")
        expect(page.get_by_role("heading", level=1)).to_have_text(make.store().name_zh)

        page.get_by_role("button", name="English").click()
        expect(page.locator("#tier")).to_have_text("Tea friend")
        MemberSession.objects.update(expires_at=make.NOON)
        page.reload()
        expect(page.get_by_role("alert")).to_have_text("You were signed out. Please sign in again.")


def width_of(page: Page, image: str) -> int:
    """Return how wide a loaded image is by itself; 0 when it could not be drawn."""
    expect(page.locator(image)).to_be_visible()
    page.wait_for_function("selector => document.querySelector(selector).complete", arg=image)
    return int(page.eval_on_selector(image, "image => image.naturalWidth"))
