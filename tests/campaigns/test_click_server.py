"""What becomes of clicks when a real web server is stopped, killed, or loses its database."""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest
from django.db import connection

from campaigns.models import Touch
from shop.config.embedded import free_port
from shop.config.processes import Process, wait_until
from tests import make

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {"User-Agent": "MicroMessenger/8.0.42"}


@dataclass
class Line:
    """A telephone line to the database that can be cut."""

    port: int
    target: tuple[str, int]
    is_cut: bool = False
    sockets: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        """Connect callers while the line is whole."""
        while True:
            try:
                caller, _address = listener.accept()
            except OSError:
                return
            if self.is_cut:
                caller.close()
                continue
            callee = socket.create_connection(self.target)
            self.sockets += [caller, callee]
            for one, other in ((caller, callee), (callee, caller)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()

    def cut(self) -> None:
        """Hang up every call and take no new ones."""
        self.is_cut = True
        for end in self.sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)


@dataclass
class Server:
    """A web server with one worker, and the line it has to the database."""

    port: int
    process: Process
    line: Line

    def worker_pid(self) -> int:
        """Return the process that serves."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])


@contextmanager
def running(directory: Path) -> Iterator[Server]:
    """Run gunicorn as production does, on the database of the tests."""
    database = urlsplit(os.environ["DATABASE_URL"])
    listener = socket.create_server(("127.0.0.1", 0))
    line = Line(listener.getsockname()[1], (str(database.hostname), int(database.port or 5432)))
    threading.Thread(target=line.serve, args=(listener,), daemon=True).start()
    netloc = f"{database.username}:{database.password}@127.0.0.1:{line.port}"
    name = connection.settings_dict["NAME"]
    port = free_port()
    env = os.environ | {
        "DATABASE_URL": urlunsplit(database._replace(netloc=netloc, path=f"/{name}")),
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "DJANGO_SETTINGS_MODULE": "shop.config.settings",
        "CLICKS_DIR": str(directory / "clicks"),
    }
    command = ["-m", "gunicorn", "-c", "shop/config/gunicorn.py", "shop.config.wsgi"]
    process = Process("web", [sys.executable, *command], directory=directory, env=env, cwd=ROOT)
    try:
        assert wait_until(lambda: _is_up(port), seconds=60), process.last_lines(40)
        yield Server(port, process, line)
    finally:
        process.stop()
        listener.close()
        connection.close()  # the line's threads are not ours, but the rows are


def _is_up(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException):
        caller = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        caller.request("GET", "/healthz")
        return caller.getresponse().status == http.client.OK
    return False


class Guests:
    """People who click one after the other, each with a name of their own and a time."""

    def __init__(self, port: int, code: str) -> None:
        self.caller = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.path = f"/t/{code}"
        self.answered: dict[str, float] = {}
        self.slowest = 0.0

    def click(self) -> None:
        """Click, and note who was redirected when."""
        started = time.monotonic()
        self.caller.request("GET", self.path, headers=HEADERS)
        answer = self.caller.getresponse()
        answer.read()
        assert answer.status == http.client.FOUND
        query = parse_qs(urlsplit(str(answer.headers["Location"])).query)
        now = time.monotonic()
        self.slowest = max(self.slowest, now - started)
        self.answered[query["visitor"][0]] = now

    def click_for(self, seconds: float, *, pause: float = 0.002) -> None:
        """Click all the time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.click()
            time.sleep(pause)

    def click_until_hung_up(self) -> None:
        """Click until the server is gone."""
        with suppress(OSError, http.client.HTTPException):
            while True:
                self.click()
        self.caller.close()


def stored() -> set[str]:
    return set(Touch.objects.values_list("visitor_id", flat=True))


def test_a_graceful_stop_loses_none(tmp_path: Path) -> None:
    link = make.link()
    with running(tmp_path) as server:
        guests = Guests(server.port, link.code)
        for _guest in range(300):
            guests.click()

        os.kill(server.process.pid, signal.SIGTERM)
        assert wait_until(lambda: not server.process.is_running(), seconds=20)

        assert stored() == set(guests.answered)


def test_a_kill_in_the_middle_of_a_rush_loses_none(tmp_path: Path) -> None:
    """Whoever was redirected has their line on disk, which the next worker writes.

    Without `Spool.add` in `clicks.record` the clicks of the last moment are gone.
    """
    link = make.link()
    with running(tmp_path) as server:
        crowd = [Guests(server.port, link.code) for _guest in range(4)]
        for _kill in range(2):
            doomed = server.worker_pid()
            rush = [threading.Thread(target=guests.click_until_hung_up) for guests in crowd]
            for guests in rush:
                guests.start()
            time.sleep(0.7)
            os.kill(doomed, signal.SIGKILL)
            for guests in rush:
                guests.join()
            assert wait_until(lambda: _is_up(server.port), seconds=30)

        answered = set().union(*(guests.answered for guests in crowd))
        assert len(answered) > 200
        assert wait_until(lambda: answered <= stored(), seconds=20), len(answered - stored())
        assert Touch.objects.count() == len(stored())


def test_a_kill_while_the_database_is_away_loses_none(tmp_path: Path) -> None:
    link = make.link()
    with running(tmp_path) as server:
        guests = Guests(server.port, link.code)
        guests.click_for(0.5)
        server.line.cut()
        guests.click_for(0.5)
        os.kill(server.worker_pid(), signal.SIGKILL)
        server.line.is_cut = False

        assert wait_until(lambda: set(guests.answered) <= stored(), seconds=40)


def test_ten_seconds_without_the_database_lose_none_and_keep_nobody_waiting(
    tmp_path: Path,
) -> None:
    link = make.link()
    with running(tmp_path) as server:
        guests = Guests(server.port, link.code)
        guests.click_for(1.0)
        server.line.cut()

        guests.slowest = 0.0
        guests.click_for(10.0, pause=0.01)
        slowest, while_cut = guests.slowest, stored()
        server.line.is_cut = False

        assert wait_until(lambda: stored() == set(guests.answered), seconds=20)
        assert len(while_cut) < len(guests.answered)
        assert slowest < 1.0
