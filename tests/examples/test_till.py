"""The example till as a POS programmer starts it: a process of its own that speaks HTTP."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from loyalty.models import PointsAccount
from shop import tills
from shop.models import Order, Till
from tests import make

TILL = Path(__file__).parents[2] / "examples" / "till.py"
ORDERS = 25


class Counter:
    """Runs the example with a till key of its own; keeps all that it said."""

    def __init__(self, url: str) -> None:
        machine = Till.objects.create(store=make.store(), code="example")
        key = tills.issue_till_key(machine, now=timezone.now())
        self.command = [sys.executable, str(TILL), "--url", url, "--key", key]
        self.output = ""

    def run(self, *arguments: str) -> tuple[int, str]:
        """Return the exit code and the last line."""
        done = subprocess.run(  # noqa: S603 - our own example
            [*self.command, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode, self.output.splitlines()[-1]


@pytest.fixture
def counter(committed: None, live_server: Any) -> Counter:
    return Counter(live_server.url)


@pytest.mark.slow
def test_a_day_reconciles_until_somebody_tampers_with_it(counter: Counter, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal.json")
    report_key = tills.issue_report_key("example", stores=None, now=timezone.now())

    played = counter.run(f"--orders={ORDERS}", f"--report-key={report_key}", f"--journal={journal}")

    assert played == (0, f"{ORDERS} orders, 0 differences"), counter.output
    assert "answers dropped on purpose" in counter.output
    assert counter.run(f"--reconcile={journal}") == (0, f"{ORDERS} orders, 0 differences")

    _add_points_behind_its_back()
    # One line of the ledger nobody was told about; the cached balance does not follow it.
    assert counter.run(f"--reconcile={journal}") == (1, f"{ORDERS} orders, 1 differences")

    vanished = Order.objects.filter(pickup_number__isnull=False, store=make.store()).first()
    assert vanished is not None
    Order.objects.filter(pk=vanished.pk).update(store=make.store("SH002"))

    code, last_line = counter.run(f"--reconcile={journal}")
    assert code == 1
    assert int(last_line.split()[2]) > 1
    assert f"{vanished.number}: told, but not reported" in counter.output


def test_a_wrong_key_is_said_plainly(counter: Counter) -> None:
    counter.command[-1] = "pk_nobody_wrong"

    code, last_line = counter.run(f"--orders={ORDERS}")

    assert code == 2
    assert "not-authenticated" in last_line


def _add_points_behind_its_back() -> None:
    account = PointsAccount.objects.filter(wallet="points").order_by("-balance")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_pointsentry"
            " (account_id, kind, points, balance_after, source, note, actor, occurred_at)"
            " VALUES (%s, 'adjust', 7, %s, 'by-hand', '', '', now())",
            [account.pk, account.balance + 7],
        )
