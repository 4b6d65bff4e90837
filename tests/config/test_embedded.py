"""The embedded servers: started, restarted, killed, and out of reach."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from shop.config import binaries, embedded
from shop.config.embedded import Servers
from shop.config.processes import CannotStart, command_line, locked, stop_leftovers, wait_until

pytestmark = pytest.mark.slow  # every start costs a second

ROOT = Path(__file__).resolve().parents[2]
START_AND_WAIT = """
import sys, time
from pathlib import Path
from shop.config.embedded import Servers

servers = Servers(Path(sys.argv[1]), durable=False)
servers.start_postgres()
servers.start_valkey()
print(*[process.pid for process in servers.processes], flush=True)
time.sleep(60)
"""

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux only")
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's servers change their user")


@contextmanager
def servers_in(directory: Path) -> Iterator[Servers]:
    """Yield servers that are stopped at the end; their data stays."""
    servers = Servers(directory, durable=False)
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory whose data is removed, wherever it had to go."""
    yield tmp_path / "var"
    Servers(tmp_path / "var").remove()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place that everybody can enter, instead of /var/tmp."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    monkeypatch.setattr(binaries, "PUBLIC_DIR", place)
    yield place
    shutil.rmtree(place)


def record(directory: Path, process: subprocess.Popen[bytes], *, arguments: str) -> None:
    """Leave the pid file that a killed supervisor would have left."""
    assert wait_until(lambda: bool(command_line(process.pid)), seconds=5)  # it is a moment late
    (directory / "run").mkdir()
    (directory / "run" / "web.pid").write_text(f"{process.pid} 15 {arguments}")


class TestPostgres:
    def test_keeps_data_over_a_restart(self, directory: Path) -> None:
        with servers_in(directory) as servers, psycopg.connect(servers.start_postgres()) as tea:
            tea.execute("CREATE TABLE tea AS SELECT 'oolong' AS name")

        with servers_in(directory) as servers, psycopg.connect(servers.start_postgres()) as tea:
            assert tea.execute("SELECT name FROM tea").fetchone() == ("oolong",)

    def test_starts_after_an_interrupted_first_start(self, directory: Path) -> None:
        with servers_in(directory) as servers:
            (servers.home / "postgres18.new").mkdir()
            (servers.home / "postgres18.new" / "PG_VERSION").touch()

            assert servers.start_postgres().endswith("/huigan")

    def test_starts_when_a_stranger_has_the_number_of_a_killed_server(
        self, directory: Path
    ) -> None:
        with servers_in(directory) as servers:
            servers.start_postgres()
        (data,) = servers.home.glob("postgres*[0-9]")
        (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")

        with servers_in(directory) as servers:
            assert servers.start_postgres().endswith("/huigan")

    def test_lets_nobody_in_without_the_password(self, directory: Path) -> None:
        with servers_in(directory) as servers:
            url = servers.start_postgres()

            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(url, password="wrong")

    def test_says_why_it_did_not_start(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with servers_in(directory) as servers:
            servers.start_postgres()
            servers.stop()
            broken = {"port": "none"}
            monkeypatch.setattr(servers, "_postgres_settings", lambda port: broken)

            with pytest.raises(CannotStart, match='invalid value for parameter "port"'):
                servers.start_postgres()


class TestValkey:
    def test_lets_nobody_in_without_the_password(self, directory: Path) -> None:
        with (
            servers_in(directory) as servers,
            redis.Redis.from_url(servers.start_valkey()) as known,
        ):
            port = known.connection_pool.connection_kwargs["port"]

            assert known.ping()
            with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
                stranger.ping()

    def test_takes_another_port_when_one_is_snatched(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with servers_in(directory) as servers:
            taken = int(servers.start_valkey().rsplit(":", 1)[1].split("/")[0])
            ports = iter([taken, embedded.free_port()])
            monkeypatch.setattr(embedded, "free_port", lambda: next(ports))
            monkeypatch.setattr(embedded, "_answers_tcp", lambda port: port != taken)

            assert str(taken) not in servers.start_valkey()


class TestKilledSupervisor:
    @only_linux
    def test_leaves_no_process(self, directory: Path) -> None:
        command = [sys.executable, "-c", START_AND_WAIT, str(directory)]
        supervisor = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603
        with supervisor:
            assert supervisor.stdout is not None  # it is a pipe
            servers = [int(pid) for pid in supervisor.stdout.readline().split()]
            supervisor.kill()

        assert len(servers) == 2
        assert wait_until(lambda: not any(command_line(pid) for pid in servers), seconds=10)

    def test_leftover_is_stopped_by_the_next_start(self, tmp_path: Path) -> None:
        with subprocess.Popen(["/bin/sleep", "60"]) as leftover:
            record(tmp_path, leftover, arguments="60")

            stop_leftovers(tmp_path)

            assert leftover.wait() == -signal.SIGTERM

    def test_stranger_with_the_number_of_a_leftover_is_left_alone(self, tmp_path: Path) -> None:
        with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
            record(tmp_path, stranger, arguments="-m gunicorn")

            stop_leftovers(tmp_path)

            assert stranger.poll() is None
            stranger.kill()


class TestPrivateHome:
    @only_root
    def test_data_goes_where_the_servers_account_can_enter(self, directory: Path) -> None:
        directory.parent.chmod(0o700)

        with servers_in(directory) as servers:
            assert servers.home.parent == binaries.PUBLIC_DIR
            assert servers.start_postgres().endswith("/huigan")

        assert directory.parent.stat().st_mode & 0o777 == 0o700

    @only_root
    def test_programs_are_copied_with_what_lies_beside_them(
        self, tmp_path: Path, public: Path
    ) -> None:
        library = tmp_path / "libs" / "greeting"
        program = tmp_path / "package" / "bin" / "greet"
        library.parent.mkdir()
        program.parent.mkdir(parents=True)
        library.write_text("hello")
        program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../libs/greeting"\n')
        program.chmod(0o700)
        tmp_path.chmod(0o700)
        account = binaries.server_account()

        umask = os.umask(0o077)
        copy = binaries.within_reach(
            program, account=account, trees=[program.parent, library.parent]
        )
        os.umask(umask)

        assert copy.is_relative_to(public)
        assert account is not None
        assert binaries.can_run([str(copy)], account)

    @only_root
    @pytest.mark.usefixtures("public")
    def test_directory_of_somebody_else_is_refused(self) -> None:
        os.chown(binaries.own_public_directory("data"), 12345, 12345)

        with pytest.raises(CannotStart, match="somebody else"):
            binaries.own_public_directory("data")


class TestPrograms:
    def test_named_ones_come_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = binaries.find_postgres_binaries()
        monkeypatch.setenv("PG_BIN", str(found))
        monkeypatch.setenv("VALKEY_BIN", "/bin/true")

        assert binaries.find_postgres_binaries() == found
        assert binaries.find_valkey_binary() == Path("/bin/true")

    def test_wrong_name_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PG_BIN", "/nowhere")

        with pytest.raises(CannotStart, match="PG_BIN"):
            binaries.find_postgres_binaries()

    def test_none_at_all_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VALKEY_BIN", raising=False)
        monkeypatch.setattr(binaries, "_package", lambda name: [])
        monkeypatch.setenv("PATH", "")

        with pytest.raises(CannotStart, match="REDIS_URL"):
            binaries.find_valkey_binary()


class TestLock:
    def test_second_holder_is_told_who_is_first(self, tmp_path: Path) -> None:
        told = pytest.raises(CannotStart, match=f"process {os.getpid()},")
        with locked(tmp_path), told, locked(tmp_path):
            pass

    def test_directories_of_killed_test_runs_are_removed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
        abandoned, in_use, recent = (tmp_path / f"huigan-test-{name}" for name in "abc")
        for directory in (abandoned, in_use, recent):
            directory.mkdir()
        for directory in (abandoned, in_use):
            os.utime(directory, (time.time() - 7200,) * 2)

        with locked(in_use):
            os.utime(in_use, (time.time() - 7200,) * 2)
            embedded._sweep_abandoned()

        assert [path.exists() for path in (abandoned, in_use, recent)] == [False, True, True]
