"""Rows read and written with statements whose text is made once per process.

The ORM composes the text of every statement anew, which takes several times as long as running it.
What every sale goes through reads and inserts here; everything else uses the ORM.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from django.db import connection
from django.db.models import AutoField, Model


def select(sql: str, values: Mapping[str, Any], *models: type[Model]) -> list[tuple[Any, ...]]:
    """Return, for each row of a query, an instance of each model and then the further columns.

    `{columns}` in the query becomes all columns of these models, so their tables keep their names.
    """
    with connection.cursor() as cursor:
        cursor.execute(_with_columns(sql, models), values)
        found = cursor.fetchall()
    return [tuple(_instances(models, row)) for row in found]


def select_dicts(sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a query by the names of its columns.

    The names are asked for once per text of a query; so let there be few texts.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = _names.get(sql)
        if names is None:
            names = _names[sql] = [column.name for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_names: dict[str, list[str]] = {}


def insert(*rows: Model, unless_exists: str = "") -> int:
    """Insert rows of one model with one statement; return how many were written.

    They get their ids as with `save()`; signals are not sent. `unless_exists` names columns of a
    unique key: a row whose key is there already is left out (and then there may be only one row,
    because the ids of several could not be told apart). It waits for a transaction that is writing
    the same key. Any other conflict raises IntegrityError.
    """
    if not rows:
        return 0
    model = type(rows[0])
    with connection.cursor() as cursor:
        cursor.execute(_text(model, len(rows), unless_exists), _values(model, rows))
        ids = cursor.fetchall()
    if unless_exists and not ids:
        return 0
    for row, (row_id,) in zip(rows, ids, strict=True):
        _is_written(row, row_id)
    return len(rows)


def insert_whole(
    row: Model, *, parts: str, values: Mapping[str, Any], unless_exists: str = ""
) -> bool:
    """Insert a row, and what belongs to it, with one statement; tell whether it was written.

    `parts` are data-modifying expressions of the statement's WITH: they find the new row's id in
    `whole`, which is empty where the row was left out. `values` are theirs.
    """
    model = type(row)
    own = {_OWN + field.column: value for field, value in _pairs(model, row)}
    with connection.cursor() as cursor:
        cursor.execute(_whole_text(model, parts, unless_exists), own | dict(values))
        ids = cursor.fetchall()
    for (row_id,) in ids:
        _is_written(row, row_id)
    return bool(ids)


def columns_of(model: type[Model], *, table: str = "") -> str:
    """Return the columns of a model but its id, for an INSERT or, of a table, a SELECT."""
    prefix = f"{table}." if table else ""
    return ", ".join(f'{prefix}"{field.column}"' for field in _columns(model))


def record_of(model: type[Model]) -> str:
    """Return the same columns with their types, to read what `as_json` writes."""
    return ", ".join(
        f'"{field.column}" {field.cast_db_type(connection)}' for field in _columns(model)
    )


def as_json(rows: Iterable[Model]) -> str:
    """Return rows without their ids as a JSON array, for `json_to_recordset`."""
    return orjson.dumps(
        [
            {field.column: getattr(row, field.attname) for field in _columns(type(row))}
            for row in rows
        ]
    ).decode()


_OWN = "own_"
"""What the parameters of the row itself begin with, beside those of its parts."""


def _is_written(row: Model, row_id: Any) -> None:
    row.pk = row_id
    row._state.adding = False
    row._state.db = connection.alias


@cache
def _with_columns(sql: str, models: Sequence[type[Model]]) -> str:
    columns = [
        f'"{model._meta.db_table}"."{field.column}"'
        for model in models
        for field in model._meta.concrete_fields
    ]
    return sql.format(columns=", ".join(columns))


@cache
def _readers(model: type[Model]) -> tuple[list[str], list[tuple[int, Any]]]:
    """Return a model's attributes, and what turns columns into values where they differ."""
    fields = model._meta.concrete_fields
    readers = [
        (index, field.from_db_value)
        for index, field in enumerate(fields)
        if hasattr(field, "from_db_value")
    ]
    return [field.attname for field in fields], readers


def _instances(models: Sequence[type[Model]], row: Sequence[Any]) -> Iterator[Any]:
    start = 0
    for model in models:
        names, readers = _readers(model)
        values = list(row[start : start + len(names)])
        for index, read in readers:
            values[index] = read(values[index], None, connection)
        yield model.from_db(connection.alias, names, values)
        start += len(names)
    yield from row[start:]


@cache
def _columns(model: type[Model]) -> list[Any]:
    """Return the fields that an INSERT fills: all but the id that the database makes."""
    return [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]


@cache
def _text(model: type[Model], count: int, unless_exists: str) -> str:
    fields = _columns(model)
    columns = columns_of(model)
    row = ", ".join(["%s"] * len(fields))
    rows = ", ".join([f"({row})"] * count)
    conflict = f"ON CONFLICT ({unless_exists}) DO NOTHING" if unless_exists else ""
    key = model._meta.pk.column
    # No value is interpolated: only names of our own models and columns.
    return (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES {rows} {conflict}'  # noqa: S608
        f' RETURNING "{key}"'
    )


@cache
def _whole_text(model: type[Model], parts: str, unless_exists: str) -> str:
    fields = _columns(model)
    placeholders = ", ".join(f"%({_OWN}{field.column})s" for field in fields)
    conflict = f"ON CONFLICT ({unless_exists}) DO NOTHING" if unless_exists else ""
    return f"""
        WITH whole AS (
            INSERT INTO "{model._meta.db_table}" ({columns_of(model)}) VALUES ({placeholders})
            {conflict} RETURNING "{model._meta.pk.column}" AS id
        ), {parts}
        SELECT id FROM whole
    """  # noqa: S608 - names of our own models and columns, and our own expressions


def _values(model: type[Model], rows: Sequence[Model]) -> list[Any]:
    return [value for row in rows for _field, value in _pairs(model, row)]


def _pairs(model: type[Model], row: Model) -> Iterator[tuple[Any, Any]]:
    """Yield each field with the value that is written."""
    for field in _columns(model):
        yield field, field.get_db_prep_save(field.pre_save(row, add=True), connection=connection)
