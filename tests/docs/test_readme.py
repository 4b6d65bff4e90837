"""The README's tour works as pasted."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from campaigns import clicks, links
from campaigns.models import Channel, Touch
from shop import tills
from shop.models import Member, Order, Till
from shop.storefront.demo import promotion
from tests import make

README = Path(__file__).parents[2] / "README.md"
LOCAL = "http://127.0.0.1:8000"


@pytest.fixture
def demo(committed: None) -> None:
    """What the tour relies on: the demo's keys and the flyer's link."""
    now = timezone.now()
    till = Till.objects.create(store=make.store(), code="demo")
    tills.issue_till_key(till, now=now, secret=tills.DEMO_SECRET)
    tills.issue_report_key("demo", stores=None, now=now, secret=tills.DEMO_SECRET)
    links.create(
        channel=Channel.objects.get(code="flyer"),
        label="Flyer",
        store=make.store(),
        code="SH001FLY",
        now=now,
    )


@pytest.fixture
def written_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write each click at once: the pause in which the buffer is written is shorter than a tour."""
    record = clicks.record

    def record_and_write(link_id: int, **click: Any) -> None:
        record(link_id, **click)
        clicks.flush_now()

    monkeypatch.setattr(clicks, "record", record_and_write)


def test_the_tour_starts_at_a_flyer_of_the_demo() -> None:
    codes = re.findall(r"/t/(\w+)", README.read_text())

    assert codes
    assert set(codes) <= {f"SH001{suffix}" for suffix in promotion.SUFFIXES.values()}


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour is told in curl")
@pytest.mark.usefixtures("demo", "written_clicks")
def test_the_tour_takes_a_guest_through_the_loop(live_server: Any) -> None:
    tour = README.read_text().split("<!-- tour -->")[1].split("<!-- /tour -->")[0]
    script = "\n".join(re.findall(r"```bash\n(.*?)```", tour, re.DOTALL))

    done = subprocess.run(  # noqa: S603 - our own README
        ["bash", "-euo", "pipefail", "-c", script.replace(LOCAL, live_server.url)],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    order = Order.objects.get()
    assert order.member == Member.objects.get()
    assert order.paid_cents == 4200
    assert f'"number":"{order.number}"' in done.stdout
    assert Touch.objects.get().kind == "scan"
    assert order.member.acquisition.channel.code == "flyer"
    assert "stage" in done.stdout
