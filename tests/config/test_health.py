"""Is it alive, and can it serve."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from shop.config import health, ticks

pytestmark = pytest.mark.django_db


def failed_checks(client: Client) -> list[str]:
    """Return what a server that is not ready names as the reason."""
    response = client.get("/readyz")

    problem = json.loads(response.content)
    assert response.status_code == problem["status"] == 503
    assert response["Content-Type"] == "application/problem+json"
    assert problem["code"] == "not-ready"
    return list(problem["failed_checks"])


class TestLive:
    def test_answers_without_asking_the_database(self, client: Client) -> None:
        with connection.execute_wrapper(lambda *_: pytest.fail("asked the database")):
            assert client.get("/healthz").json() == {"status": "alive"}


class TestReady:
    def test_says_yes_when_everything_is_there(self, client: Client) -> None:
        body = client.get("/readyz").json()

        assert body["status"] == "ready"
        assert body["checks"] == {
            "database": True,
            "valkey": True,
            "migrations": True,
            "clock": True,
        }

    def test_reports_the_age_of_beat_and_can_do_without(self, client: Client) -> None:
        cache.delete(ticks.KEY)
        assert client.get("/readyz").json()["beat_age_seconds"] is None

        ticks.leave()
        assert client.get("/readyz").json()["beat_age_seconds"] < 5

    def test_names_a_lost_valkey(self, client: Client, settings: Settings) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"

        assert failed_checks(client) == ["valkey"]

    def test_needs_no_valkey_where_none_is_configured(
        self, client: Client, settings: Settings
    ) -> None:
        settings.REDIS_URL = ""

        assert client.get("/readyz").status_code == 200

    def test_names_a_missing_migration(self, client: Client) -> None:
        (newest,) = MigrationLoader(connection).graph.leaf_nodes("shop")
        MigrationRecorder(connection).record_unapplied(*newest)

        assert failed_checks(client) == ["migrations"]

    def test_knows_the_migrations_that_django_knows(self) -> None:
        assert health._migrations_of_this_code() == set(MigrationLoader(None).disk_migrations)

    def test_names_a_clock_that_is_off(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = timezone.now() + timedelta(seconds=health.MAX_CLOCK_SKEW_SECONDS + 1)
        monkeypatch.setattr("shop.config.health.timezone.now", lambda: later)

        assert failed_checks(client) == ["clock"]

    def test_names_a_lost_database(self, client: Client) -> None:
        def lose(*_: object) -> None:
            raise DatabaseError

        with connection.execute_wrapper(lose):
            assert "database" in failed_checks(client)
