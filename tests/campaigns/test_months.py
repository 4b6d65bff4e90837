"""The table of touches in months: what moves, what is dropped, and what is left of it."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from campaigns import ad_clicks, months, tasks
from campaigns.models import SeenEvent, Touch, TouchTotal
from campaigns.months import Month
from shop.models import Alert
from tests import make

pytestmark = pytest.mark.django_db

JULY = Month(2031, 7)
IN_JULY = datetime(2031, 7, 10, 4, tzinfo=UTC)


def home_of(visitor: str) -> str:
    """Return the partition in which a visitor's touch lies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM campaigns_touch WHERE visitor_id = %s", [visitor]
        )
        (name,) = cursor.fetchone()
    return str(name)


class TestMakeAhead:
    def test_makes_this_month_and_three_more_and_moves_what_waited(self) -> None:
        link = make.link()
        make.touch(link, "early", now=datetime(2031, 5, 31, 23, 59, tzinfo=UTC))
        make.touch(link, "late", now=datetime(2031, 6, 1, tzinfo=UTC))
        before = home_of("early"), home_of("late")

        made = months.make_ahead(now=IN_JULY)

        assert before == ("campaigns_touch_default", "campaigns_touch_default")
        assert made == [Month(2031, number) for number in range(5, 11)]
        assert (home_of("early"), home_of("late")) == (
            "campaigns_touch_2031_05",
            "campaigns_touch_2031_06",
        )
        assert months.make_ahead(now=IN_JULY) == []

    def test_lets_new_touches_fall_into_their_month(self) -> None:
        months.make_ahead(now=IN_JULY)

        make.touch(make.link(), "v", now=IN_JULY)

        assert home_of("v") == JULY.partition

    def test_raises_an_alarm_when_a_month_is_missing_all_the_same(self) -> None:
        with (
            patch.object(months, "make_ahead", side_effect=DatabaseError),
            patch.object(tasks.timezone, "now", return_value=IN_JULY),
            pytest.raises(DatabaseError),
        ):
            tasks.keep_months()

        assert Alert.objects.get(code="touch-month-missing").subject == JULY.partition


class TestDropOld:
    def test_keeps_totals_and_what_was_frozen(self, settings: Any) -> None:
        link, now = make.link(), datetime(2032, 9, 1, tzinfo=UTC)
        for visitor, minutes, kind in [("a", 0, "scan"), ("b", 5, "scan"), ("a", 60, "scan")]:
            make.touch(link, visitor, kind=kind, now=IN_JULY + timedelta(minutes=minutes))
        make.touch(link, "a", now=IN_JULY + timedelta(seconds=3))  # repeated
        member = make.member(visitor_id="a", now=IN_JULY + timedelta(hours=2))
        make.touch(link, "kept", now=IN_JULY + timedelta(days=60))
        months.make_ahead(now=IN_JULY)

        dropped = months.drop_old(now=now)

        assert JULY in dropped
        assert max(dropped) == JULY
        assert list(Touch.objects.values_list("visitor_id", flat=True)) == ["kept"]
        total = TouchTotal.objects.get(link=link)
        assert (total.date, total.kind) == (IN_JULY.date(), "scan")
        assert (total.touches, total.visitors, total.flagged) == (3, 2, 1)
        assert member.acquisition.last_link == link
        assert member.conversions.count() == 1

    def test_keeps_as_many_months_as_the_setting_says(self, settings: Any) -> None:
        settings.TOUCH_RETENTION_MONTHS = 2
        make.touch(make.link(), "v", now=IN_JULY)
        months.make_ahead(now=IN_JULY)

        assert JULY not in months.drop_old(now=JULY.later(3).starts_at - timedelta(seconds=1))
        assert JULY in months.drop_old(now=JULY.later(3).starts_at)

    def test_forgets_events_that_would_not_be_taken_any_more(self) -> None:
        make.touch(make.link(), "v", now=IN_JULY)

        months.drop_old(now=IN_JULY + timedelta(days=13))
        kept = SeenEvent.objects.count()
        months.drop_old(now=IN_JULY + timedelta(days=15))

        assert (kept, SeenEvent.objects.count()) == (1, 0)


class TestAdClick:
    @pytest.mark.parametrize(
        ("query", "platform"),
        [
            ({"gdt_vid": "wx0abc123"}, "tencent"),
            ({"qz_gdt": "tqmu4ogbaaalr5vodoua"}, "tencent"),
            ({"clickid": "EJiw267wvfQCGKf2g74ZIPD89-vIATAMOAFCIjIwMTk=="}, "oceanengine"),
            ({"clickid": "<script>"}, None),
            ({"clickid": "__CLICKID__", "phone": "13900000000"}, "oceanengine"),
            ({"phone": "13900000000", "openid": "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"}, None),
        ],
    )
    def test_is_found_by_the_platforms_own_parameter(
        self, query: dict[str, str], platform: str | None
    ) -> None:
        found = ad_clicks.find(query)

        assert (found.platform if found else None) == platform


def test_the_migration_moves_every_row_there_and_back() -> None:
    """In a schema of its own: the tables as they were, and the migration's own statements."""
    migration = import_module("campaigns.migrations.0011_touches_by_month")
    ids = [uuid4() for _ in range(3)]
    times = [timezone.now() - timedelta(days=age) for age in (70, 35, 0)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA before")
        cursor.execute("SET LOCAL search_path TO before")
        cursor.execute("CREATE TABLE campaigns_channellink (id bigint PRIMARY KEY)")
        cursor.execute("INSERT INTO campaigns_channellink VALUES (7)")
        cursor.execute("CREATE TABLE campaigns_seenevent (LIKE public.campaigns_seenevent)")
        cursor.execute(
            "CREATE TABLE campaigns_touch (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
            " event_id uuid UNIQUE, kind varchar(16), visitor_id varchar(40),"
            " occurred_at timestamptz, link_id bigint REFERENCES campaigns_channellink)"
        )
        cursor.execute(
            "INSERT INTO campaigns_touch (event_id, kind, visitor_id, occurred_at, link_id)"
            " SELECT event_id, 'scan', 'v', at, 7 FROM unnest(%s::uuid[], %s::timestamptz[])"
            " AS row (event_id, at)",
            [ids, times],
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        cursor.execute(migration.PARTITION)
        cursor.execute(
            "INSERT INTO campaigns_touch"
            " (event_id, kind, visitor_id, occurred_at, link_id, quality)"
            " VALUES (gen_random_uuid(), 'scan', 'bot', now(), 7, 'bot') RETURNING id"
        )
        (next_id,) = cursor.fetchone()
        cursor.execute("SELECT count(DISTINCT tableoid), count(*) FROM campaigns_touch")
        partitions = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM campaigns_touch_default")
        (waiting,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM campaigns_seenevent")
        (seen,) = cursor.fetchone()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(migration.MERGE)
        cursor.execute("SELECT event_id, occurred_at FROM campaigns_touch ORDER BY id")
        back = cursor.fetchall()
        cursor.execute("SET LOCAL search_path TO DEFAULT")

    assert (next_id, waiting, seen) == (4, 0, 3)
    assert partitions == (3, 4)
    assert back == list(zip(ids, times, strict=True))
