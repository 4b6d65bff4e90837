"""What every operation of the API has, read from its OpenAPI document."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.schemas.generators import is_api_view

from shop.config import problems_page
from tests.schema import METHODS, Operation, document, operations

OPERATIONS = operations()
CODE = re.compile(r"`([a-z]+(?:-[a-z0-9]+)+)`")
MOVES_NO_VALUE = {
    "vouchers_prepare": "looks, and uses nothing up",
    "vouchers_douyin_callback": "each Msg-Id is taken once",
    "quotes_create": "writes nothing",
    "quotes_explain": "writes nothing",
    "quotes_wallet": "writes nothing",
    "audiences_count": "writes nothing",
    "gift_cards_lookup": "writes nothing",
    "promotion_replays_create": "writes nothing but its job",
    "members_lookup": "reads; a shown code is used up, which a retry must see",
    "auth_send_code": "has no caller yet, and its own limit",
    "auth_create_token": "has no caller yet; the code works once",
    "auth_logout": "ends what is ended",
    "me_create_code": "a code that is not shown harms nobody",
    "me_stored_value_code": "a code that is not shown harms nobody",
    "payments_sandbox_callback": "the provider's number of the payment is its key",
    "touches_create": "each event has its own id",
    "offline_sales_create": "each sale has the till's own number",
    "me_ad_clicks_claim": "a click is one member's, however often it is named",
    "alerts_acknowledge": "the first who has seen it stays noted",
    "alerts_resolve": "what is dealt with stays so",
    "jobs_cancel": "a job that is over is refused",
    "me_erase": "the code works once, and a wrong try has to be counted",
    "me_set_birthday": "a second change within a year is refused",
    "campaigns_create": "its code is unique",
    "campaigns_add_phase": "a phase too many costs nothing before it starts, and can be ended",
    "campaigns_move": "a campaign that was moved is refused",
    "campaigns_move_phase": "a phase that was moved is refused",
    "campaigns_change_phase_limits": "says what shall be, however often",
    "campaigns_reserve": "once per member, however often",
    "channels_create": "its code is unique",
    "topics_create": "its code is unique",
    "partners_create": "its code is unique",
    "partners_store_credential": "says what shall be, however often",
    "partners_forget_credential": "says what shall be, however often",
    "placements_create": "its code is unique within its channel",
    "stores_set_availability": "says what shall be, however often",
}
"""POSTs without an Idempotency-Key, each with its reason. Everything else needs one."""


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
class TestOperation:
    def test_has_a_tag_and_a_summary(self, operation: Operation) -> None:
        assert operation.spec.get("tags")
        assert operation.spec.get("summary")
        assert not operation.spec["summary"].endswith(".")

    def test_shows_an_example_of_its_body(self, operation: Operation) -> None:
        if operation.body is not None and operation.body.get("required"):
            assert operation.examples

    def test_declares_its_problems(self, operation: Operation) -> None:
        answers = operation.spec["responses"]
        expected = {"400", "503"} | ({"401", "403"} if operation.spec.get("security") else set())

        assert expected <= set(answers)
        assert any(status.startswith("2") for status in answers)
        for status, answer in answers.items():
            if status[0] in "45":
                assert list(answer["content"]) == ["application/problem+json"]

    def test_needs_a_key_if_it_moves_value(self, operation: Operation) -> None:
        is_post = operation.method == "post"

        assert operation.needs_key == (is_post and operation.id not in MOVES_NO_VALUE)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_descriptions_name_problems_that_exist(operation: Operation) -> None:
    known = {refusal.code for refusal in problems_page.refusals()}
    named = CODE.findall(operation.spec.get("description", ""))

    assert set(named) <= known | set(problems_page.OF_THE_FRAMEWORK)


class TestApi:
    def test_names_each_operation_once(self) -> None:
        counted = Counter(operation.id for operation in OPERATIONS)

        assert [name for name, count in counted.items() if count > 1] == []

    def test_has_the_operations_that_are_excused_from_a_key(self) -> None:
        assert {operation.id for operation in OPERATIONS} >= set(MOVES_NO_VALUE)

    def test_documents_every_url(self) -> None:
        """An endpoint that is not in the document is not in the generated tests either."""
        documented = {path.replace("{", "<").replace("}", ">") for path in document()["paths"]}
        undocumented = [path for path, _methods in endpoints() if path not in documented]

        assert undocumented == []

    def test_documents_every_method(self) -> None:
        documented = {
            (path.replace("{", "<").replace("}", ">"), method)
            for path, item in document()["paths"].items()
            for method in item
        }
        served = {(path, method) for path, methods in endpoints() for method in methods}

        assert served - documented == set()


def endpoints() -> Iterator[tuple[str, list[str]]]:
    """Yield each path under /api/v1 as ``/api/v1/orders/<number>``, with its methods."""
    for path, pattern in _patterns(get_resolver()):
        if path.startswith("/api/v1/"):
            assert is_api_view(pattern.callback), path
            view = pattern.callback.cls  # type: ignore[union-attr]  # an APIView's function
            yield path, [method for method in METHODS if hasattr(view, method)]


def _patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = prefix + _without_converters(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, path)
        else:
            yield path, pattern


def _without_converters(route: str) -> str:
    for converter in ("str:", "uuid:", "int:", "slug:"):
        route = route.replace(f"<{converter}", "<")
    return route
