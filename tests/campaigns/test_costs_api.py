"""Daily costs over HTTP: entered, imported, listed."""

from typing import Any

import pytest

from campaigns.models import ChannelLink, DailyCost
from tests import make

pytestmark = pytest.mark.django_db

DAY = "2026-05-18"


def row(where: ChannelLink, **fields: Any) -> dict[str, Any]:
    return {"link": where.code, "date": DAY, "cost_cents": 12000} | fields


def lines(*cells: str) -> str:
    return "\n".join(["link,date,cost_cents,impressions", *cells])


class TestEntering:
    def test_replaces_what_was_entered_for_the_same_day(self) -> None:
        manager, link = make.staff("SH001"), make.link()

        first = manager.post("/daily-costs", {"rows": [row(link)]})
        second = manager.post(
            "/daily-costs",
            {"rows": [row(link, cost_cents=9000), row(link, date="2026-05-19")]},
        )

        assert first.json() == {"created": 1, "updated": 0}
        assert second.json() == {"created": 1, "updated": 1}
        assert DailyCost.objects.get(date=DAY).cost_cents == 9000

    def test_does_not_bring_an_old_row_back_when_its_request_is_repeated(self) -> None:
        manager, link = make.staff("SH001"), make.link()

        manager.post("/daily-costs", {"rows": [row(link)]}, key="costs-0001")
        manager.post("/daily-costs", {"rows": [row(link, cost_cents=9000)]})
        manager.post("/daily-costs", {"rows": [row(link)]}, key="costs-0001")

        assert DailyCost.objects.get().cost_cents == 9000

    def test_is_for_ones_own_links(self) -> None:
        theirs, shared = make.link(at="SH002"), make.link(at=None)
        body = {"rows": [row(theirs), row(shared)]}

        for writer in (make.staff("SH001"), make.report_reader("SH001")):
            answer = writer.post("/daily-costs", body)
            pointers = [error["pointer"] for error in answer.json()["errors"]]
            assert pointers == ["/rows/0/link", "/rows/1/link"]
        assert make.report_reader().post("/daily-costs", body).json()["created"] == 2

    def test_takes_a_link_and_a_day_once(self) -> None:
        link = make.link()

        answer = make.report_reader().post("/daily-costs", {"rows": [row(link), row(link)]})

        assert answer.json()["errors"][0]["code"] == "duplicate"

    @pytest.mark.parametrize(
        "change",
        [
            {"cost_cents": -1},
            {"cost_cents": 1.5},
            {"cost_cents": "12"},
            {"cost_cents": 10**13},
            {"impressions": 2**31},
            {"date": "18.05.2026"},
            {"date": "0001-01-01"},
            {"link": None},
            {"note": "x"},
        ],
    )
    def test_refuses_bad_input(self, change: dict[str, Any]) -> None:
        answer = make.report_reader().post("/daily-costs", {"rows": [row(make.link(), **change)]})

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")

    def test_is_not_for_tills(self) -> None:
        for caller in (make.till(), make.staff(group="Analyst")):
            assert caller.post("/daily-costs", {"rows": []}).status_code == 403


class TestImport:
    def test_stores_every_line_and_reports_on_it(self) -> None:
        reader, link = make.report_reader(), make.link()
        reader.post("/daily-costs", {"rows": [row(link)]})
        text = "\ufeff" + lines(f"{link.code},{DAY},5000,", f" {link.code} ,2026-05-19,0,70")

        report = reader.post("/daily-costs/import", {"csv": text}).json()

        assert {k: report[k] for k in ("is_stored", "created", "updated", "refused")} == {
            "is_stored": True,
            "created": 1,
            "updated": 1,
            "refused": 0,
        }
        assert [(entry["line"], entry["outcome"]) for entry in report["lines"]] == [
            (2, "updated"),
            (3, "created"),
        ]
        stored = DailyCost.objects.order_by("date").values_list("cost_cents", "impressions")
        assert list(stored) == [(5000, 0), (0, 70)]

    def test_stores_nothing_when_it_is_only_tried(self) -> None:
        link = make.link()
        body = {"csv": lines(f"{link.code},{DAY},5000,"), "dry_run": True}

        report = make.report_reader().post("/daily-costs/import", body).json()

        assert (report["is_stored"], report["created"]) == (False, 1)
        assert not DailyCost.objects.exists()

    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ("{link},18/05/2026,1,", "day"),
            ("{link},2026-05-18,-5,", "cost_cents"),
            ("{link},2026-05-18,1.50,", "cost_cents"),
            ("{link},2026-05-18,１２,", "cost_cents"),
            ("{link},2026-05-18,,", "cost_cents"),
            ("{link},2026-05-18,99999999999999,", "cost_cents"),
            ("{link},2026-05-18,1,1_000", "impressions"),
            ("{link},2026-05-18,1,1,1", "more cells"),
            ("{link}", "day"),
            ("NOPE,2026-05-18,1,", "no such link"),
        ],
    )
    def test_stores_nothing_with_one_bad_line_and_says_which(self, line: str, told: str) -> None:
        link = make.link()
        good, bad = f"{link.code},2026-05-01,1,", line.format(link=link.code)

        report = make.report_reader().post("/daily-costs/import", {"csv": lines(good, bad)}).json()

        assert (report["is_stored"], report["created"], report["refused"]) == (False, 1, 1)
        assert report["lines"][1]["outcome"] == "refused"
        assert told in report["lines"][1]["detail"]
        assert not DailyCost.objects.exists()

    def test_takes_a_link_and_a_day_once(self) -> None:
        line = f"{make.link().code},{DAY},1,"

        report = make.report_reader().post("/daily-costs/import", {"csv": lines(line, line)}).json()

        assert [entry["outcome"] for entry in report["lines"]] == ["created", "refused"]

    @pytest.mark.parametrize(
        "text",
        [
            "date,cost_cents\n",
            "link,date,cost_cents,colour\n",
            "link,date,cost_cents,link\n",
            'link,date,cost_cents\n"x',
            "link",
        ],
    )
    def test_refuses_what_is_no_such_file(self, text: str) -> None:
        answer = make.report_reader().post("/daily-costs/import", {"csv": text})

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/csv"

    def test_refuses_other_peoples_links(self) -> None:
        theirs = make.link(at="SH002")
        body = {"csv": lines(f"{theirs.code},{DAY},1,")}

        report = make.staff("SH001").post("/daily-costs/import", body).json()

        assert report["lines"][0]["outcome"] == "refused"


class TestList:
    def test_is_narrowed(self) -> None:
        flyer, kol = make.link("flyer"), make.link("kol", at="SH002")
        reader = make.report_reader()
        reader.post("/daily-costs", {"rows": [row(flyer), row(kol), row(flyer, date="2026-05-20")]})

        def found(**query: str) -> list[tuple[str, str]]:
            results = reader.get("/daily-costs", **query).json()["results"]
            return sorted((entry["link"], entry["date"]) for entry in results)

        assert found(channel="kol") == found(store="SH002") == [(kol.code, DAY)]
        assert found(link=flyer.code, date_from="2026-05-19") == [(flyer.code, "2026-05-20")]
        assert len(found(date_to="2026-05-19")) == 2

    def test_leaves_out_other_stores(self) -> None:
        mine, shared, theirs = make.link(), make.link(at=None), make.link(at="SH002")
        make.report_reader().post("/daily-costs", {"rows": [row(mine), row(shared), row(theirs)]})

        results = make.staff("SH001").get("/daily-costs").json()["results"]

        assert {entry["link"] for entry in results} == {mine.code, shared.code}
