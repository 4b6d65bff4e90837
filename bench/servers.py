"""The servers of one benchmark: PostgreSQL, Valkey and the web server as production runs them."""

import http.client
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench import cpu
from shop.config.binaries import PUBLIC_DIR
from shop.config.embedded import Servers, free_port
from shop.config.processes import CannotStart, Process, locked, wait_until

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class DataStores:
    """Running throw-away servers, and where to reach them."""

    directory: Path
    database_url: str
    redis_url: str
    postgres_pid: int

    def use(self) -> None:
        """Point this process and its children at the servers, with the settings of production."""
        os.environ |= {
            "HUIGAN_VAR": str(self.directory),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DJANGO_SETTINGS_MODULE": "shop.config.settings",
            "DEBUG": "0",  # with it on, Django keeps every statement: slower by a third
            "DEMO": "0",
            "SECRET_KEY": secrets.token_hex(32),
            "LOOKUP_PEPPER": secrets.token_hex(32),
            "FIELD_KEYS": f"k1:{secrets.token_hex(32)}",
            "PAYMENT_PROVIDER_SECRET": secrets.token_hex(32),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "0",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Web:
    """A running web server."""

    port: int
    master_pid: int

    def workers(self) -> list[int]:
        """Return the pids of its workers."""
        return [pid for pid in cpu.family(self.master_pid) if pid != self.master_pid]


@contextmanager
def data_stores() -> Iterator[DataStores]:
    """Run throw-away PostgreSQL and Valkey that keep every promise of durability.

    Their files lie on a disk, not under /tmp, which may be memory: an fsync must cost its price.
    """
    directory = Path(tempfile.mkdtemp(prefix="huigan-bench-", dir=PUBLIC_DIR))
    directory.chmod(0o755)  # our own, and empty: the servers' account must be able to enter
    (directory / "static").mkdir()
    servers = Servers(directory, durable=True)
    try:
        with locked(directory):
            database_url = servers.start_postgres()
            (postgres,) = servers.processes
            yield DataStores(
                directory=directory,
                database_url=database_url,
                redis_url=servers.start_valkey(),
                postgres_pid=postgres.pid,
            )
    finally:
        servers.stop()
        servers.remove()


@contextmanager
def web(directory: Path) -> Iterator[Web]:
    """Run the web server with the settings it has in production."""
    port = free_port()
    command = ["-m", "gunicorn", "-c", "shop/config/gunicorn.py", "shop.config.wsgi"]
    env = os.environ | {"PORT": str(port), "HOST": "127.0.0.1"}
    process = Process("web", [sys.executable, *command], directory=directory, env=env, cwd=ROOT)
    try:
        is_up = wait_until(
            lambda: not process.is_running() or _answers(port), seconds=START_SECONDS
        )
        if not (is_up and process.is_running()):
            raise CannotStart(f"The web server did not start:\n{process.last_lines(40)}")
        yield Web(port=port, master_pid=process.pid)
    finally:
        process.stop()


def manage(*arguments: str) -> None:
    """Run a management command to its end."""
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, check=True)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    return False
