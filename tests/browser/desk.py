"""A person of the staff at a desk, in a browser that notes whom it asks."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, expect

from shop.models import Staff
from tests import make

PASSWORD = "of-a-database-that-is-thrown-away"
DEADLINE_MS = 20_000


class Desk:
    """One tab, every host it asked for anything, and every error of its scripts."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        context.set_default_timeout(DEADLINE_MS)
        expect.set_options(timeout=DEADLINE_MS)
        self.home = home
        self.page = context.new_page()
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        self.page.on("request", lambda request: self._ask(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str) -> Page:
        """Go to a page of this server."""
        self.page.goto(self.home + path, wait_until="load")
        return self.page

    def sign_in(self, group: str, *stores: str) -> Staff:
        """Sign in through the page as a new person of that group."""
        person = make.staff_member(*stores, group=group, password=PASSWORD)
        self.open("/admin/")
        self.page.fill("[name=username]", person.username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("#login-form button[type=submit]")
        self.page.wait_for_url("**/admin/")
        return person

    @property
    def has_asked_only_home(self) -> bool:
        """Tell whether every request went to this server."""
        return self.hosts == {urlsplit(self.home).netloc}

    def _ask(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"}:
            self.hosts.add(parts.netloc)
