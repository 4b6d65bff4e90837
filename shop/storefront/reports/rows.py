"""Rows of a report's statement, by column name."""

from collections.abc import Mapping
from typing import Any

from django.db import connection


def select(sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the statement gives, a dictionary per row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
