"""Files of costs: what platforms export, other currencies, keywords, and the upload page."""

import base64
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campaigns import cost_files, costs
from campaigns.cost_files import PRESETS
from campaigns.models import AdUnit, ChannelLink, CostImport, DailyCost
from shop.kernel.errors import InvalidInput
from tests import make

pytestmark = pytest.mark.django_db

DAY = "2026-05-18"

TENCENT = """\
日期,广告名称,广告ID,曝光次数,点击次数,花费（元）,目标转化量,下单金额
2026/05/18,夏季上新-{link}-A,701,"12,000",310,"1,234.50",12,480.00
2026-05-18,夏季上新-{link}-B,702,800,20,65.5,-,--
20260519,没有编码,703,100,1,3,0,0
总计,,,12900,331,1303.00,12,480.00
"""
OCEAN = """\
时间-天,项目名称,计划ID,关键词,展示数,点击数,消耗(元),转化数,付费金额
2026-05-18 00:00:00,搜索,801,奶茶 附近,900,40,100.00,5,60
2026-05-18,搜索,801,珍珠奶茶,300,10,20.005,1,
合计,,,,1200,50,120.01,6,60
"""


def sent(text: str, **fields: Any) -> Any:
    return make.report_reader().post("/daily-costs/import", {"csv": text} | fields).json()


def stored() -> list[tuple[Any, ...]]:
    columns = ("date", "keyword", "cost_cents", "impressions", "clicks")
    rows = DailyCost.objects.order_by("date", "keyword").values_list(*columns)
    return [(str(day), *others) for day, *others in rows]


class TestTencentReport:
    def test_adds_up_the_ads_of_a_link_and_refuses_those_nobody_knows(self) -> None:
        link = make.link()
        text = TENCENT.format(link=link.code)

        tried = sent(text, preset="tencent")
        report = sent(text, preset="tencent", skip_refused=True)

        assert (tried["is_stored"], tried["refused"]) == (False, 1)
        assert [line["outcome"] for line in report["lines"]] == ["created", "created", "refused"]
        assert "No link is known" in report["lines"][2]["detail"]
        assert report["lines"][1]["detail"] == "Added to line 2."
        assert stored() == [(DAY, "", 130000, 12800, 330)]
        row = DailyCost.objects.get()
        assert (row.claimed_conversions, row.claimed_value_cents) == (12, 48000)

    def test_knows_an_ad_by_its_number(self) -> None:
        link = make.link()
        AdUnit.objects.create(platform="tencent", external_id="703", link=link)

        sent(TENCENT.format(link=link.code), preset="tencent")

        assert [(day, cents) for day, _key, cents, *_ in stored()] == [
            (DAY, 130000),
            ("2026-05-19", 300),
        ]

    def test_adds_up_no_further_than_a_column_holds(self) -> None:
        line = f"2026-05-18,夏季-{make.link().code},2000000000,1,1.00\n"

        report = sent("日期,广告名称,曝光次数,点击次数,花费\n" + line * 2, preset="tencent")

        assert [one["outcome"] for one in report["lines"]] == ["refused", "refused"]
        assert stored() == []

    def test_is_told_of_in_words_that_people_know(self) -> None:
        code = make.link().code
        text = f"日期,广告名称,点击次数,花费\n20260518,{code},1,-3\n20260519,{code},1.5,3\n"

        report = sent(text, preset="tencent")

        assert [line["detail"].split(" must")[0] for line in report["lines"]] == [
            "cost",
            "clicks claimed",
        ]

    def test_is_read_in_gbk_as_chinese_excel_saves_it(self) -> None:
        link = make.link()
        raw = TENCENT.format(link=link.code).encode("gbk")
        body = {
            "csv_base64": base64.b64encode(raw).decode(),
            "preset": "tencent",
            "skip_refused": True,
        }

        report = make.report_reader().post("/daily-costs/import", body).json()

        assert report["created"] == 2


class TestOceanEngineReport:
    def test_keeps_keywords_apart_for_the_link_that_lines_do_not_name(self) -> None:
        link = make.link()

        report = sent(OCEAN, preset="oceanengine", link=link.code)

        assert report["is_stored"] is True
        assert stored() == [
            (DAY, "奶茶 附近", 10000, 900, 40),
            (DAY, "珍珠奶茶", 2001, 300, 10),  # 20.005 yuan, half up
        ]

    def test_does_not_count_a_day_in_all_and_by_keyword(self) -> None:
        link, reader = make.link(), make.report_reader()
        whole = {"rows": [{"link": link.code, "date": DAY, "cost_cents": 12001}]}
        reader.post("/daily-costs", whole)

        report = sent(OCEAN, preset="oceanengine", link=link.code)
        DailyCost.objects.all().delete()
        sent(OCEAN, preset="oceanengine", link=link.code)
        again = reader.post("/daily-costs", whole)

        assert (report["is_stored"], report["refused"]) == (False, 2)
        assert again.json()["code"] == "costs-counted-twice"
        assert len(stored()) == 2


class TestAnotherCurrency:
    def test_is_converted_once_and_kept_beside(self) -> None:
        link, reader = make.link(), make.report_reader()
        paid = {"link": link.code, "date": DAY, "cost_cents": 1001, "currency": "USD"}
        claimed = {"claimed_conversions": 2, "claimed_value_cents": 5000}

        without = reader.post("/daily-costs", {"rows": [paid]})
        reader.post("/daily-costs", {"rows": [paid | claimed | {"exchange_rate": "7.12345"}]})

        (row,) = reader.get("/daily-costs").json()["results"]
        assert without.json()["errors"][0]["pointer"] == "/rows/0/exchange_rate"
        assert row["cost_cents"] == 7131  # 10.01 × 7.12345 = 71.3057…
        assert (row["currency"], row["original_minor"]) == ("USD", 1001)
        assert Decimal(row["exchange_rate"]) == Decimal("7.12345")
        assert row["claimed_value_cents"] == 35617  # 50 × 7.12345 = 356.1725

    def test_is_named_by_a_line_or_by_the_import(self) -> None:
        link = make.link()
        head = "link,date,cost_cents,currency,exchange_rate"
        lines = [f"{link.code},{DAY},500,JPY,0.05", f"{link.code},2026-05-19,500,,"]

        report = sent("\n".join([head, *lines]), currency="HKD", exchange_rate="0.9")
        wrong = sent("\n".join([head, f"{link.code},{DAY},500,GBP,"]))

        assert [line["cost_cents"] for line in report["lines"]] == [2500, 450]
        assert "exchange rate" in wrong["lines"][0]["detail"]


class TestUpload:
    """The page where a file is uploaded, looked at, and stored."""

    def upload(self, person: Any, text: bytes, **fields: Any) -> Any:
        file = SimpleUploadedFile("报表.csv", text, content_type="text/csv")
        form = {"file": file, "preset": "tencent", "currency": "CNY"} | fields
        return person.client.post(reverse("admin:campaigns_costimport_add"), form)

    def decide(self, person: Any, name: str, **answers: Any) -> CostImport:
        upload = CostImport.objects.get()
        person.client.post(
            reverse(f"admin:campaigns_costimport_{name}", args=[upload.pk]),
            answers | {"_form_submitted": "on"},
        )
        upload.refresh_from_db()
        return upload

    def test_shows_every_line_and_stores_what_can_be_used_once(self) -> None:
        link, office = make.link(), make.staff(group="Head office")

        answer = self.upload(office, TENCENT.format(link=link.code).encode("gbk"))
        page = office.client.get(answer["Location"]).content.decode()
        refused = self.decide(office, "store")
        upload = self.decide(office, "store", skips_refused="on")
        self.decide(office, "drop")

        assert "¥1,234.50" in page
        assert "No link is known" in page
        assert refused.state == "preview"
        assert (upload.state, upload.created_count, upload.refused_count) == ("stored", 2, 1)
        assert len(stored()) == 1
        assert CostImport.objects.get().state == "stored"

    def test_is_for_ones_own_links(self) -> None:
        theirs, manager = make.link(at="SH002"), make.staff("SH001")

        self.upload(manager, TENCENT.format(link=theirs.code).encode())
        self.decide(manager, "store", skips_refused="on")

        assert CostImport.objects.get().refused_count == 3
        assert not DailyCost.objects.exists()

    def test_tells_of_a_file_that_is_no_report(self) -> None:
        office = make.staff(group="Head office")

        answer = self.upload(office, "名称,颜色\n1,2\n".encode())
        foreign = self.upload(office, TENCENT.encode(), currency="USD")

        assert "日期" in answer.content.decode()
        assert "Another currency needs the exchange rate." in foreign.content.decode()
        assert not CostImport.objects.exists()


class TestDecoding:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
    def test_reads_what_people_save(self, encoding: str) -> None:
        assert cost_files.decode("日期,花费".encode(encoding)).endswith("日期,花费")

    @pytest.mark.parametrize("raw", [b"PK\x03\x04\x00\x00", b"\xff\xff\xff"])
    def test_refuses_what_is_no_text(self, raw: bytes) -> None:
        with pytest.raises(InvalidInput):
            cost_files.decode(raw)


class TestPlatformColumns:
    def test_are_read_for_ten_thousand_lines_quickly(self) -> None:
        """Within one request: no job is needed for the most that a file may have."""
        link = make.link()
        days = [f"2026-{month:02}-{day:02}" for month in range(1, 9) for day in range(1, 26)]
        lines = [f"{day},{link.code},{word},1.00" for day in days for word in range(50)]
        text = "\n".join(["日期,链接代码,关键词,花费", *lines])

        report = costs.import_csv(
            text,
            links=ChannelLink.objects.all(),
            is_dry_run=False,
            reading=costs.Reading(preset=PRESETS["tencent"]),
        )

        assert report.is_stored
        assert DailyCost.objects.count() == 10_000
