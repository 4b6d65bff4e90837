"""The opening funnel against an opening small enough to count on one's fingers."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from campaigns import costs, referrals
from campaigns.costs import CostRow
from campaigns.models import Campaign, ChannelLink
from shop.kernel.money import Cents
from shop.models import Member, Staff
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.reports import opening_funnel
from shop.storefront.reports.opening_funnel import OpeningFunnel, Rules, Stage
from shop.storefront.rollups import upkeep
from tests import make

pytestmark = pytest.mark.django_db

STAGES = list(Stage)


def at(day: int, hour: int = 12, minute: int = 0, *, month: int = 5) -> datetime:
    """Return a moment of the clock on a Shanghai wall."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def cost(where: ChannelLink, day: date, yuan: int, *, reach: int = 0) -> None:
    row = CostRow(link=where.code, date=day, cost_cents=Cents(yuan * 100), estimated_reach=reach)
    costs.upsert([row], links={where.code: where})


def joined(visitor: str = "", *, now: datetime, referral_code: str = "") -> Member:
    return make.member(now=now, visitor_id=visitor, referral_code=referral_code)


def bought(who: Member, *times: datetime) -> None:
    for now in times:
        make.paid(who=who, now=now)


def given_back(who: Member, *, now: datetime, cents: int | None = None) -> None:
    """Have a member buy something and give it back, wholly or in part."""
    order = make.paid(who=who, now=now).order
    request = RefundRequest(amount_cents=None if cents is None else Cents(cents))
    refunds.refund_order(number=order.number, request=request, actor="test", now=now)


@pytest.fixture
def opening() -> None:
    """Seven people reached by two channels, one who walks in, and some who do not count."""
    flyer, douyin, elsewhere = make.link("flyer"), make.link("douyin"), make.link(at="SH002")
    cost(flyer, date(2026, 5, 16), 300, reach=5000)
    cost(flyer, date(2026, 5, 18), 200)
    cost(douyin, date(2026, 5, 17), 1000, reach=20_000)
    cost(douyin, date(2026, 5, 21), 99, reach=999)  # after the three days
    cost(elsewhere, date(2026, 5, 18), 700, reach=999)

    # A regular, who brings a friend that buys and one that does not.
    make.touch(flyer, "regular", now=at(17))
    regular = joined("regular", now=at(18))
    bought(regular, at(18), at(25), at(30), at(2, month=6))
    code = referrals.code_of(regular, now=at(25)).code
    bought(joined(now=at(30), referral_code=code), at(30))
    joined(now=at(30), referral_code=code)

    # Saw the ad, then scanned the flyer; back on the last moment of the thirtieth day.
    make.touch(douyin, "twice", kind="impression", now=at(16))
    make.touch(flyer, "twice", now=at(20))
    bought(joined("twice", now=at(20)), at(20, 23, 30), at(19, 23, 30, month=6))

    # Bought after midnight, which is still the third day; comes back often, but too late.
    make.touch(douyin, "late", kind="click", now=at(18))
    late = joined("late", now=at(20))
    bought(late, at(21, 4), *(at(day, month=6) for day in (21, 22, 23)))

    # Bought on the fourth day; gave everything back; did not join; only saw the ad.
    make.touch(douyin, "fourth-day", kind="click", now=at(18))
    bought(joined("fourth-day", now=at(18)), at(21))
    make.touch(flyer, "unhappy", now=at(19))
    given_back(joined("unhappy", now=at(19)), now=at(19))
    make.touch(flyer, "curious", now=at(19))
    make.touch(douyin, "passive", kind="impression", now=at(19))

    # Walked in, gave a part back; a large order made them a regular by tier.
    walk_in = joined(now=at(18))
    given_back(walk_in, now=at(18), cents=500)
    large = make.basket(who=walk_in, lines=[make.line(quantity=26)])
    make.paid(what=large, total=31_200, now=at(20))

    # Not of this opening: another store's flyer, a touch long before, a guest.
    make.touch(elsewhere, "other-store", now=at(18))
    make.touch(flyer, "long-ago", now=at(18, month=3))
    make.paid(now=at(18))


def build(**rules: int) -> OpeningFunnel:
    upkeep.refresh()
    return opening_funnel.build(store=make.store(), rules=Rules(**rules))


def people(funnel: OpeningFunnel, channel: str) -> list[int]:
    row = next(row for row in funnel.channels if row.channel == channel)
    return [row.people(stage) for stage in STAGES]


@pytest.mark.usefixtures("opening")
class TestOpeningFunnel:
    def test_counts_each_stage_once_per_person(self) -> None:
        funnel = build()

        assert {stage: funnel.people(stage) for stage in STAGES} == {
            "reached": 7,
            "scanned": 6,
            "joined": 6,
            "first_order": 4,
            "second_order": 3,
            "long_term": 2,
            "referrer": 1,
        }

    def test_puts_each_person_into_the_channel_they_came_by(self) -> None:
        funnel = build()

        assert people(funnel, "flyer") == [4, 4, 3, 2, 2, 1, 1]
        assert people(funnel, "douyin") == [3, 2, 2, 1, 0, 0, 0]
        assert people(funnel, "organic") == [0, 0, 1, 1, 1, 1, 0]
        assert people(funnel, "referral") == [0] * 7

    def test_channels_add_up_to_the_totals(self) -> None:
        funnel = build()

        for stage in STAGES:
            assert funnel.people(stage) == sum(row.people(stage) for row in funnel.channels)
        for amount in ("cost_cents", "reached_estimated", "revenue_cents", "friends_referred"):
            of_channels = [getattr(row, amount) for row in funnel.channels]
            assert getattr(funnel.total, amount) == sum(of_channels)

    def test_counts_costs_and_estimates_of_its_own_days_and_links(self) -> None:
        funnel = build()

        costs_and_reach = [
            (row.channel, row.cost_cents, row.reached_estimated) for row in funnel.channels
        ]
        assert costs_and_reach == [
            ("douyin", 100_000, 20_000),
            ("flyer", 50_000, 5_000),
            ("organic", 0, 0),
            ("referral", 0, 0),
        ]

    def test_divides_costs_and_people(self) -> None:
        flyer = build().channels[1]

        assert [stage.cost_per_person_cents for stage in flyer.stages] == [
            12_500,
            12_500,
            16_667,
            25_000,
            25_000,
            50_000,
            50_000,
        ]
        assert [stage.rate_of_previous for stage in flyer.stages] == [
            None,
            1.0,
            0.75,
            0.6667,
            1.0,
            0.5,
            1.0,
        ]
        assert [stage.rate_of_first for stage in flyer.stages] == [
            1.0,
            1.0,
            0.75,
            0.5,
            0.5,
            0.25,
            0.25,
        ]

    def test_leaves_out_what_would_divide_by_nobody(self) -> None:
        organic = build().channels[2]

        assert [stage.rate_of_first for stage in organic.stages] == [None] * 7
        assert organic.stages[0].cost_per_person_cents is None

    def test_takes_revenue_net_of_refunds(self) -> None:
        revenue = {row.channel: row.revenue_cents for row in build().channels}

        assert revenue == {"flyer": 7_200, "douyin": 4_800, "organic": 31_900, "referral": 0}

    def test_names_the_channel_of_friends_who_bought(self) -> None:
        funnel = build()

        assert [(row.channel, row.people) for row in funnel.friends] == [("referral", 1)]
        assert funnel.total.friends_referred == 1

    def test_follows_the_rules_it_is_given(self) -> None:
        assert build(days=4).people(Stage.FIRST_ORDER) == 5
        assert build(days=1).people(Stage.FIRST_ORDER) == 2
        assert build(second_within_days=29).people(Stage.SECOND_ORDER) == 2
        assert build(second_within_days=32).people(Stage.SECOND_ORDER) == 4
        assert build(long_term_orders=5).people(Stage.LONG_TERM) == 1
        assert build(long_term_days=15).people(Stage.LONG_TERM) == 1
        assert build(lead_days=0).people(Stage.REACHED) == 6
        assert build(lead_days=61).people(Stage.REACHED) == 8

    def test_counts_links_of_a_campaign_that_runs_in_this_store_only(self) -> None:
        campaign = Campaign.objects.create(code="opening", name_zh="开业", starts_at=at(1))
        link = make.link("kol", at=None)
        ChannelLink.objects.filter(pk=link.pk).update(campaign=campaign)
        make.touch(link, "fan", now=at(18))
        campaign.stores.add(make.store())
        alone = build().people(Stage.REACHED)

        campaign.stores.add(make.store("SH002"))

        assert (alone, build().people(Stage.REACHED)) == (8, 7)


def staff(*stores: str, group: str = "Store manager") -> make.Api:
    person = Staff.objects.create_user(username=group, is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    person.stores.set([make.store(code) for code in stores])
    api = make.Api()
    api.client.force_login(person)
    return api


def get(api: make.Api, **query: Any) -> Any:
    return api.get("/reports/opening-funnel", **{"store": "SH001"} | query)


@pytest.mark.usefixtures("opening")
class TestOpeningFunnelOverHttp:
    def test_tells_the_same_as_the_function(self) -> None:
        body = get(make.report_reader()).json()

        assert [stage["people"] for stage in body["stages"]] == [7, 6, 6, 4, 3, 2, 1]
        assert body["stages"][3] == {
            "stage": "first_order",
            "people": 4,
            "rate_of_previous": 0.6667,
            "rate_of_first": 0.5714,
            "cost_per_person_cents": 37_500,
        }
        assert (body["cost_cents"], body["reached_estimated"]) == (150_000, 25_000)
        assert (body["revenue_cents"], body["friends_referred"]) == (43_900, 1)
        assert body["first_until"] == "2026-05-21T05:00:00+08:00"

    def test_has_a_line_of_csv_per_channel_and_stage(self) -> None:
        answer = get(make.report_reader(), format="csv")

        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        lines = list(csv.DictReader(io.StringIO(answer.content.decode().lstrip("\ufeff"))))
        assert len(lines) == 5 * 7
        assert lines[0] == {
            "store": "SH001",
            "channel": "total",
            "stage": "reached",
            "people": "7",
            "rate_of_previous": "",
            "rate_of_first": "1.0",
            "cost_per_person_cents": "21429",
            "cost_cents": "150000",
            "reached_estimated": "25000",
            "friends_referred": "1",
            "revenue_cents": "43900",
        }

    def test_is_csv_for_whoever_accepts_only_that(self) -> None:
        api = make.report_reader()
        api.headers["Accept"] = "text/csv"

        assert get(api).content.startswith(b"\xef\xbb\xbfstore,channel,stage,people")


class TestCallers:
    def test_get_no_other_forms(self) -> None:
        api = make.report_reader()
        by_query = get(api, format="xml")
        api.headers["Accept"] = "application/pdf"
        by_header = get(api)

        for answer in (by_query, by_header):
            assert answer.status_code == 406
            assert answer.json()["code"] == "not-acceptable"
            assert answer["Content-Type"] == "application/problem+json"

    def test_see_the_stores_that_are_theirs(self) -> None:
        assert get(make.report_reader("SH001")).status_code == 200
        assert get(staff("SH001")).status_code == 200
        assert get(make.report_reader("SH002")).status_code == 404
        assert get(make.report_reader(), store="XX999").status_code == 404
        assert get(make.till()).status_code == 403
        assert get(make.Api()).status_code == 401

    def test_get_problems_as_json_even_where_they_asked_for_csv(self) -> None:
        answer = get(make.report_reader(), store="XX999", format="csv")

        assert answer.json()["code"] == "not-found"
        assert answer["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"days": "0"}, "/days"),
            ({"days": "three"}, "/days"),
            ({"days": "9" * 400}, "/days"),
            ({"second_within_days": "-1"}, "/second_within_days"),
            ({"lead_days": "366"}, "/lead_days"),
            ({"long_term_orders": "1"}, "/long_term_orders"),
            ({"store": ""}, "/store"),
            ({"store": "SH\x00"}, "/store"),
            ({"stroe": "SH001"}, "/stroe"),
        ],
    )
    def test_are_told_what_cannot_be_used(self, query: dict[str, str], pointer: str) -> None:
        answer = get(make.report_reader(), **query)

        assert answer.status_code == 400
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
