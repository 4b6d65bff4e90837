"""The development servers: everything that ``make run`` starts, watches and stops.

``python -m shop.config.run`` runs the whole shop until Ctrl-C.
``python -m shop.config.run with-servers -- COMMAND`` runs one command beside throw-away servers.
``python -m shop.config.run clean`` forgets all local data.

PostgreSQL and Valkey are our own unless DATABASE_URL or REDIS_URL name others.
"""

import argparse
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import environ

from shop.config import translations
from shop.config.embedded import Servers, ephemeral, free_port
from shop.config.processes import CannotStart, Process, follow_parent, locked, spawn, wait_until

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120
STOP_SECONDS = 20
LOG_LEVEL = ["--loglevel=WARNING"]


class StopAsked(Exception):
    """Somebody pressed Ctrl-C, or sent TERM."""


class StopRequests:
    """Turns signals into an exception at moments of our choosing, so that nothing is half done."""

    def __init__(self) -> None:
        self._asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._remember)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._remember)

    def check(self) -> None:
        """Raise StopAsked if a signal has come."""
        if self._asked:
            raise StopAsked

    def pause(self) -> None:
        """Sleep a moment, unless a signal has come."""
        self.check()
        time.sleep(0.1)

    def _remember(self, number: int, frame: object) -> None:
        self._asked = True


class Shop:
    """All processes of a development shop, in the order in which they start."""

    def __init__(self, var: Path, *, host: str, port: int, requests: StopRequests) -> None:
        self.var = var
        self.host = host
        self.port = port
        self.requests = requests
        self.servers = Servers(var)
        self.programs: list[Process] = []
        self.env = dict(os.environ) | {
            "HUIGAN_VAR": str(var),
            "WEB_HOST": host,
            "PORT": str(port),
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self) -> None:
        """Start everything, and return when the shop takes requests."""
        started = time.monotonic()
        check_port_is_free(self.host, self.port)
        self._start_servers()
        self._prepare()
        self._start_programs()
        self._wait_until_ready()
        self._welcome(time.monotonic() - started)

    def watch(self) -> None:
        """Return never; raise StopAsked, or CannotStart when a process is gone."""
        while True:
            self._check_processes()
            self.requests.pause()

    def stop(self) -> None:
        """Stop everything in order, those that use a server before the server."""
        for process in reversed([*self.servers.processes, *self.programs]):
            say(f"  {process.name} stopped ({process.stop(patience_seconds=STOP_SECONDS)})")
        self._env_file.unlink(missing_ok=True)

    @property
    def _env_file(self) -> Path:
        return self.var / "env"

    def _start_servers(self) -> None:
        if not self.env.get("DATABASE_URL"):
            say("Starting PostgreSQL …")
            self.env["DATABASE_URL"] = self.servers.start_postgres()
            self.requests.check()
        if not self.env.get("REDIS_URL"):
            say("Starting Valkey …")
            self.env["REDIS_URL"] = self.servers.start_valkey()
        if self._is_demo() and not self.env.get("SANDBOX_URL"):
            self._start_sandbox()
        self._write_env()

    def _start_sandbox(self) -> None:
        """Start the stand-ins of the platforms, on any port that is free."""
        port = free_port()
        self.env["SANDBOX_URL"] = f"http://127.0.0.1:{port}"
        self._start("sandbox", "-m", "shop.config.sandbox.server", f"--port={port}")

    def _write_env(self) -> None:
        """Leave the addresses where the settings of `manage.py shell` look for them."""
        names = ["DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "SANDBOX_URL"]
        self._env_file.unlink(missing_ok=True)
        with os.fdopen(os.open(self._env_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.writelines(f"{name}='{self.env.get(name, '')}'\n" for name in names)

    def _prepare(self) -> None:
        """Bring texts and database up to date; fill an empty one with the demo shop."""
        translations.compile_all()
        (self.var / "static").mkdir(exist_ok=True)  # where the settings expect collected files
        say("Migrating the database …")
        self._manage("migrate", "--no-input", "--verbosity=0")
        if self._is_demo():
            self._manage("seed_demo", "--if-empty")

    def _start_programs(self) -> None:
        say("Starting web, worker and beat …")
        celery = ["-m", "celery", "--app"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self._start("web", "-m", "gunicorn", "-c", "shop/config/gunicorn.py", "shop.config.wsgi")
        # Threads take half the memory of processes. Only processes can enforce a job's time limit,
        # so a server in production uses those.
        threads = ["--pool=threads", "--concurrency=2"]
        self._start("worker", *celery, "shop.config", "worker", *threads, *quiet, *LOG_LEVEL)
        schedule = f"--schedule={self.var / 'beat-schedule'}"
        beat = ["shop.config.beat", "beat", "--pidfile=", schedule]
        self._start("beat", *celery, *beat, *LOG_LEVEL)

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, *arguments]
        self.programs.append(
            Process(name, command, directory=self.var, env=self.env, cwd=ROOT),
        )

    def _wait_until_ready(self) -> None:
        if not wait_until(self._is_ready, seconds=READY_SECONDS, pause=self.requests.pause):
            raise CannotStart(
                f"The shop is not ready after {READY_SECONDS} s; see {self._url('/readyz')} "
                f"and {self.var / 'log'}."
            )

    def _is_ready(self) -> bool:
        self._check_processes()
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104
        connection = http.client.HTTPConnection(host, self.port, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        return False

    def _check_processes(self) -> None:
        for process in [*self.servers.processes, *self.programs]:
            if not process.is_running():
                raise CannotStart(
                    f"{process.name} stopped by itself ({process.fate()}). "
                    f"The end of {process.log}:\n{process.last_lines()}"
                )

    def _welcome(self, seconds: float) -> None:
        say(f"\nHuigan 回甘 is ready ({seconds:.1f} s)")
        if self._is_demo():
            self._manage("demo_logins")
        else:
            say(f"  back office   {self._url('/admin/')}\n  API docs      {self._url('/api/docs')}")
        say(f"\nLogs are in {self.var / 'log'}. Ctrl-C stops everything.")

    def _url(self, path: str) -> str:
        return self.env["PUBLIC_URL"].rstrip("/") + path

    def _is_demo(self) -> bool:
        """Return what the settings will make of DEMO, which follows DEBUG."""
        debug = self.env.get("DEBUG", "true")
        return self.env.get("DEMO", debug).lower() in environ.Env.BOOLEAN_TRUE_STRINGS

    def _manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        code = run_to_end(command, env=self.env, requests=self.requests)
        if code != 0:
            raise CannotStart(f"'manage.py {' '.join(arguments)}' failed (exit code {code}).")


def run_shop(var: Path) -> int:
    """Run the shop until somebody stops it; return the exit code."""
    requests = StopRequests()
    host = os.environ.get("WEB_HOST") or "127.0.0.1"
    port = port_from(os.environ.get("PORT") or "8000")
    with locked(var):
        shop = Shop(var, host=host, port=port, requests=requests)
        try:
            shop.start()
            shop.watch()
        except StopAsked:
            say("\nStopping …")
        except CannotStart as problem:
            say(f"\n{problem}\n")
            return 1
        finally:
            shop.stop()
    return 0


def run_with_servers(command: Sequence[str]) -> int:
    """Run a command beside throw-away servers; return its exit code."""
    requests = StopRequests()
    try:
        with ephemeral() as env:
            return run_to_end(command, env=os.environ | env, requests=requests)
    except StopAsked:
        return 128 + signal.SIGINT


def clean(var: Path) -> int:
    """Forget the embedded databases, logs and everything else of a directory."""
    with locked(var):
        Servers(var).remove()
    return 0


def run_to_end(command: Sequence[str], *, env: Mapping[str, str], requests: StopRequests) -> int:
    """Run a command in the foreground; return its exit code.

    Raises:
        StopAsked: a signal came, and the command was stopped.
    """
    running = spawn(command, env=env, cwd=ROOT)
    try:
        while running.poll() is None:
            requests.pause()
    except StopAsked:
        running.terminate()
        with suppress(subprocess.TimeoutExpired):
            running.wait(STOP_SECONDS)
        running.kill()
        raise
    return running.wait()


def check_port_is_free(host: str, port: int) -> None:
    """Look before anything starts, because the web server would find out last.

    Raises:
        CannotStart: the port is taken, or not ours to take.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise CannotStart(
                f"Port {port} cannot be used: {problem.strerror}.\n"
                f"Choose another: make run PORT={port + 1}"
            ) from None


def port_from(text: str) -> int:
    """Return the number of a port.

    Raises:
        CannotStart: there is no such port.
    """
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise CannotStart(f"PORT={text} is not a port number; try PORT=8000.")
    return int(text)


def say(text: str) -> None:
    """Tell the person at the terminal, who may have closed it."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main() -> int:
    """Do what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shop.config.run")
    parser.add_argument(
        "--with-parent",
        action="store_true",
        help="stop when the process that started this one is gone, even by kill -9 (Linux)",
    )
    actions = parser.add_subparsers(dest="action")
    with_servers = actions.add_parser(
        "with-servers", help="run a command beside throw-away servers"
    )
    with_servers.add_argument("command", nargs="+")
    actions.add_parser("clean", help="forget the embedded databases, logs and other local files")
    options = parser.parse_args()
    if options.with_parent:
        follow_parent(signal.SIGTERM)
    try:
        if options.action == "with-servers":
            return run_with_servers(options.command)
        var = Path(os.environ.get("HUIGAN_VAR") or ROOT / "var").resolve()
        return clean(var) if options.action == "clean" else run_shop(var)
    except CannotStart as problem:
        say(str(problem))
    except PermissionError as problem:
        say(f"{problem.filename} cannot be used: it belongs to somebody else. Remove it, or name")
        say("a directory of your own: HUIGAN_VAR=<directory>")
    return 1


if __name__ == "__main__":
    sys.exit(main())
