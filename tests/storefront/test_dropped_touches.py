"""Reports of a period say the same before and after its touches were dropped."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from campaigns import months
from campaigns.models import DailyCost, Touch
from campaigns.months import Month
from shop.storefront.invariants import suite
from shop.storefront.rollups import upkeep
from tests import make

pytestmark = pytest.mark.django_db

JUNE = Month(2026, 6)


def at(day: int, hour: int = 12, month: int = 6) -> datetime:
    """Return a moment on a Shanghai wall."""
    return datetime(2026, month, day, hour, tzinfo=UTC) - timedelta(hours=8)


@pytest.fixture
def summer() -> None:
    """Two links, three visitors: one of a day, one who joins, one who comes back in July."""
    flyer, douyin = make.link("flyer"), make.link("douyin")
    make.touch(flyer, "passes by", kind="impression", now=at(18))
    make.touch(douyin, "joins", kind="click", now=at(18))
    make.paid(who=make.member(visitor_id="joins", now=at(18, 13)), now=at(18, 14))
    DailyCost.objects.create(link=douyin, date=date(2026, 6, 18), claimed_conversions=5)
    DailyCost.objects.create(link=flyer, date=date(2026, 6, 19), estimated_reach=300)
    make.touch(flyer, "comes back", kind="scan", now=at(19))
    make.touch(douyin, "comes back", kind="impression", now=at(20))
    make.touch(flyer, "comes back", kind="scan", now=at(2, month=7))


def told(path: str, **query: str) -> Any:
    answer = make.report_reader().get(path, since="2026-06-01", until="2026-08-01", **query)
    assert answer.status_code == 200
    return answer.json()


def everything() -> list[Any]:
    by_month = told("/reports/economics", by="link", every="month")["rows"]
    return [
        [told("/reports/loop", by=by)["rows"] for by in ("channel", "link", "store")],
        by_month,
        told("/reports/channels"),
        told("/reports/claimed-conversions"),
        make.report_reader().get("/reports/opening-funnel", store="SH001").json(),
    ]


@pytest.mark.usefixtures("summer")
def test_nothing_changes_when_a_month_is_dropped() -> None:
    months.make_ahead(now=at(10, month=7))
    before = everything()

    dropped = months.drop_old(now=JUNE.later(14).starts_at)
    assert JUNE in dropped
    assert Touch.objects.count() == 1
    assert everything() == before
    claims = {row["channel"]: row for row in before[3]["rows"]}
    assert [claims["flyer"][name] for name in ("touches", "anonymous_visitors")] == [3, 2]
    assert [claims["douyin"][name] for name in ("touches", "identified_members")] == [2, 1]

    # Nor when somebody of whom half is forgotten comes again, or everything is made anew.
    make.touch(make.link("kol"), "comes back", kind="impression", now=at(3, month=7))
    upkeep.mark_days(since=date(2026, 6, 1), until=date(2026, 8, 1))
    upkeep.refresh()
    upkeep.renew_months()
    total = told("/reports/loop", by="link")["rows"][0]
    assert (total["reached"], total["clicked"], total["hours_to_join"]) == (3, 2, 1.0)
    assert [one.name for one in suite.check_all(now=at(1, month=8)).broken if one.id == "I20"] == []
