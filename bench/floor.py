"""What PostgreSQL alone does for the same calls, by pgbench in the same servers."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shop.config.binaries import find_postgres_binaries
from shop.config.processes import CannotStart

SQL = Path(__file__).with_name("sql")
COUPONS = 500_000
"""Each payment uses one up. More than the fastest machine pays in the longest run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FloorRun:
    """What one run of pgbench said."""

    transactions: int
    per_second: float
    average_ms: float


class Floor:
    """The floor's tables beside ours, and the scripts that use them."""

    def __init__(self, database_url: str, *, members: int) -> None:
        self.binaries = find_postgres_binaries()
        self.members = members
        url = urlsplit(database_url)
        self.env = os.environ | {
            "PGHOST": url.hostname or "",
            "PGPORT": str(url.port),
            "PGUSER": url.username or "",
            "PGPASSWORD": url.password or "",
            "PGDATABASE": url.path.lstrip("/"),
        }

    def prepare(self) -> None:
        """Make the tables and fill them."""
        variables = {"members": self.members, "coupons": COUPONS, "ON_ERROR_STOP": 1}
        self._run("psql", ["-q", "-f", str(SQL / "schema.sql"), *_options("-v", variables)])

    def run(self, script: str, *, clients: int, seconds: float) -> FloorRun:
        """Run one script for some seconds; statements are prepared."""
        said = self._run(
            "pgbench",
            [
                *["--no-vacuum", "--protocol=prepared", f"--file={SQL / script}.sql"],
                *[f"--client={clients}", f"--jobs={min(clients, os.cpu_count() or 1)}"],
                f"--time={max(round(seconds), 1)}",
                *_options("-D", {"members": self.members}),
            ],
        )
        return FloorRun(
            transactions=int(_number(r"transactions actually processed: (\d+)", said)),
            per_second=_number(r"tps = ([\d.]+)", said),
            average_ms=_number(r"latency average = ([\d.]+) ms", said),
        )

    def _run(self, program: str, arguments: list[str]) -> str:
        path = self.binaries / program
        if not path.exists():
            raise CannotStart(f"{path} is missing; set PG_BIN to a full PostgreSQL installation.")
        done = subprocess.run(
            [str(path), *arguments], env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CannotStart(f"{program} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def _options(flag: str, variables: Mapping[str, int]) -> list[str]:
    return [part for name, value in variables.items() for part in (flag, f"{name}={value}")]


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        raise CannotStart(f"pgbench said something else than expected:\n{text}")
    return float(match[1])
