"""The development supervisor's command line; `make run` itself is tried from a clean clone."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shop.config import run
from shop.config.embedded import Servers, free_port
from shop.config.processes import CannotStart, command_line, wait_until

ROOT = Path(__file__).resolve().parents[2]


def supervisor(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the supervisor to its end."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "shop.config.run", *arguments],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def running_shop(var: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a supervisor whose shop takes requests: with servers of its own, without demo data."""
    env = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    shop = subprocess.Popen(
        [sys.executable, "-m", "shop.config.run"],
        cwd=ROOT,
        env=env | {"HUIGAN_VAR": str(var), "PORT": str(free_port()), "DEMO": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with shop:
        assert shop.stdout is not None  # it is a pipe
        said = []
        for line in shop.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        else:
            pytest.fail("".join(said))
        yield shop
    Servers(var).remove()


def pids(var: Path) -> list[int]:
    """Return the processes that a supervisor has started and not yet stopped."""
    return [int(file.read_text().split()[0]) for file in (var / "run").glob("*.pid")]


class TestPort:
    def test_taken_one_is_told_before_anything_starts(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = supervisor(PORT=str(port), HUIGAN_VAR=str(tmp_path))

        assert done.returncode == 1
        assert f"Port {port} cannot be used" in done.stdout
        assert f"PORT={port + 1}" in done.stdout
        assert "Starting" not in done.stdout

    @pytest.mark.parametrize("text", ["tea", "0", "65536", "-1"])
    def test_nonsense_is_told(self, text: str) -> None:
        with pytest.raises(CannotStart, match=f"PORT={text} is not a port number"):
            run.port_from(text)


class TestWithServers:
    def test_passes_the_addresses_and_the_exit_code_on(self) -> None:
        done = supervisor("with-servers", "--", "sh", "-c", "echo $DATABASE_URL; exit 3")

        assert done.returncode == 3
        assert done.stdout.startswith("postgresql://")


class TestShop:
    def test_a_program_that_dies_is_named_with_the_end_of_its_log(self, tmp_path: Path) -> None:
        shop = run.Shop(tmp_path, host="127.0.0.1", port=1, requests=run.StopRequests())
        shop._start("worker", "-c", "print('out of tea'); raise SystemExit(3)")

        with pytest.raises(CannotStart, match=r"(?s)worker stopped .*exit code 3.*out of tea"):
            shop.watch()

    def test_addresses_are_left_for_other_commands_and_only_for_us(self, tmp_path: Path) -> None:
        shop = run.Shop(tmp_path, host="127.0.0.1", port=1, requests=run.StopRequests())

        shop._start_servers()

        left = tmp_path / "env"
        assert left.stat().st_mode & 0o777 == 0o600
        assert f"DATABASE_URL='{os.environ['DATABASE_URL']}'\n" in left.read_text()

        shop.stop()

        assert not left.exists()


@pytest.mark.slow
class TestWholeShop:
    def test_stops_everything_on_ctrl_c(self, tmp_path: Path) -> None:
        with running_shop(tmp_path) as shop:
            started = pids(tmp_path)
            shop.send_signal(signal.SIGINT)

            said = shop.communicate()[0]

        stopped = {
            line.split()[0]: line.endswith("(exit code 0)")
            for line in said.splitlines()
            if " stopped (" in line
        }
        assert shop.returncode == 0
        assert list(stopped) == ["beat", "worker", "web", "valkey", "postgres"]
        # Beat and worker may still have been loading, on a busy machine: nothing waits for them.
        assert stopped["web"]
        assert stopped["valkey"]
        assert stopped["postgres"]
        assert len(started) == 5
        assert not any(command_line(pid) for pid in started)
        assert not (tmp_path / "env").exists()

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux only")
    def test_leaves_no_process_when_it_is_killed(self, tmp_path: Path) -> None:
        with running_shop(tmp_path) as shop:
            started = pids(tmp_path)
            shop.kill()

        assert len(started) == 5
        assert wait_until(lambda: not any(command_line(pid) for pid in started), seconds=30)
