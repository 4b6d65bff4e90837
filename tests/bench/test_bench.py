"""The benchmark measures what it says: its calls succeed, its data are true, its clocks run."""

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bench import cpu, economics, history, load, measuring, seeding
from shop.storefront.invariants import suite
from shop.storefront.rollups import upkeep

MEMBERS = 20


def send(request: bytes) -> Any:
    """Return Django's answer to the bytes of a request."""
    head, _, body = request.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _version = first.split()
    headers = dict(line.split(": ", 1) for line in lines)
    kind = headers.pop("Content-Type", "application/json")
    del headers["Host"]
    return Client().generic(method, path, body, content_type=kind, headers=headers)


@pytest.mark.django_db
class TestSeeding:
    def test_makes_every_measured_call_succeed(self) -> None:
        tills = seeding.Tills(seeding.seed(members=MEMBERS, now=timezone.now()))
        quote = json.loads(send(next(tills.quotes(0))).content)
        tills.total_cents = quote["total_cents"]

        answers = {
            call.name: (send(next(call.requests(0))).status_code, call.status)
            for call in measuring.our_calls(tills)
        }

        assert quote["refusals"] == []
        assert quote["points_spent"] == seeding.POINTS_SPENT
        for name, (status, expected) in answers.items():
            assert status == expected, name

    def test_leaves_the_database_true_to_itself(self) -> None:
        tills = seeding.Tills(seeding.seed(members=MEMBERS, now=timezone.now()))
        quote = json.loads(send(next(tills.quotes(0))).content)
        tills.total_cents = quote["total_cents"]
        send(next(tills.settlements(0)))

        assert [finding.name for finding in suite.check_all(now=timezone.now()).broken] == []


@pytest.mark.django_db
@pytest.mark.slow
def test_history_is_told_alike_by_roll_ups_and_orders() -> None:
    """The comparison that the bench makes at any size; it raises where a number differs."""
    history.write(orders=1600)
    history.mark_everything()
    upkeep.refresh()

    timings = economics.measure(rounds=1)

    assert [timing.days for timing in timings] == [30, 30, 30, 365, 365, 365]


class Echo(BaseHTTPRequestHandler):
    """Answers everything, on a connection that stays open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_arguments: Any) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


class TestLoad:
    def test_counts_and_times_every_answer(self, port: int) -> None:
        calls = [repeat(load.request("GET", "/"))] * 3

        outcome = load.run(port, calls, seconds=0.1)

        assert outcome.calls == len(outcome.latencies) == outcome.statuses[200] > 3
        assert outcome.elapsed_seconds >= 0.1
        assert outcome.percentile_ms(50) <= outcome.percentile_ms(99)


class TestCpu:
    def test_sees_the_work_of_a_process_and_its_family(self) -> None:
        before = cpu.seconds(os.getpid())
        while cpu.seconds(os.getpid()) < before + 0.02:
            sum(range(10_000))

        assert os.getpid() in cpu.family(os.getppid())
        assert cpu.resident_mb(os.getpid()) > 10
