"""What our database backend does otherwise than Django's."""

import time

import psycopg
import pytest
from django.db import connection
from django.db.backends.postgresql import base
from psycopg import _queries

from shop.storefront import facts
from tests import make


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return the answers that a round trip to the server gave."""
    answers: list[bool] = []
    ask = base.DatabaseWrapper.is_usable

    def remember(self: base.DatabaseWrapper) -> bool:
        answers.append(ask(self))
        return answers[-1]

    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", remember)
    return answers


@pytest.mark.django_db(transaction=True)
class TestConnection:
    def test_is_not_asked_while_nothing_speaks_against_it(self, questions: list[bool]) -> None:
        connection.ensure_connection()

        assert connection.is_usable()
        assert questions == []

    def test_is_asked_and_given_up_when_the_server_has_ended_it(
        self, questions: list[bool]
    ) -> None:
        connection.ensure_connection()
        end_from_elsewhere(connection.connection.info.backend_pid)

        assert not connection.is_usable()
        assert questions == [False]
        connection.close()

    def test_is_not_usable_once_closed(self, questions: list[bool]) -> None:
        connection.ensure_connection()
        connection.close()

        assert not connection.is_usable()
        assert questions == []


def end_from_elsewhere(pid: int) -> None:
    """End a server process, and wait until it is gone."""
    settings = connection.get_connection_params()
    known = {name: settings[name] for name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**known, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    time.sleep(0.01)  # its last word is on the way


@pytest.mark.django_db
def test_a_long_statement_is_parsed_once() -> None:
    """The longest is a member with their place in the ladder; the driver's own limit is 4 kB."""
    who = make.member()
    facts.find_by_id(who.pk, now=make.NOON)
    hits, misses, *_rest = _queries._query2pg.cache_info()

    facts.find_by_id(who.pk, now=make.NOON)

    assert _queries._query2pg.cache_info()[:2] == (hits + 1, misses)
