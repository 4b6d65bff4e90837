"""Problem codes are part of the API: unique, spelled alike, and written down."""

import importlib
import re
from collections import Counter

from shop.config import problems_page
from shop.kernel.errors import DomainError
from tests.architecture.sources import ROOT, modules

NOT_IMPORTED = {"shop/config/gunicorn.py", "shop/config/wsgi.py"}


def refusals() -> list[type[DomainError]]:
    """Return every kind of refusal of the project."""
    for name, _tree in modules(without=("management",)):
        if name not in NOT_IMPORTED:
            importlib.import_module(name[:-3].replace("/", ".").removesuffix(".__init__"))
    return problems_page.refusals()


class TestProblemCodes:
    def test_are_unique(self) -> None:
        counted = Counter(refusal.code for refusal in refusals())

        assert [code for code, count in counted.items() if count > 1] == []

    def test_are_kebab_case(self) -> None:
        codes = [refusal.code for refusal in refusals()]

        assert [code for code in codes if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", code)] == []

    def test_have_a_title_and_an_explanation(self) -> None:
        silent = [
            refusal.__name__
            for refusal in refusals()
            if not refusal.__doc__ or not str(refusal.title).endswith(".")
        ]

        assert silent == []

    def test_have_a_client_error_status_or_say_that_it_is_ours(self) -> None:
        statuses = {int(refusal.status) for refusal in refusals()}

        assert statuses <= {400, 401, 403, 404, 409, 410, 422, 429, 503}

    def test_are_listed_in_the_documentation(self) -> None:
        refusals()

        assert (ROOT / "docs" / "problems.md").read_text() == problems_page.page()
