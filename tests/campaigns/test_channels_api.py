"""Channels, campaigns and links over HTTP."""

import io
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from django.test import Client
from PIL import Image

from campaigns import links, utm
from campaigns.models import Campaign, Channel, ChannelLink
from shop.kernel import qr_print
from tests import make
from tests.campaigns.pictures import read_qr
from tests.make import Api

pytestmark = pytest.mark.django_db

OPENING = {
    "code": "opening",
    "name_zh": "开业",
    "name_en": "Opening",
    "status": "active",
    "starts_at": "2026-05-11T00:00:00+08:00",
    "ends_at": "2026-06-11T00:00:00+08:00",
    "stores": ["SH001"],
    "phases": [
        {
            "kind": "preheat",
            "starts_at": "2026-05-11T00:00:00+08:00",
            "ends_at": "2026-05-18T05:00:00+08:00",
            "budget_cents": 500000,
        }
    ],
}
FLYERS = {"label": "Metro exit 3", "channel": "flyer"}


def head_office() -> Api:
    return make.staff(group="Head office")


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 400
    return [error["pointer"] for error in answer.json()["errors"]]


class TestChannels:
    METRO = {"code": "metro", "kind": "flyer", "name_zh": "地铁传单", "name_en": "Metro flyers"}

    def test_are_made_by_head_office_and_read_by_everybody_on_the_staff(self) -> None:
        made = head_office().post("/channels", self.METRO)
        listed = make.staff("SH001").get("/channels").json()["results"]

        assert (made.status_code, made.json()) == (201, self.METRO | {"utm_template": ""})
        assert self.METRO | {"utm_template": ""} in listed

    def test_have_codes_of_their_own(self) -> None:
        answer = head_office().post("/channels", self.METRO | {"code": "flyer"})

        assert (answer.status_code, answer.json()["code"]) == (409, "code-taken")

    def test_are_not_for_managers_or_readers_to_make(self) -> None:
        for caller in (make.staff("SH001"), make.staff(), make.report_reader(), make.till()):
            assert caller.post("/channels", self.METRO).status_code == 403

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"code": "with space"}, "/code"),
            ({"code": ""}, "/code"),
            ({"kind": "rumour"}, "/kind"),
            ({"name_zh": 7}, "/name_zh"),
            ({"colour": "red"}, "/colour"),
        ],
    )
    def test_refuse_bad_input(self, change: dict[str, Any], pointer: str) -> None:
        assert pointers(head_office().post("/channels", self.METRO | change)) == [pointer]


class TestCampaigns:
    def test_are_shown_with_their_phases(self) -> None:
        office = head_office()

        made = office.post("/campaigns", OPENING)
        shown = office.get("/campaigns/opening").json()

        assert made.status_code == 201
        assert shown["stores"] == ["SH001"]
        assert [phase["kind"] for phase in shown["phases"]] == ["preheat"]
        assert shown["phases"][0]["ends_at"] == "2026-05-18T05:00:00+08:00"

    def test_of_another_store_do_not_exist_for_a_manager(self) -> None:
        office = head_office()
        office.post("/campaigns", OPENING)
        office.post("/campaigns", OPENING | {"code": "everywhere", "stores": [], "phases": []})

        elsewhere = make.staff("SH002")

        assert [c["code"] for c in elsewhere.get("/campaigns").json()["results"]] == ["everywhere"]
        assert elsewhere.get("/campaigns/opening").status_code == 404
        assert make.report_reader("SH001").get("/campaigns/opening").status_code == 200

    def test_in_several_stores_are_listed_once(self) -> None:
        office = head_office()
        office.post("/campaigns", OPENING | {"stores": ["SH001", "SH002"]})

        both = make.staff("SH001", "SH002").get("/campaigns").json()["results"]

        assert [campaign["code"] for campaign in both] == ["opening"]

    def test_are_narrowed_by_status(self) -> None:
        office = head_office()
        office.post("/campaigns", OPENING)

        assert office.get("/campaigns", status="draft").json()["results"] == []
        assert office.get("/campaigns", status="nonsense").status_code == 400

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"ends_at": "2026-05-01T00:00:00Z"}, "/ends_at"),
            ({"starts_at": "2026-05-11T00:00:00"}, "/starts_at"),
            ({"starts_at": "9999-12-31T23:59:59-12:00"}, "/starts_at"),
            ({"starts_at": 1}, "/starts_at"),
            ({"stores": ["SH999"]}, "/stores/0"),
            ({"stores": "SH001"}, "/stores"),
            ({"budget_cents": -1}, "/budget_cents"),
            ({"budget_cents": 10**30}, "/budget_cents"),
            ({"ends_at": "2026-05-12T00:00:00Z"}, "/phases/0"),
            ({"phases": [{"kind": "preheat"}]}, "/phases/0/starts_at"),
        ],
    )
    def test_refuse_bad_input(self, change: dict[str, Any], pointer: str) -> None:
        assert pointer in pointers(head_office().post("/campaigns", OPENING | change))
        assert not Campaign.objects.exists()


class TestLinks:
    def test_get_a_code_that_leads_here(self) -> None:
        made = make.staff("SH001").post("/channel-links", FLYERS | {"store": "SH001"})

        link = made.json()
        assert made.status_code == 201
        assert (link["channel"], link["store"], link["campaign"]) == ("flyer", "SH001", None)
        assert link["url"].endswith(f"/t/{link['code']}")
        assert link["qr_url"] == f"{link['url']}?via=qr"

    def test_are_made_once_however_often_the_request_is_repeated(self) -> None:
        manager = make.staff("SH001")
        body = FLYERS | {"store": "SH001"}

        first = manager.post("/channel-links", body, key="print-0001")
        again = manager.post("/channel-links", body, key="print-0001")

        assert again.content == first.content
        assert ChannelLink.objects.count() == 1

    def test_belong_to_a_campaign_and_its_phase(self) -> None:
        office = head_office()
        phase = office.post("/campaigns", OPENING).json()["phases"][0]["id"]
        body = FLYERS | {"store": "SH001", "campaign": "opening", "phase": phase}

        link = make.staff("SH001").post("/channel-links", body).json()

        assert (link["campaign"], link["phase"]) == ("opening", phase)
        assert office.get("/channel-links", campaign="opening").json()["results"] == [link]

    def test_are_for_managers_to_make_only_for_their_own_stores(self) -> None:
        manager = make.staff("SH001")

        elsewhere = manager.post("/channel-links", FLYERS | {"store": "SH002"})
        chain_wide = manager.post("/channel-links", FLYERS)
        by_office = head_office().post("/channel-links", FLYERS)

        assert [elsewhere.status_code, chain_wide.status_code] == [403, 403]
        assert (by_office.status_code, by_office.json()["store"]) == (201, None)

    def test_of_other_stores_are_not_listed(self) -> None:
        mine, shared = make.link(at="SH001"), make.link(at=None)
        make.link(at="SH002")

        for reader in (make.staff("SH001"), make.report_reader("SH001")):
            listed = reader.get("/channel-links").json()["results"]
            assert [link["code"] for link in listed] == [shared.code, mine.code]
            assert reader.get("/channel-links", store="SH002").json()["results"] == []

    def test_are_narrowed_by_channel(self) -> None:
        make.link("flyer")
        kol = make.link("kol")

        listed = head_office().get("/channel-links", channel="kol").json()["results"]

        assert [link["code"] for link in listed] == [kol.code]

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"channel": "nowhere"}, "/channel"),
            ({"campaign": "nowhere"}, "/campaign"),
            ({"store": "nowhere"}, "/store"),
            ({"phase": 1}, "/phase"),
            ({"phase": 2**63}, "/phase"),
            ({"target_url": "javascript:alert(1)"}, "/target_url"),
            ({"target_url": "//evil.example"}, "/target_url"),
            ({"target_url": "/\\evil.example"}, "/target_url"),
            ({"target_url": "/a\nb"}, "/target_url"),
            ({"target_url": "http://[shop.example"}, "/target_url"),
            ({"label": ""}, "/label"),
        ],
    )
    def test_refuse_bad_input(self, change: dict[str, Any], pointer: str) -> None:
        assert pointers(head_office().post("/channel-links", FLYERS | change)) == [pointer]

    def test_of_a_campaign_stay_in_its_stores(self) -> None:
        office = head_office()
        office.post("/campaigns", OPENING)

        answer = office.post("/channel-links", FLYERS | {"store": "SH002", "campaign": "opening"})

        assert pointers(answer) == ["/store"]


class TestPlacement:
    def test_says_where_in_its_channel_a_link_stands(self) -> None:
        office = head_office()
        exit_3 = {"channel": "flyer", "code": "exit-3", "name_zh": "三号口", "name_en": "Exit 3"}

        made = office.post("/placements", exit_3, key=None)
        again = office.post("/placements", exit_3, key=None)
        nowhere = office.post("/placements", exit_3 | {"channel": "moon"}, key=None)
        link = office.post("/channel-links", FLYERS | {"placement": "exit-3"})
        other = office.post("/channel-links", FLYERS | {"channel": "douyin", "placement": "exit-3"})

        assert (made.status_code, made.json()) == (201, exit_3)
        assert (again.status_code, again.json()["code"]) == (409, "code-taken")
        assert pointers(nowhere) == ["/channel"]
        assert link.json()["placement"] == "exit-3"
        assert pointers(other) == ["/placement"]
        assert office.get("/placements", channel="flyer").json()["results"] == [exit_3]
        assert office.get("/placements", channel="kol").json()["results"] == []


class TestUtm:
    def test_is_filled_from_channel_campaign_and_placement(self) -> None:
        office = head_office()
        office.post("/campaigns", OPENING, key=None)
        office.post(
            "/placements",
            {"channel": "flyer", "code": "exit-3", "name_zh": "口", "name_en": "Exit"},
            key=None,
        )
        body = FLYERS | {
            "campaign": "opening",
            "placement": "exit-3",
            "store": "SH001",
            "target_url": "https://shop.example/menu?utm_medium=own",
            "utm_template": utm.STANDARD,
        }
        code = office.post("/channel-links", body).json()["code"]

        location = Client().get(f"/t/{code}", headers={"User-Agent": "WeChat"})["Location"]

        query = parse_qs(urlsplit(location).query)
        assert {name: value for name, (value,) in query.items() if name.startswith("utm_")} == {
            "utm_source": "flyer",
            "utm_medium": "own",  # what the address says already stays
            "utm_campaign": "opening",
            "utm_content": "exit-3",
            "utm_term": code,
        }

    def test_of_a_channel_is_for_its_links_that_have_none_of_their_own(self) -> None:
        own = "utm_source={channel}-{link}"
        Channel.objects.filter(code="flyer").update(
            utm_template="utm_source=fly&utm_medium={medium}"
        )
        plain, special = make.link(), make.link()
        ChannelLink.objects.filter(pk=special.pk).update(utm_template=own)

        found = links.targets([plain.code, special.code])

        assert found[plain.code] == (plain.pk, "/welcome?utm_source=fly&utm_medium=print")
        assert found[special.code][1] == f"/welcome?utm_source=flyer-{special.code}"

    @pytest.mark.parametrize(
        "template", ["{me}", "utm_source={me}", "utm_id=1", "utm_source={link!r}", "utm_source={"]
    )
    def test_that_cannot_be_filled_is_refused(self, template: str) -> None:
        answer = head_office().post("/channel-links", FLYERS | {"utm_template": template})

        assert pointers(answer) == ["/utm_template"]

    def test_knows_a_medium_for_every_kind_of_channel(self) -> None:
        assert set(utm.MEDIUMS) == set(Channel.Kind.values)


class TestQRCode:
    @pytest.mark.parametrize(
        "look",
        [
            {"size_mm": 15, "dpi": 300, "logo": "true"},
            {"size_mm": 60, "caption": "扫码领券 · 人民广场店", "logo": "true"},
            {"size_mm": 30, "dpi": 150, "caption": "Scan me"},
        ],
    )
    def test_decodes_in_every_look(self, look: dict[str, Any]) -> None:
        link = make.link()

        answer = make.staff("SH001").get(f"/channel-links/{link.code}/qr", format="png", **look)

        with Image.open(io.BytesIO(answer.content)) as picture:
            (found,) = zxingcpp.read_barcodes(picture.convert("L"))
            width_mm = picture.width / picture.info["dpi"][0] * 25.4
        assert found.text == links.public_url(link.code, is_scan=True)
        assert width_mm == pytest.approx(look["size_mm"], abs=0.2)

    def test_has_its_size_its_mark_and_its_caption_in_an_svg(self) -> None:
        look = {"size_mm": 50, "logo": "true", "caption": "<扫码>"}

        answer = make.staff("SH001").get(f"/channel-links/{make.link().code}/qr", **look)

        drawing = answer.content.decode()
        assert 'width="50mm"' in drawing
        assert 'fill-rule="evenodd"' in drawing
        assert "&lt;扫码&gt;</text>" in drawing

    def test_carries_the_shops_own_logo(self, settings: Any, tmp_path: Path) -> None:
        settings.BRAND_LOGO = str(tmp_path / "logo.png")
        Image.new("RGB", (200, 200), "#c0392b").save(settings.BRAND_LOGO)
        link, staff = make.link(), make.staff("SH001")
        ask = partial(staff.get, f"/channel-links/{link.code}/qr", size_mm=40, logo="true")

        png, svg = ask(format="png").content, ask(format="svg").content.decode()

        with Image.open(io.BytesIO(png)) as picture:
            colours = picture.convert("RGB")
            middle = colours.getpixel((picture.width // 2, picture.height // 2))
            (found,) = zxingcpp.read_barcodes(picture.convert("L"))
        assert middle == (0xC0, 0x39, 0x2B)
        assert found.text == links.public_url(link.code, is_scan=True)
        assert "data:image/png;base64," in svg

    @pytest.mark.parametrize(
        ("look", "pointer"),
        [
            ({"size_mm": 5}, "/size_mm"),
            ({"size_mm": 1000, "dpi": 300}, "/dpi"),
            ({"dpi": "high"}, "/dpi"),
            ({"caption": "x" * 41}, "/caption"),
        ],
    )
    def test_that_nobody_could_print_is_refused(self, look: dict[str, Any], pointer: str) -> None:
        path = f"/channel-links/{make.link().code}/qr"

        assert pointers(make.staff("SH001").get(path, format="png", **look)) == [pointer]

    def test_says_when_there_is_no_font_for_its_caption(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(qr_print, "FONTS", ())
        path, staff = f"/channel-links/{make.link().code}/qr", make.staff("SH001")

        assert pointers(staff.get(path, format="png", caption="扫码")) == ["/caption"]
        assert staff.get(path, format="png", caption="Scan").status_code == 200
        assert staff.get(path, format="svg", caption="扫码").status_code == 200

    def test_says_the_address_when_read_back(self) -> None:
        link = make.link()

        answer = make.staff("SH001").get(f"/channel-links/{link.code}/qr", format="png")

        assert answer["Content-Type"] == "image/png"
        assert read_qr(answer.content) == links.public_url(link.code, is_scan=True)

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("image/png", "image/png"),
            ("image/svg+xml", "image/svg+xml"),
            ("*/*", "image/svg+xml"),
        ],
    )
    def test_comes_as_the_caller_accepts_it(self, accept: str, media_type: str) -> None:
        reader = make.report_reader()
        path = f"/api/v1/channel-links/{make.link().code}/qr"

        answer = reader.client.get(path, headers=reader.headers | {"Accept": accept})

        assert answer["Content-Type"] == media_type

    def test_of_another_stores_link_is_not_found(self) -> None:
        answer = make.staff("SH002").get(f"/channel-links/{make.link().code}/qr", format="png")

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")

    def test_has_no_other_formats(self) -> None:
        answer = make.staff().get(f"/channel-links/{make.link().code}/qr", format="gif")

        assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
