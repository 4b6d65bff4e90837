"""The loop of a period's newcomers, counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from campaigns import costs, referrals
from campaigns.costs import CostRow
from campaigns.models import ChannelLink
from shop.kernel.money import Cents
from shop.models import Member, OrderLine
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.reports import loop
from shop.storefront.reports.loop import LoopRow
from shop.storefront.reports.newcomers import payback
from shop.storefront.reports.scopes import Scope
from shop.storefront.rollups import upkeep
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def at(day: int, hour: int = 12) -> datetime:
    """Return a moment in June on a Shanghai wall."""
    return datetime(2026, 6, day, hour, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture(autouse=True)
def june() -> dict[str, ChannelLink]:
    """Douyin costs ¥30 and brings a regular who brings a friend; a flyer costs ¥5 and nobody comes.

    MT01 is sold for ¥12 and costs ¥4 to make, so a cup leaves ¥8.
    """
    links = {channel: make.link(channel) for channel in ("douyin", "flyer")}
    by_code = {link.code: link for link in links.values()}
    costs.upsert(
        [
            CostRow(
                link=links["douyin"].code,
                date=date(2026, 6, 18),
                cost_cents=Cents(3000),
                impressions=1000,
                clicks=20,
                estimated_reach=900,
            ),
            CostRow(link=links["flyer"].code, date=date(2026, 6, 18), cost_cents=Cents(500)),
        ],
        links=by_code,
    )
    make.touch(links["douyin"], "regular", kind="impression", now=at(18, 9))
    make.touch(links["douyin"], "regular", kind="click", now=at(18, 10))
    make.touch(links["douyin"], "curious", kind="click", now=at(18, 10))
    make.touch(links["flyer"], "looks on", kind="impression", now=at(18, 10))
    regular = make.member(visitor_id="regular", now=at(18, 11))
    for after in (timedelta(hours=1), 5 * DAY, 20 * DAY, 40 * DAY):
        buy(regular, now=at(18, 11) + after)
    friend = make.member(referral_code=referrals.code_of(regular, now=at(19)).code, now=at(19))
    buy(friend, now=at(19))
    return links


def buy(who: Member, *, now: datetime) -> Any:
    order = make.paid(who=who, now=now).order
    OrderLine.objects.filter(order=order).update(unit_cost_cents=400)
    return order


def report(*, by: str = "channel", code: str = "SH001", **fields: Any) -> dict[str | None, LoopRow]:
    upkeep.refresh()
    asked: dict[str, Any] = {"since": date(2026, 6, 18), "until": date(2026, 6, 20), "now": NOW}
    found = loop.build(Scope(stores=[make.store(code)], by=by, **asked | fields))
    return {row.key: row for row in found}


class TestLoop:
    def test_follows_people_from_the_ad_to_the_friend(self) -> None:
        douyin = report()["douyin"]

        people = (
            *(douyin.reached, douyin.clicked, douyin.joined, douyin.first_order),
            *(douyin.second_order, douyin.long_term, douyin.referrer, douyin.friends),
        )
        assert people == (2, 2, 1, 1, 1, 1, 1, 1)
        assert (douyin.impressions, douyin.reached_estimated) == (1000, 900)

    def test_sets_money_against_cost(self) -> None:
        """Four cups are ¥48 of revenue and ¥32 of margin; ¥30 were paid back with the fourth."""
        douyin = report()["douyin"]

        assert (douyin.cost_cents, douyin.revenue_cents, douyin.margin_cents) == (3000, 4800, 3200)
        assert (douyin.cpm_cents, douyin.cpc_cents, douyin.cac_cents) == (3000, 1500, 3000)
        assert (douyin.ctr, douyin.click_to_join, douyin.click_to_buy) == (0.02, 0.5, 0.5)
        assert (douyin.roas, douyin.roi, douyin.ltv_cents) == (1.6, 0.0667, 3200)
        assert douyin.payback_days == 40

    def test_tells_how_long_each_step_took(self) -> None:
        douyin = report()["douyin"]

        assert (douyin.hours_to_join, douyin.hours_to_first) == (2.0, 1.0)
        assert douyin.hours_to_second == 5 * 24 - 1
        assert (douyin.repeat_7, douyin.repeat_30, douyin.repeat_90) == (1.0, 1.0, 1.0)

    def test_counts_nobody_who_could_not_have_come_again_yet(self) -> None:
        total = report(now=at(18, 12) + 10 * DAY)["total"]

        assert (total.repeat_7, total.repeat_30) == (0.5, None)

    def test_may_count_only_who_bought_in_time(self) -> None:
        """Somebody who joined on the 18th and buys first on the 25th is no buyer of the opening."""
        late = make.member(now=at(18))
        buy(late, now=at(25))

        total, early = report()["total"], report(first_until=date(2026, 6, 21))["total"]

        assert (total.joined, total.first_order) == (3, 3)
        assert (early.joined, early.first_order, early.second_order) == (3, 2, 1)
        assert early.revenue_cents == total.revenue_cents

    def test_has_nothing_to_divide_by_where_nobody_came(self) -> None:
        flyer = report()["flyer"]

        assert (flyer.cost_cents, flyer.reached, flyer.clicked, flyer.joined) == (500, 1, 0, 0)
        assert (flyer.cac_cents, flyer.cpc_cents, flyer.ltv_cents) == (None, None, None)
        assert (flyer.roas, flyer.roi, flyer.payback_days) == (0.0, -1.0, None)

    def test_takes_refunds_off(self) -> None:
        stranger = make.member(now=at(18))
        order = buy(stranger, now=at(18))
        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=at(18, 13)
        )

        organic = report()["organic"]

        assert (organic.joined, organic.first_order, organic.revenue_cents) == (1, 0, 0)

    def test_adds_up_to_the_total(self) -> None:
        found = report()
        total = found.pop("total")

        for name in loop.SHOWN:
            assert getattr(total, name) == sum(getattr(row, name) for row in found.values()), name
        assert (total.joined, total.first_order, total.cost_cents) == (2, 2, 3500)

    @pytest.mark.parametrize(
        ("by", "keys"),
        [
            ("store", {"total", "SH001"}),
            ("city", {"total", "上海"}),
            ("campaign", {"total", None}),
            ("phase", {"total", None}),
        ],
    )
    def test_may_be_told_by_other_things(self, by: str, keys: set[str | None]) -> None:
        assert set(report(by=by)) == keys

    def test_of_another_store_has_none_of_it(self) -> None:
        assert set(report(code="SH002")) == {"total"}


class TestPayback:
    def test_is_the_day_on_which_the_margin_covers_the_cost(self) -> None:
        assert payback(800, {0: 800}) == 0
        assert payback(801, {0: 800, 7: 800}) == 7
        assert payback(2000, {0: 800, 7: 800}) is None


class TestOverHttp:
    def ask(self, **query: str) -> Any:
        period = {"since": "2026-06-18", "until": "2026-06-20", "store": "SH001"}
        return make.report_reader().get("/reports/loop", **period | query)

    def test_tells_the_same_as_the_function(self) -> None:
        body = self.ask().json()

        assert [row["key"] for row in body["rows"]] == ["total", "douyin", "flyer", "referral"]
        assert body["rows"][1]["payback_days"] == 40

    def test_is_csv_where_that_is_asked_for(self) -> None:
        answer = self.ask(format="csv", by="link")

        assert answer["Content-Disposition"] == 'attachment; filename="loop-by-link.csv"'
        assert len(answer.content.decode().splitlines()) == 5

    def test_refuses_what_it_cannot_tell_by(self) -> None:
        assert self.ask(by="zodiac").json()["code"] == "invalid-input"
