"""Sales by day and channels, counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from campaigns import costs
from campaigns.costs import CostRow
from shop.kernel.money import Cents
from shop.models import Store
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.reports import daily
from shop.storefront.reports.daily import DailyRow
from tests import make

pytestmark = pytest.mark.django_db


def at(day: int, hour: int = 12) -> datetime:
    """Return a moment in June of the clock on a Shanghai wall."""
    return datetime(2026, 6, day, hour, tzinfo=UTC) - timedelta(hours=8)


def rows(*, since: int, until: int, code: str = "SH001") -> list[DailyRow]:
    return daily.build(
        stores=[make.store(code)], since=date(2026, 6, since), until=date(2026, 6, until)
    )


class TestDaily:
    def test_counts_a_day_until_the_next_one_starts(self) -> None:
        make.paid(now=at(18, 23))
        make.paid(now=at(19, 4))
        make.paid(now=at(19, 5))

        assert [(row.business_date.day, row.orders) for row in rows(since=17, until=20)] == [
            (17, 0),
            (18, 2),
            (19, 1),
        ]

    def test_takes_refunds_off_the_day_on_which_they_were_given(self) -> None:
        order = make.paid(now=at(18)).order
        make.paid(now=at(19))
        refunds.refund_order(
            number=order.number,
            request=RefundRequest(amount_cents=Cents(500)),
            actor="test",
            now=at(20, 1),
        )

        assert [
            (row.paid_cents, row.refunds, row.refunded_cents, row.revenue_cents)
            for row in rows(since=18, until=20)
        ] == [(1200, 0, 0, 1200), (1200, 1, 500, 700)]

    def test_tells_new_members_from_those_who_return(self) -> None:
        guest = make.member(now=at(18))
        make.paid(who=guest, now=at(18))
        make.paid(who=guest, now=at(18, 13))
        make.paid(who=guest, now=at(19))

        assert [
            (row.new_members, row.buying_members, row.returning_members)
            for row in rows(since=18, until=20)
        ] == [(1, 1, 0), (0, 1, 1)]

    def test_does_not_call_a_whole_refund_a_visit(self) -> None:
        guest = make.member(now=at(18))
        order = make.paid(who=guest, now=at(18)).order
        refunds.refund_order(number=order.number, request=RefundRequest(), actor="test", now=at(18))
        make.paid(who=guest, now=at(19))

        assert [
            (row.orders, row.buying_members, row.returning_members)
            for row in rows(since=18, until=20)
        ] == [(1, 0, 0), (1, 1, 0)]

    def test_shows_a_row_per_store(self) -> None:
        make.paid(now=at(18))

        found = daily.build(
            stores=list(Store.objects.all()), since=date(2026, 6, 18), until=date(2026, 6, 19)
        )

        assert [(row.store, row.orders) for row in found] == [
            ("HZ001", 0),
            ("SH001", 1),
            ("SH002", 0),
        ]


class TestChannels:
    @pytest.fixture(autouse=True)
    def june(self) -> None:
        """One who comes by Douyin and buys twice, one who walks in and takes it all back."""
        douyin, nowhere = make.link("douyin"), make.link("kol", at=None)
        known = {link.code: link for link in (douyin, nowhere)}
        first = date(2026, 6, 18)
        spent = [
            (douyin, first, 600),
            (douyin, first - timedelta(days=1), 55),
            (nowhere, first, 90),
        ]
        costs.upsert(
            [
                CostRow(
                    link=link.code,
                    date=day,
                    cost_cents=Cents(cents),
                    impressions=10 * cents,
                    clicks=cents // 100,
                )
                for link, day, cents in spent
            ],
            links=known,
        )
        make.touch(douyin, "visitor", kind="click", now=at(18))
        make.touch(douyin, "visitor", kind="impression", now=at(18))
        guest = make.member(now=at(18), visitor_id="visitor")
        make.paid(who=guest, now=at(18))
        make.paid(who=guest, now=at(19))
        walk_in = make.member(now=at(18))
        order = make.paid(who=walk_in, now=at(18)).order
        refunds.refund_order(number=order.number, request=RefundRequest(), actor="test", now=at(18))

    def get(self, api: make.Api, **query: Any) -> dict[str, dict[str, Any]]:
        period = {"since": "2026-06-18", "until": "2026-06-20"}
        answer = api.get("/reports/channels", **period | query)
        return {row["channel"]: row for row in answer.json()["rows"]}

    def test_sets_results_against_costs(self) -> None:
        douyin = self.get(make.report_reader(), store="SH001")["douyin"]

        assert douyin == {
            "channel": "douyin",
            "name_zh": "抖音本地广告",
            "name_en": "Douyin local ads",
            "cost_cents": 600,
            "impressions": 6000,
            "clicks": 6,
            "touches": 2,
            "joined": 1,
            "first_buyers": 1,
            "revenue_cents": 2400,
            "cpc_cents": 100,
            "cac_cents": 600,
            "roas": 4.0,
        }

    def test_leaves_out_quotients_of_nothing(self) -> None:
        organic = self.get(make.report_reader())["organic"]

        assert (organic["joined"], organic["first_buyers"], organic["revenue_cents"]) == (1, 0, 0)
        assert (organic["cpc_cents"], organic["cac_cents"], organic["roas"]) == (None, None, None)

    def test_counts_links_of_no_store_for_the_whole_chain_only(self) -> None:
        assert self.get(make.report_reader())["kol"]["cost_cents"] == 90
        assert self.get(make.report_reader(), store="SH001")["kol"]["cost_cents"] == 0
        assert self.get(make.report_reader("SH001"))["kol"]["cost_cents"] == 0

    def test_shows_a_store_only_what_is_its_own(self) -> None:
        rows = self.get(make.report_reader("SH002"))

        assert {row["revenue_cents"] for row in rows.values()} == {0}


class TestPeriods:
    @pytest.mark.parametrize("path", ["/reports/daily", "/reports/channels"])
    @pytest.mark.parametrize(
        "query",
        [
            {"since": "2026-06-18", "until": "2026-06-18"},
            {"since": "2026-06-18", "until": "2026-06-01"},
            {"since": "2024-01-01", "until": "2026-06-18"},
            {"since": "0001-01-01", "until": "0001-02-01"},
            {"until": "0001-01-01"},
            {"until": "9999-12-31"},
            {"since": "18.6.2026"},
            {"store": "SH\x00"},
            {"colour": "red"},
        ],
    )
    def test_of_no_use_are_refused(self, path: str, query: dict[str, str]) -> None:
        answer = make.report_reader().get(path, **query)

        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid-input"

    @pytest.mark.parametrize("path", ["/reports/daily", "/reports/channels"])
    def test_are_the_last_thirty_days_if_none_is_named(self, path: str) -> None:
        body = make.report_reader().get(path).json()

        days = date.fromisoformat(body["until"]) - date.fromisoformat(body["since"])
        assert days == timedelta(days=30)

    def test_make_a_line_of_csv_per_store_and_day(self) -> None:
        answer = make.report_reader("SH001").get("/reports/daily", format="csv")

        assert len(answer.content.decode().splitlines()) == 31
        assert answer["Content-Disposition"] == 'attachment; filename="daily.csv"'

    def test_of_another_store_are_not_to_be_found(self) -> None:
        answer = make.report_reader("SH001").get("/reports/daily", store="SH002")

        assert answer.status_code == 404
