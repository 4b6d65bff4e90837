"""The database backend: ``ENGINE = "shop.kernel.postgres"``."""

import json
import select
from typing import Any

import orjson
from django.db.backends.postgresql import base, operations
from psycopg import _queries
from psycopg.types.json import Jsonb

_queries.MAX_CACHED_STATEMENT_LENGTH = 16_384
"""The driver parses longer statements anew at each call, by its own word those over 4 kB: to read
all that is known of a member takes 14."""

AS_JSON_DOES = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
"""Refuse what the standard library's encoder refuses."""


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, with JSON columns written by orjson: how a sale was priced is 10 KB."""

    def adapt_json_value(self, value: Any, encoder: Any) -> Any:
        """Return a value as the driver writes it to a JSON column."""
        if encoder is None:
            return Jsonb(value, dumps=dump_json)
        return super().adapt_json_value(value, encoder)


def dump_json(value: Any) -> bytes | str:
    """Return JSON text; what orjson does not know, such as numbers past 64 bits, takes longer."""
    try:
        return orjson.dumps(value, option=AS_JSON_DOES)
    except orjson.JSONEncodeError:
        return json.dumps(value)


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, whose connections are kept for as long as they live."""

    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Tell whether the connection can serve another request.

        A server that has gone, or has ended the connection, has said so: its word waits to be read.
        Only then it is asked; otherwise a question would cost each request a round trip.
        """
        if self.connection is None or self.connection.closed:
            return False
        return not self._has_news() or super().is_usable()

    def _has_news(self) -> bool:
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
