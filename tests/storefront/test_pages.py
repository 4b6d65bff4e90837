"""The welcome page as it leaves the server; how it behaves is tested in a browser."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from campaigns import referrals
from campaigns.models import CouponDefinition, ReferralProgramme
from loyalty.models import Tier
from shop.models import Member, Store
from tests import make

pytestmark = pytest.mark.django_db
DATA = re.compile(r'<script id="page-data" type="application/json">(.*?)</script>', re.DOTALL)


def welcome(query: str = "", *, language: str = "en") -> Any:
    """Return the answer to a guest's browser."""
    return Client().get(f"/welcome{query}", headers={"Accept-Language": language})


def data_of(response: Any) -> dict[str, Any]:
    """Return what the page hands to its script."""
    found = DATA.search(response.content.decode())
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


class TestWelcome:
    def test_hands_the_code_of_a_scanned_paper_on(self) -> None:
        assert data_of(welcome("?coupon=tea-2026"))["coupon"] == "TEA2026"
        assert data_of(welcome("?coupon=%3Cb%3E"))["coupon"] == ""

    @pytest.mark.parametrize(
        ("language", "html_lang", "name"),
        [
            ("en-GB,en;q=0.8", "en", "Demo Tea – People's Square"),
            ("zh-CN,zh;q=0.9", "zh-hans", "示例茶铺·人民广场店"),
        ],
    )
    def test_speaks_the_language_of_the_browser(
        self, language: str, html_lang: str, name: str
    ) -> None:
        response = welcome(language=language)

        assert response.status_code == 200
        text = response.content.decode()
        assert f'<html lang="{html_lang}">' in text
        assert name in text.replace("&#x27;", "'")
        assert (
            data_of(response)["tiers"]["T1"] == {"en": "Tea friend", "zh-hans": "茶友"}[html_lang]
        )

    def test_loads_nothing_of_another_host(self) -> None:
        response = welcome()

        addresses = re.findall(r'(?:src|href)="([^"]+)"', response.content.decode())
        assert addresses
        assert all(re.match(r"/(?!/)", address) for address in addresses)
        assert "unsafe-eval" not in response["Content-Security-Policy"]

    def test_passes_on_where_the_guest_came_from(self) -> None:
        link = make.link(at="SH002")

        response = welcome(f"?link={link.code}&visitor=v-123")

        assert data_of(response)["origin"] == {
            "store": "SH002",
            "link": link.code,
            "visitor": "v-123",
        }

    def test_of_a_named_store_is_that_stores(self) -> None:
        link = make.link(at="SH002")

        response = welcome(f"?link={link.code}&store=HZ001")

        assert data_of(response)["origin"]["store"] == "HZ001"

    @pytest.mark.parametrize(
        "query",
        [
            "?link=NOSUCH",
            "?store=NOSUCH",
            "?ref=NOSUCH",
            f"?link={'x' * 500}&store={'x' * 500}&ref={'x' * 500}&visitor={'x' * 500}",
            "?link=%00&store=%00&ref=%00&visitor=%00",
            "?link=%ff&store=%ff&ref=%ff&visitor=",
            "?visitor=%3C/script%3E%00",
            "?link=&link=&store=",
        ],
    )
    def test_lets_guests_with_unknown_codes_join_without_them(self, query: str) -> None:
        response = welcome(query)

        assert response.status_code == 200
        assert data_of(response)["origin"] == {"store": "SH001"}

    def test_of_a_closed_store_is_the_first_open_ones(self) -> None:
        link = make.link(at="SH002")
        Store.objects.filter(code="SH002").update(is_active=False)

        response = welcome(f"?link={link.code}")

        assert data_of(response)["origin"]["store"] == "SH001"

    def test_stands_before_there_is_any_store(self) -> None:
        Store.objects.update(is_active=False)

        response = welcome()

        assert response.status_code == 200
        assert data_of(response)["origin"] == {}

    def test_promises_what_new_members_are_given(self) -> None:
        gift = make.definition("NEW_BOGO")

        assert gift.name_en in welcome().content.decode()

        CouponDefinition.objects.filter(pk=gift.pk).update(total_limit=0)
        assert gift.name_en not in welcome().content.decode()

    def test_greets_a_friends_friend(self) -> None:
        friend = make.member(at="HZ001")
        code = referrals.code_of(friend, now=make.NOON).code
        ReferralProgramme.objects.update(referee_points=33)

        response = welcome(f"?ref={code.lower()}")

        assert "33 extra points" in response.content.decode()
        assert data_of(response)["origin"] == {"store": "HZ001", "referral_code": code}

    def test_knows_no_invitation_of_a_frozen_member(self) -> None:
        friend = make.member()
        code = referrals.code_of(friend, now=make.NOON).code
        Member.objects.update(status=Member.Status.FROZEN)

        response = welcome(f"?ref={code}")

        assert "invited" not in DATA.sub("", response.content.decode())
        assert "referral_code" not in data_of(response)["origin"]

    def test_names_every_tier(self) -> None:
        assert set(data_of(welcome())["tiers"]) == set(Tier.objects.values_list("code", flat=True))


class TestImagesOfCodes:
    def test_are_drawn_as_svg(self) -> None:
        code = referrals.code_of(make.member(), now=make.NOON).code

        for path in ("/welcome/codes/9012345678.svg", f"/welcome/invitations/{code}.svg"):
            response = Client().get(path)

            assert response.status_code == 200
            assert response["Content-Type"] == "image/svg+xml"
            assert b"<svg" in response.content

    def test_of_the_till_are_kept_by_nobody(self) -> None:
        response = Client().get("/welcome/codes/9012345678.svg")

        assert "no-store" in response["Cache-Control"]

    @pytest.mark.parametrize(
        "path",
        ["/welcome/codes/1234567890.svg", "/welcome/codes/x.svg", "/welcome/invitations/evil.svg"],
    )
    def test_of_anything_else_are_not(self, path: str) -> None:
        assert Client().get(path).status_code == 404
