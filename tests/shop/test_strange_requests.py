"""Requests that no client of ours sends: each gets a problem, none gets a 500."""

import base64

import pytest

from tests import make
from tests.make import Api

pytestmark = pytest.mark.django_db


class TestCursor:
    @pytest.mark.parametrize("position", [b"p=abc", b"p=%00", b"p=1e9", b"r=1&p=\xff"])
    def test_that_was_made_up_is_no_page(self, position: bytes) -> None:
        cursor = base64.b64encode(position).decode()

        answer = make.till().get("/orders", cursor=cursor)

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


class TestPath:
    @pytest.mark.parametrize("path", ["/stores/%00/menu", "/orders/%00"])
    def test_with_a_nul_character_names_nothing(self, path: str) -> None:
        answer = Api().client.get(f"/api/v1{path}")

        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
