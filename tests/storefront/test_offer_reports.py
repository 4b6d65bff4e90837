"""Newcomers by day, and what offers gave away, counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from shop.models import Member
from shop.storefront.reports import cannibalisation, signups
from shop.storefront.reports.cannibalisation import CannibalisationRow
from tests import make

pytestmark = pytest.mark.django_db


def at(day: int, hour: int = 12) -> datetime:
    """Return a moment in June of the clock on a Shanghai wall."""
    return datetime(2026, 6, day, hour, tzinfo=UTC) - timedelta(hours=8)


class TestSignups:
    def days(self, **fields: Any) -> list[tuple[int, str, int, int]]:
        found = signups.build(
            **{"stores": [make.store()], "since": date(2026, 6, 18), "until": date(2026, 6, 20)}
            | fields
        )
        return [(row.date.day, row.channel, row.registrations, row.first_opens) for row in found]

    def test_count_a_day_until_the_store_starts_the_next_one(self) -> None:
        """The store's day ends at 5 in the morning; one opens at 4, one at 6, one again."""
        link = make.link("douyin")
        make.touch(link, "night owl", kind="visit", now=at(19, 4))
        make.touch(link, "early bird", kind="visit", now=at(19, 6))
        make.touch(link, "night owl", kind="visit", now=at(19, 10))
        make.touch(link, "looks on", kind="impression", now=at(19, 10))
        make.member(visitor_id="night owl", now=at(19, 4))
        make.member(now=at(19, 6))
        make.member(at="SH002", now=at(19, 6))

        assert self.days() == [
            (18, "douyin", 1, 1),
            (19, "organic", 1, 0),
            (19, "douyin", 0, 1),
        ]

    def test_count_links_of_no_store_for_the_whole_chain_only(self) -> None:
        make.touch(make.link("douyin", at=None), "somebody", kind="visit", now=at(19, 4))

        assert self.days() == []
        assert self.days(is_whole_chain=True) == [(19, "douyin", 0, 1)]


class TestCannibalisation:
    def orders(self, who: Member, *days: int) -> None:
        for day in days:
            make.paid(who=who, now=at(day))

    def offers(self) -> list[CannibalisationRow]:
        return cannibalisation.build(
            stores=[make.store()], since=date(2026, 6, 20), until=date(2026, 6, 30)
        )

    def test_is_told_by_each_members_own_rhythm(self) -> None:
        """Gaps of 2, 4 and 6 days, then a coupon after 5: by then two of three had been back.

        Somebody who comes every day uses theirs after 10 days: they would have come anyway. A
        newcomer has no rhythm to go by.
        """
        now_and_then, daily, newcomer = make.member(), make.member(), make.member()
        self.orders(now_and_then, 4, 6, 10, 16)
        self.orders(daily, 10, 11, 12, 13)
        for who, day in ((now_and_then, 21), (daily, 23), (newcomer, 22)):
            coupon = make.coupon(who, now=at(day))
            what = make.basket(who=who, lines=[make.line(quantity=3)], coupon_codes=(coupon.code,))
            make.paid(total=3100, what=what, now=at(day))

        (row,) = self.offers()

        assert (row.kind, row.code, row.uses, row.measured) == ("coupon", "FULL25_5", 3, 2)
        assert (row.discount_cents, row.anyway) == (1500, 1.67)
        assert (row.given_away_cents, row.share, row.coverage) == (833, 0.835, 0.6667)

    def test_is_told_of_these_stores_only(self) -> None:
        make.promotion({"kind": "fixed_off", "amount_cents": 600})
        make.paid(total=600, who=make.member(), now=at(21))

        there = {"since": date(2026, 6, 20), "until": date(2026, 6, 30)}
        assert cannibalisation.build(stores=[make.store("SH002")], **there) == []

    def test_says_nothing_where_nobody_has_a_rhythm(self) -> None:
        make.promotion({"kind": "fixed_off", "amount_cents": 600})
        who = make.member()
        make.paid(total=600, who=who, now=at(21))
        make.paid(total=600, now=at(21))  # a guest has none, and is not asked about

        (row,) = self.offers()

        assert (row.kind, row.uses, row.measured, row.anyway) == ("promotion", 1, 0, 0.0)
        assert (row.share, row.coverage) == (None, 0.0)
