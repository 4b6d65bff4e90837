"""Child processes that stop when asked, and never outlive the one who started them."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child that has changed its user may not be able to import any more.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class CannotStart(Exception):
    """Something a person must mend first; the message says what and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user and group a server runs as when that is not our own."""

    uid: int
    gid: int


class Identity(TypedDict, total=False):
    """The arguments by which subprocess changes the user of a child."""

    user: int
    group: int
    extra_groups: list[int]


def identity(account: Account | None) -> Identity:
    """Return the arguments that make a child run as `account`; None means as ourselves."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def follow_parent(stop_signal: signal.Signals) -> None:
    """Ask the kernel to signal this process when its parent goes away, even by kill -9 (Linux)."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, stop_signal)


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, tied to the life of this process.

    The own session keeps the terminal's Ctrl-C away from the child: the one who started it decides
    when and in which order children stop.
    """
    return subprocess.Popen(  # noqa: S603  the commands are our own
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=partial(_follow, os.getpid(), stop_signal),  # noqa: PLW1509  the main thread forks
        **identity(account),
    )


def capture(
    command: Sequence[str], *, account: Account | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end and keep what it says; a failure is the caller's to judge.

    The terminal's Ctrl-C does not reach it, so that it ends as it should.
    """
    return subprocess.run(  # noqa: S603  the commands are our own
        command,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        **identity(account),
    )


class Process:
    """A long-running child with a log and a pid file.

    The pid file lets the next start find a child that outlived a killed supervisor, which happens
    where the kernel does not tie children to their parents (macOS).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        directory: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.stop_signal = stop_signal
        self.log = directory / "log" / f"{name}.log"
        self._pid_file = directory / "run" / f"{name}.pid"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)

        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as output:
            self._popen = spawn(
                command,
                env=env,
                cwd=cwd,
                output=output.fileno(),
                account=account,
                stop_signal=stop_signal,
            )
        _write_whole(self._pid_file, f"{self.pid} {stop_signal.value} {' '.join(command[1:])}")

    @property
    def pid(self) -> int:
        return self._popen.pid

    def is_running(self) -> bool:
        """Return whether the child still runs."""
        return self._popen.poll() is None

    def fate(self) -> str:
        """Say how the child ended, for people."""
        code = self._popen.poll()
        if code is None:
            return "still running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def stop(self, *, patience_seconds: float = 20) -> str:
        """Stop the child and whatever it started; return how it ended."""
        if self.is_running():
            self._popen.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(patience_seconds)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # also the children of one that died alone
        self._popen.wait()
        self._pid_file.unlink(missing_ok=True)
        return self.fate()

    def last_lines(self, count: int = 15) -> str:
        """Return the end of the log, where the reason of a crash stands."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-count:]) or "    (the log is empty)"


def stop_leftovers(directory: Path) -> None:
    """Stop what a killed supervisor of this directory left running, last started first."""
    pid_files = (directory / "run").glob("*.pid")
    for pid_file in sorted(pid_files, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        _stop_leftover(pid_file)
        pid_file.unlink()


def command_line(pid: int) -> str:
    """Return the arguments of a running process; empty if there is none."""
    if sys.platform == "linux":
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return ""
    return capture(["ps", "-ww", "-o", "args=", "-p", str(pid)]).stdout


def wait_until(
    condition: Callable[[], bool], *, seconds: float, pause: Callable[[], None] | None = None
) -> bool:
    """Return whether the condition became true in time; `pause` is what to do between two looks."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        (pause or _short_sleep)()
    return True


@contextmanager
def locked(directory: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold a directory for this process alone; the lock goes with the process, however it ends.

    Raises:
        CannotStart: another process holds it, and we were not to wait.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"Already running (process {lock.read() or 'unknown'}, files in {directory}).\n"
                "Stop that one, or give this one its own: HUIGAN_VAR=<directory> PORT=<port>"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _short_sleep() -> None:
    time.sleep(0.02)


def _stop_leftover(pid_file: Path) -> None:
    """Stop the process of a pid file, unless a stranger has its number by now."""
    pid, stop_signal, arguments = pid_file.read_text().split(" ", maxsplit=2)
    if arguments in command_line(int(pid)):
        os.kill(int(pid), int(stop_signal))
        wait_until(lambda: arguments not in command_line(int(pid)), seconds=20)


def _write_whole(path: Path, text: str) -> None:
    """Write a file in one step; a reader after a crash finds all of it or nothing."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.replace(path)


def _follow(parent: int, stop_signal: signal.Signals) -> None:
    """Tie a new child to its parent; runs after the change of user, which would undo it."""
    follow_parent(stop_signal)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)
