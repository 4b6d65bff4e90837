"""What channels cost and brought, counted by hand; budgets and alarms that follow from it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from campaigns import costs
from campaigns.costs import CostRow
from campaigns.models import Campaign, ChannelLink
from shop.kernel.money import Cents
from shop.models import Alert, Member, OrderLine
from shop.refunds import RefundRequest
from shop.storefront import campaign_watch, refunds
from shop.storefront.models import CampaignLimits
from shop.storefront.rollups import upkeep
from tests import make

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def at(day: int, hour: int = 12, *, month: int = 6) -> datetime:
    """Return a moment on a Shanghai wall."""
    return datetime(2026, month, day, hour, tzinfo=UTC) - timedelta(hours=8)


def buy(who: Member | None, *, now: datetime) -> Any:
    """Sell an MT01 for ¥12 that costs ¥4 to make."""
    order = make.paid(who=who, now=now).order
    OrderLine.objects.filter(order=order).update(unit_cost_cents=400)
    return order


def spend(link: ChannelLink, day: date, cents: int, **fields: int) -> None:
    row = CostRow(link=link.code, date=day, cost_cents=Cents(cents), **fields)
    costs.upsert([row], links={link.code: link})


@pytest.fixture
def summer() -> dict[str, ChannelLink]:
    """June: Douyin costs ¥50 for 10,000 impressions and 400 clicks, and brings two who buy; one
    comes back in July, one takes half a cup back. July: it costs ¥20 and brings nobody new.
    """
    campaign = Campaign.objects.create(
        code="SUMMER", name_zh="夏", name_en="Summer", status="active", starts_at=at(1, 0)
    )
    link = make.link("douyin")
    ChannelLink.objects.filter(pk=link.pk).update(campaign=campaign)
    spend(link, date(2026, 6, 10), 5000, impressions=10_000, clicks=400)
    spend(link, date(2026, 7, 10), 2000, impressions=4_000, clicks=100)
    for name in ("one", "one", "one", "two", "three"):
        make.touch(link, name, kind="click", now=at(10, 10))
    one, two = make.member(visitor_id="one", now=at(10)), make.member(visitor_id="two", now=at(11))
    buy(one, now=at(10, 13))
    half = buy(two, now=at(11, 13))
    request = RefundRequest(amount_cents=Cents(600))
    refunds.refund_order(number=half.number, request=request, actor="test", now=at(12))
    make.touch(link, "one", kind="click", now=at(9, 10, month=7))
    buy(one, now=at(10, 13, month=7))
    buy(None, now=at(10, 14))
    return {"link": link}


def ask(path: str = "/reports/economics", **query: Any) -> Any:
    period = {"since": "2026-06-01", "until": "2026-08-01", "store": "SH001"}
    answer = make.report_reader().get(path, **period | query)
    assert answer.status_code == 200, answer.json()
    return answer.json()["rows"]


@pytest.mark.usefixtures("summer")
class TestEconomics:
    def test_sets_what_came_against_what_was_spent(self) -> None:
        """¥36 paid, ¥6 given back: ¥30 of revenue, less three cups of ¥4: ¥18 of margin on ¥70."""
        douyin = next(row for row in ask() if row["key"] == "douyin")

        assert (douyin["cost_cents"], douyin["revenue_cents"], douyin["margin_cents"]) == (
            7000,
            3000,
            1800,
        )
        assert (douyin["orders"], douyin["new_buyers"], douyin["joined"]) == (3, 2, 2)
        assert (douyin["cpm_cents"], douyin["cpc_cents"], douyin["ctr"]) == (500, 14, 0.0357)
        assert (douyin["clicked"], douyin["cvr"], douyin["cac_cents"]) == (3, 0.6667, 3500)
        assert (douyin["roas"], douyin["roi"]) == (0.4286, -0.7429)
        assert (douyin["gross_margin"], douyin["ltv_cents"]) == (0.6, 900)
        assert douyin["payback_days"] is None

    def test_is_told_by_month_too(self) -> None:
        june, july = (row for row in ask(every="month") if row["key"] == "douyin")

        assert (june["starts_on"], june["cpm_cents"], june["cpc_cents"]) == ("2026-06-01", 500, 13)
        assert (june["cac_cents"], june["next_cac_cents"]) == (2500, None)
        assert (june["repeat_7"], june["repeat_30"]) == (0.0, 0.5)
        assert (july["new_buyers"], july["cac_cents"], july["ltv_cents"]) == (0, None, None)
        assert (july["revenue_cents"], july["roas"]) == (1200, 0.6)

    def test_counts_guests_under_nobody_and_adds_up(self) -> None:
        total, *rows = ask()

        assert [row["revenue_cents"] for row in rows if row["key"] is None] == [1200]
        for name in ("cost_cents", "orders", "revenue_cents", "margin_cents", "new_buyers"):
            assert total[name] == sum(row[name] for row in rows)

    @pytest.mark.parametrize(
        ("by", "key"),
        [("campaign", "SUMMER"), ("store", "SH001"), ("city", "上海"), ("phase", None)],
    )
    def test_may_be_told_by_other_things(self, by: str, key: str | None) -> None:
        assert key in {row["key"] for row in ask(by=by)}

    def test_is_csv_where_that_is_asked_for(self) -> None:
        answer = make.report_reader().get("/reports/economics", format="csv", by="link")

        assert answer["Content-Disposition"] == 'attachment; filename="economics-by-link.csv"'
        assert answer.content.decode("utf-8-sig").startswith("starts_on,key,cost_cents")

    def test_shows_another_store_none_of_it(self) -> None:
        rows = make.report_reader("SH002").get("/reports/economics").json()["rows"]

        assert [row["key"] for row in rows] == ["total"]


class TestRanking:
    @pytest.fixture(autouse=True)
    def tried(self) -> None:
        """Two channels are given ¥10 a day each; the flyer brings two for it, Douyin one."""
        for channel, buyers in (("douyin", 1), ("flyer", 2), ("kol", 0)):
            link = make.link(channel)
            spend(link, date(2026, 6, 10), 1000)
            for number in range(buyers):
                make.touch(link, f"{channel}{number}", kind="click", now=at(10, 10))
                buy(make.member(visitor_id=f"{channel}{number}", now=at(10)), now=at(10, 13))

    def test_puts_first_whose_next_buyer_is_cheapest(self) -> None:
        rows = ask("/reports/channel-ranking", budget_cents=10_001, days=7)

        assert [(row["rank"], row["key"], row["cac_cents"]) for row in rows] == [
            (1, "flyer", 500),
            (2, "douyin", 1000),
            (3, "kol", None),
        ]
        assert [row["marginal_cac_cents"] for row in rows] == [714, 1429, None]
        assert [row["basis"] for row in rows] == ["assumed", "assumed", "no-buyers"]

    @pytest.mark.parametrize("budget", [1, 999, 10_001, 123_456_789])
    def test_divides_the_budget_to_the_cent(self, budget: int) -> None:
        rows = ask("/reports/channel-ranking", budget_cents=budget, days=7)

        assert sum(row["proposed_cents"] for row in rows) == budget
        assert rows[2]["proposed_cents"] == 0

    def test_gives_the_better_one_more(self) -> None:
        """At the same elasticity 0.7 a channel twice as good gets 2^(1/0.3) ≈ 10 times as much."""
        flyer, douyin, _kol = ask("/reports/channel-ranking", budget_cents=1100, days=1)

        assert flyer["proposed_cents"] / douyin["proposed_cents"] == pytest.approx(10.08, rel=0.01)
        assert flyer["proposed_marginal_cac_cents"] == douyin["proposed_marginal_cac_cents"]

    def test_refuses_no_budget_at_all(self) -> None:
        answer = make.report_reader().get("/reports/channel-ranking", budget_cents=0)

        assert answer.json()["code"] == "invalid-input"


@pytest.mark.usefixtures("summer")
class TestCampaignPnl:
    def ask(self, **query: str) -> Any:
        return make.report_reader().get("/reports/campaign-pnl", **query)

    def test_says_what_is_left(self) -> None:
        (row,) = (r for r in self.ask().json()["rows"] if r["campaign"] == "SUMMER")

        assert (row["cost_cents"], row["margin_cents"], row["profit_cents"]) == (7000, 1800, -5200)
        assert (row["new_buyers"], row["payback_days"], row["repeat_30"]) == (2, None, 0.5)
        assert row["alarms"] == ["campaign-not-paid-back"]

    def test_of_a_campaign_that_does_not_exist_is_not_found(self) -> None:
        assert self.ask(campaign="WINTER").status_code == 404

    def test_burns_until_it_is_paid_back(self) -> None:
        CampaignLimits.objects.create(pk=1, payback_days=30, repurchase_bp=6000, least_buyers=2)
        upkeep.refresh()

        assert campaign_watch.watch(now=at(20, month=7)) == 2
        assert campaign_watch.watch(now=at(21, month=7)) == 0
        codes = Alert.objects.filter(resolved_at=None).values_list("code", flat=True)
        assert set(codes) == {"campaign-not-paid-back", "campaign-repurchase-low"}

        CampaignLimits.objects.update(payback_days=60, repurchase_bp=4000)
        campaign_watch.watch(now=at(22, month=7))

        assert not Alert.objects.filter(code__startswith="campaign-", resolved_at=None).exists()
