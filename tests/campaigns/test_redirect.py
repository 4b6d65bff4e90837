"""What happens when somebody opens a link or scans its QR code."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaigns import clicks
from campaigns.models import Acquisition, ChannelLink, Touch
from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db

CRAWLER = "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) MicroMessenger/8.0.42 Language/zh_CN"
ENGLISH = {"Accept-Language": "en"}
JSON = {"Accept": "application/json"}
CUBOT = "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) Chrome/120 Mobile Safari/537.36"


def follow(
    code: str,
    *,
    guest: Client | None = None,
    query: str = "",
    headers: dict[str, str] | None = None,
) -> Any:
    guest = guest or Client(raise_request_exception=False)
    return guest.get(f"/t/{code}{query}", headers={"User-Agent": WECHAT} | (headers or {}))


def kinds() -> list[str]:
    clicks.flush_now()
    return sorted(Touch.objects.exclude(quality="bot").values_list("kind", flat=True))


class TestLink:
    def test_leads_to_the_welcome_page_with_what_joining_needs(self) -> None:
        link = make.link()

        answer = follow(link.code, query="?ref=ABC234")

        target = urlsplit(answer["Location"])
        visitor = answer.cookies["visitor"].value
        assert answer.status_code == 302
        assert target.path == "/welcome"
        assert parse_qs(target.query) == {
            "link": [link.code],
            "visitor": [visitor],
            "ref": ["ABC234"],
        }

    def test_leads_where_it_was_told(self) -> None:
        link = make.link()
        ChannelLink.objects.filter(pk=link.pk).update(target_url="https://ads.example/land?a=1")

        location = follow(link.code)["Location"]

        assert location.startswith(f"https://ads.example/land?a=1&link={link.code}&visitor=")

    def test_tells_scans_from_clicks(self) -> None:
        link = make.link()

        follow(link.code)
        follow(link.code, query="?via=qr")

        assert kinds() == ["click", "scan"]

    def test_knows_a_guest_again(self) -> None:
        link, guest = make.link(), Client()

        first = follow(link.code, guest=guest)
        second = follow(link.code, guest=guest)

        assert second["Location"] == first["Location"]
        assert kinds() == ["click", "click"]
        assert Touch.objects.values("visitor_id").distinct().count() == 1

    def test_keeps_the_visitor_out_of_reach_of_scripts(self) -> None:
        cookie = follow(make.link().code).cookies["visitor"]

        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert cookie["max-age"] == 90 * 24 * 3600

    def test_gives_a_guest_another_name_ninety_days_after_the_first_click(self) -> None:
        link, guest = make.link(), Client()

        follow(link.code, guest=guest)

        assert not follow(link.code, guest=guest).cookies  # the first one is not renewed

    def test_gives_a_forged_visitor_a_new_name(self) -> None:
        guest = Client()
        guest.cookies["visitor"] = "'; DROP TABLE--"

        answer = follow(make.link().code, guest=guest)

        assert answer.cookies["visitor"].value != "'; DROP TABLE--"

    def test_brings_whoever_joins_after_it(self) -> None:
        link, phone = make.link(), make.phone()
        answer = follow(link.code, query="?via=qr")
        clicks.flush_now()
        passed_on = parse_qs(urlsplit(answer["Location"]).query)
        code = Api().post("/auth/codes", {"phone": phone}).json()["sandbox_code"]

        joined = Api().post(
            "/auth/tokens", {"phone": phone, "code": code, "visitor": passed_on["visitor"][0]}
        )

        acquisition = Acquisition.objects.get(member__public_id=joined.json()["member"]["id"])
        assert (acquisition.last_link, acquisition.channel.code) == (link, "flyer")

    def test_does_without_session_and_with_one_statement(self) -> None:
        link = make.link()

        with CaptureQueriesContext(connection) as first:
            follow(link.code)
        with CaptureQueriesContext(connection) as second:
            answer = follow(link.code)

        assert (len(first), len(second)) == (1, 0)
        assert set(answer.cookies) == {"visitor"}
        assert "no-store" in answer["Cache-Control"]


class TestMachines:
    @pytest.mark.parametrize(
        "headers",
        [
            {"User-Agent": CRAWLER},
            {"User-Agent": "facebookexternalhit/1.1"},
            {"User-Agent": "Googlebot/2.1"},
            {"Purpose": "prefetch"},
            {"Sec-Purpose": "prefetch;prerender"},
            {"X-Moz": "prefetch"},
            {"User-Agent": "QQ-URL-Manager"},
            {"User-Agent": ""},
        ],
    )
    def test_are_redirected_and_kept_without_counting(self, headers: dict[str, str]) -> None:
        answer = follow(make.link().code, headers=headers)

        assert answer.status_code == 302
        assert not answer.cookies
        assert kinds() == []
        assert Touch.objects.get().quality == "bot"

    @pytest.mark.parametrize("agent", [WECHAT, CUBOT])
    def test_are_not_taken_for_people_nor_people_for_them(self, agent: str) -> None:
        follow(make.link().code, headers={"User-Agent": agent})

        assert kinds() == ["click"]

    def test_that_only_look_are_not_counted(self) -> None:
        answer = Client().head(f"/t/{make.link().code}", headers={"User-Agent": WECHAT})

        assert answer.status_code == 302
        assert kinds() == []
        assert Touch.objects.get().quality == "bot"


class TestLostLink:
    @pytest.mark.parametrize("code", ["NOPE234", "%00", "x" * 300, "茶"])
    def test_gets_a_page_that_leads_on(self, code: str) -> None:
        answer = follow(code, headers={"Accept": "text/html"})

        assert answer.status_code == 404

    def test_speaks_the_guests_language_and_leads_to_the_welcome_page(self) -> None:
        page = follow("NOPE234", headers=ENGLISH).content.decode()

        assert "leads nowhere any more" in page
        assert 'href="/welcome"' in page

    def test_is_a_problem_for_programs(self) -> None:
        answer = follow("NOPE234", headers=JSON)

        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "not-found"

    def test_is_one_that_was_switched_off(self) -> None:
        link = make.link()
        ChannelLink.objects.filter(pk=link.pk).update(is_active=False)

        assert follow(link.code).status_code == 404

    def test_takes_no_posts(self) -> None:
        assert Client(enforce_csrf_checks=True).post(f"/t/{make.link().code}").status_code == 405


class TestDatabaseAway:
    @pytest.fixture
    def away(self) -> Iterator[Any]:
        """Have every statement fail, and count the tries."""
        with patch("django.db.models.query.QuerySet._fetch_all", side_effect=OperationalError) as e:
            yield e

    def test_keeps_nobody_from_a_link_that_was_read_before(
        self, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        link = make.link()
        follow(link.code)
        monkeypatch.setattr(clicks, "LINKS_KEPT_SECONDS", 0.0)
        tries = request.getfixturevalue("away")

        answer = follow(link.code)

        assert answer.status_code == 302
        assert tries.call_count == 1

    def test_is_asked_again_only_after_a_while(self, request: pytest.FixtureRequest) -> None:
        link = make.link()
        follow(link.code)
        known = clicks._links[link.code]
        clicks._links[link.code] = clicks.KnownLink(known.id, known.target_url, read_at=-100.0)
        tries = request.getfixturevalue("away")

        follow(link.code)
        follow(link.code)

        assert tries.call_count == 1

    def test_asks_others_to_come_back(self, request: pytest.FixtureRequest) -> None:
        link = make.link()
        request.getfixturevalue("away")

        page = follow(link.code, headers=ENGLISH)
        problem = follow(link.code, headers=JSON)

        assert (page.status_code, page["Retry-After"]) == (503, "5")
        assert "One moment" in page.content.decode()
        assert problem.json()["code"] == "unavailable"


class TestBuffer:
    def test_keeps_what_could_not_be_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        follow(make.link().code)
        with monkeypatch.context() as broken:
            broken.setattr("campaigns.touches.ingest", _fail)
            with pytest.raises(OperationalError):
                clicks.flush_now()

        assert clicks.flush_now() == 1
        assert clicks.flush_now() == 0

    def test_drops_clicks_on_a_link_that_is_gone_and_no_others(self, committed: None) -> None:
        gone, there = make.link(), make.link()
        follow(gone.code)
        follow(there.code)
        gone.delete()

        clicks.flush_now()

        assert list(Touch.objects.values_list("link_id", flat=True)) == [there.pk]


def _fail(*_args: Any) -> int:
    raise OperationalError
