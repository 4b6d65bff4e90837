"""The API against its own document: whatever is sent, the answers are as declared.

Schemathesis makes the requests from the document; half of them name things that exist.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shop.config.wsgi import application
from tests.api.requests import undone
from tests.authorization.scene import ASKED, Scene, build
from tests.authorization.test_matrix import MAY
from tests.schema import document

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KINDS = ("till", "member", "analyst", "manager", "head_office")

api = schemathesis.openapi.from_dict(document())
api.app = application


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """A shop that is built once; every request is rolled back."""
    signals.request_started.disconnect(close_old_connections)  # which would end the transaction
    signals.request_finished.disconnect(close_old_connections)
    with django_db_blocker.unblock(), undone():
        yield build()
    signals.request_started.connect(close_old_connections)
    signals.request_finished.connect(close_old_connections)


@api.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_as_declared(case: Any, scene: Scene) -> None:
    """Ask as each kind of caller that the operation serves."""
    name = case.operation.definition.raw["operationId"]
    if case.path_parameters and hash(str(case.body)) % 2:
        case.path_parameters = ASKED[name].path(scene)
    for caller in set(KINDS) & set(MAY[name].split()) or {"anonymous"}:
        client = scene.callers[caller]
        cookies = {key: morsel.value for key, morsel in client.client.cookies.items()}
        with undone():
            case.call_and_validate(headers=client.headers, cookies=cookies, checks=CHECKS)
