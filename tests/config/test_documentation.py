"""The API's documentation: one schema, pages that load nothing of other hosts."""

import json
import re

import pytest
import yaml
from django.test import Client

ELSEWHERE = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")


class TestSchema:
    @pytest.mark.slow
    def test_is_yaml_or_json_as_asked(self) -> None:
        as_yaml = yaml.safe_load(Client().get("/api/schema").content)
        as_json = json.loads(Client().get("/api/schema?format=json").content)

        assert as_yaml["paths"].keys() == as_json["paths"].keys()
        assert "/api/v1/quotes" in as_json["paths"]

    def test_is_only_read(self) -> None:
        assert Client().post("/api/schema").status_code == 405


class TestPages:
    @pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
    def test_load_nothing_of_another_host(self, path: str) -> None:
        page = Client().get(path)

        assert page.status_code == 200
        assert not ELSEWHERE.search(page.content.decode())
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe-eval" not in page.headers["Content-Security-Policy"]

    def test_lead_to_each_other(self) -> None:
        assert "/api/redoc" in Client().get("/api/docs").content.decode()
        assert "/api/docs" in Client().get("/api/redoc").content.decode()

    def test_use_a_script_without_its_makers_picture(self) -> None:
        assert b"cdn.redoc.ly" not in Client().get("/api/redoc.js").content
