"""The API's documentation renders without asking anybody for fonts, scripts or pictures."""

import pytest
from playwright.sync_api import expect

from tests.browser.desk import Desk

pytestmark = pytest.mark.slow


def test_swagger_ui_shows_operations_and_leads_to_redoc(desk: Desk) -> None:
    page = desk.open("/api/docs")

    expect(page.get_by_text("/api/v1/alerts", exact=True)).to_be_visible()
    page.get_by_placeholder("Filter by tag").fill("quotes")  # what is out of sight is not drawn
    expect(page.get_by_text("/api/v1/quotes", exact=True)).to_be_visible()

    page.get_by_role("link", name="Read it: Redoc").click()

    expect(page.get_by_role("heading", name="Price a basket")).to_be_visible()
    assert desk.has_asked_only_home
