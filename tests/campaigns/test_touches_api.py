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


class TestBatch:
    def test_says_what_was_new(self) -> None:
        reader, link = make.report_reader(), make.link()
        events = [event(link), event(link, kind="visit")]

        first = reader.post("/touches", {"events": events}, key=None)
        again = reader.post("/touches", {"events": [*events, event(link)]}, key=None)

        assert first.json() == {"accepted": 2, "duplicates": 0}
        assert again.json() == {"accepted": 1, "duplicates": 2}
        assert Touch.objects.count() == 3

    def test_counts_an_event_once_that_it_carries_twice(self) -> None:
        twin = event(make.link())

        answer = make.report_reader().post("/touches", {"events": [twin, twin]})

        assert answer.json() == {"accepted": 1, "duplicates": 1}

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

        inserts = [s for s in statements.captured_queries if "campaigns_touch" in s["sql"]]
        assert answer.json()["accepted"] == 500
        assert len(inserts) == 1

    def test_is_at_most_five_hundred_and_at_least_one(self) -> None:
        reader, link = make.report_reader(), make.link()

        for events in ([], [event(link) for _ in range(501)]):
            assert reader.post("/touches", {"events": events}).status_code == 400
        assert not Touch.objects.exists()

    def test_bears_a_clock_that_is_a_little_fast_and_no_more(self) -> None:
        reader, link = make.report_reader(), make.link()
        soon = (timezone.now() + timedelta(minutes=4)).isoformat()
        later = (timezone.now() + timedelta(minutes=6)).isoformat()

        taken = reader.post("/touches", {"events": [event(link, occurred_at=soon)]})
        refused = reader.post("/touches", {"events": [event(link), event(link, occurred_at=later)]})

        assert taken.json()["accepted"] == 1
        assert refused.json()["errors"][0]["pointer"] == "/events/1/occurred_at"
        assert Touch.objects.count() == 1

    def test_names_every_event_that_cannot_be_used(self) -> None:
        reader, link = make.report_reader("SH001"), make.link()
        elsewhere = make.link(at="SH002")
        events = [event(link, link="NOPE"), event(link), event(elsewhere)]

        answer = reader.post("/touches", {"events": events})

        pointers = [error["pointer"] for error in answer.json()["errors"]]
        assert pointers == ["/events/0/link", "/events/2/link"]
        assert not Touch.objects.exists()

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
