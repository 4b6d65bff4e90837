"""A real browser in front of a real server; skipped with a reason where there is no Chromium."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.browser.desk import Desk

NAMES = ["chromium", "chromium-browser", "google-chrome"]
FLAGS = ["--no-sandbox", "--disable-gpu"]
PHONE: ViewportSize = {"width": 390, "height": 844}
SCREEN: ViewportSize = {"width": 1440, "height": 900}
PERSON = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
"""What a guest's browser calls itself; links take a headless one for a machine."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the machine's Chromium.

    Playwright keeps an event loop in this thread, in which Django would refuse to ask the database.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    driver, _script = compute_driver_executable()
    started = subprocess.run([driver, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    if started.returncode != 0:
        pytest.skip(f"Playwright's driver does not start: {started.stderr.strip()}")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def hosts() -> set[str]:
    """Return where the browser's requests of this test went."""
    return set()


@pytest.fixture
def phone(browser: Browser, hosts: set[str]) -> Iterator[BrowserContext]:
    """Return a guest's phone, in English."""
    context = browser.new_context(viewport=PHONE, locale="en-US", user_agent=PERSON)
    context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield context
    context.close()


@pytest.fixture
def page(phone: BrowserContext) -> Iterator[Page]:
    """Return a page of the phone; whatever its scripts fail at fails the test."""
    errors: list[str] = []
    tab = phone.new_page()
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    assert errors == []


@pytest.fixture
def desk(browser: Browser, committed: None, live_server: Any) -> Iterator[Desk]:
    """Return a desk in the back office, in English; its scripts must not fail."""
    context = browser.new_context(viewport=SCREEN, locale="en-US")
    desk = Desk(context, str(live_server.url))
    yield desk
    context.close()
    assert desk.errors == []
