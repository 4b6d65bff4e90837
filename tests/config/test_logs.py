"""Log lines say where an error came from, and no more."""

import json
import logging

import pytest

from shop.kernel import logs


def line_of(*, is_json: bool) -> str:
    """Return the line of an error in a function that holds a secret."""
    secret = "".join(["hush", "hush"])
    try:
        raise ValueError("no such cup")
    except ValueError as error:
        record = logging.LogRecord("shop", logging.WARNING, __file__, 1, "refused", (), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    assert secret
    return logs.formatter(is_json=is_json).format(record)


@pytest.mark.parametrize("is_json", [True, False])
class TestTraceback:
    def test_is_there(self, is_json: bool) -> None:
        line = line_of(is_json=is_json)

        assert "no such cup" in line
        assert "test_logs.py" in line

    def test_shows_no_values_of_variables(self, is_json: bool) -> None:
        assert "hushhush" not in line_of(is_json=is_json)


def test_json_stays_one_line() -> None:
    line = line_of(is_json=True)

    assert "\n" not in line
    assert "Traceback" in json.loads(line)["exception"]


def test_each_line_is_said_once() -> None:
    """Django brings a handler of its own, beside the root's."""
    assert logging.getLogger("django").handlers == []
    assert logging.getLogger("django").propagate
