"""Batches of touches over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import ChannelLink, Touch
from tests import make

pytestmark = pytest.mark.django_db


def event(where: ChannelLink, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid4()),
        "kind": "scan",
        "link": where.code,
        "visitor": "v-1",
        "occurred_at": timezone.now().isoformat(),
    } | fields


def counts(answer: Any) -> dict[str, int]:
    return {name: value for name, value in answer.json().items() if name != "results"}


class TestBatch:
    def test_says_what_was_new(self) -> None:
        reader, link = make.report_reader(), make.link()
        events = [event(link), event(link, kind="visit")]

        first = reader.post("/touches", {"events": events}, key=None)
        again = reader.post("/touches", {"events": [*events, event(link)]}, key=None)

        assert counts(first) == {"accepted": 2, "duplicates": 0, "refused": 0}
        assert counts(again) == {"accepted": 1, "duplicates": 2, "refused": 0}
        assert Touch.objects.count() == 3

    def test_counts_an_event_once_that_it_carries_twice(self) -> None:
        twin = event(make.link())

        answer = make.report_reader().post("/touches", {"events": [twin, twin]})

        assert counts(answer) == {"accepted": 1, "duplicates": 1, "refused": 0}
        assert [result["outcome"] for result in answer.json()["results"]] == [
            "accepted",
            "duplicate",
        ]

    def test_keeps_the_first_word_about_an_event(self) -> None:
        reader, link = make.report_reader(), make.link()
        scan = event(link)

        reader.post("/touches", {"events": [scan]})
        reader.post("/touches", {"events": [scan | {"kind": "visit"}]})

        assert Touch.objects.get().kind == "scan"

    def test_of_five_hundred_is_one_statement(self) -> None:
        reader, link = make.report_reader(), make.link()
        events = [event(link) for _ in range(500)]

        with CaptureQueriesContext(connection) as statements:
            answer = reader.post("/touches", {"events": events})

        inserts = [s for s in statements.captured_queries if "INSERT" in s["sql"]]
        assert answer.json()["accepted"] == 500
        assert len(inserts) == 1

    def test_is_at_most_five_hundred_and_at_least_one(self) -> None:
        reader, link = make.report_reader(), make.link()

        for events in ([], [event(link) for _ in range(501)]):
            assert reader.post("/touches", {"events": events}).status_code == 400
        assert not Touch.objects.exists()

    def test_takes_late_events_in_any_order_and_names_each_that_it_cannot_use(self) -> None:
        reader, link = make.report_reader("SH001"), make.link()
        ages = {
            "soon": -timedelta(minutes=4),
            "future": -timedelta(minutes=6),
            "late": timedelta(days=6, hours=23),
            "too late": timedelta(days=7, hours=1),
        }
        times = {name: (timezone.now() - age).isoformat() for name, age in ages.items()}
        elsewhere, nowhere = make.link(at="SH002").code, "NOPE"

        answer = reader.post(
            "/touches",
            {
                "events": [
                    *(event(link, occurred_at=at, visitor=name) for name, at in times.items()),
                    event(link, link=elsewhere),
                    event(link, link=nowhere),
                ]
            },
        )

        results = [(r["outcome"], r.get("code")) for r in answer.json()["results"]]
        assert results == [
            ("accepted", None),
            ("refused", "in-the-future"),
            ("accepted", None),
            ("refused", "too-late"),
            ("refused", "unknown-link"),
            ("refused", "unknown-link"),
        ]
        assert counts(answer) == {"accepted": 2, "duplicates": 0, "refused": 4}
        assert set(Touch.objects.values_list("visitor_id", flat=True)) == {"soon", "late"}

    @pytest.mark.parametrize(
        "change",
        [
            {"event_id": "x"},
            {"event_id": -1},
            {"kind": "stare"},
            {"visitor": 5},
            {"visitor": "v" * 41},
            {"occurred_at": "yesterday"},
            {"occurred_at": "2026-05-18T09:00:00"},
            {"occurred_at": "1890-05-18T09:00:00Z"},
            {"score": 1},
        ],
    )
    def test_refuses_bad_input(self, change: dict[str, Any]) -> None:
        answer = make.report_reader().post("/touches", {"events": [event(make.link(), **change)]})

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid-input")

    def test_is_not_for_tills_and_members(self) -> None:
        body = {"events": [event(make.link())]}

        for caller in (make.till(), make.phone_of(make.member())):
            assert caller.post("/touches", body).status_code == 403


class TestQuality:
    def test_flags_what_a_visitor_repeats_within_ten_seconds_whatever_comes_first(self) -> None:
        reader, link, start = make.report_reader(), make.link(), timezone.now()

        def send(*seconds: int) -> list[str]:
            times = [(start - timedelta(seconds=100 - at)).isoformat() for at in seconds]
            events = [event(link, occurred_at=at) for at in times]
            answer = reader.post("/touches", {"events": events})
            return [result["quality"] for result in answer.json()["results"]]

        assert send(20, 24, 31) == ["counted", "repeated", "counted"]
        assert send(11, 9, 41) == ["repeated", "counted", "counted"]
        assert Touch.objects.count() == 6

    def test_tells_kinds_links_and_visitors_apart(self) -> None:
        link, other = make.link(), make.link()
        events = [event(link), event(other), event(link, kind="visit"), event(link, visitor="v-2")]

        make.report_reader().post("/touches", {"events": events})

        assert set(Touch.objects.values_list("quality", flat=True)) == {"counted"}

    def test_tells_machines_by_what_they_call_themselves_and_forgets_the_name(self) -> None:
        events = [
            event(make.link(), user_agent=agent)
            for agent in ("Bytespider; spider-feedback@bytedance.com", "", "MicroMessenger/8.0.42")
        ]

        answer = make.report_reader().post("/touches", {"events": events})

        qualities = [r["quality"] for r in answer.json()["results"]]
        assert qualities == ["bot", "bot", "counted"]
        assert not [f.name for f in Touch._meta.fields if "agent" in f.name or f.name == "ip"]

    def test_keeps_flagged_touches_out_of_credit(self) -> None:
        link = make.link()
        make.report_reader().post(
            "/touches", {"events": [event(link, visitor="v-bot", user_agent="Googlebot/2.1")]}
        )

        member = make.member(visitor_id="v-bot", now=timezone.now())

        assert member.acquisition.channel.code == "organic"

    @pytest.mark.parametrize("kind", ["group_join", "share_open"])
    def test_credits_joining_a_group_and_opening_a_share(self, kind: str) -> None:
        link = make.link("community")
        make.report_reader().post("/touches", {"events": [event(link, kind=kind)]})

        member = make.member(visitor_id="v-1", now=timezone.now())

        assert member.acquisition.last_link == link
