"""Rows collected in memory and written by COPY: history is too long for single inserts."""

from operator import attrgetter
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import AutoField, JSONField, Max, Model
from psycopg.types.json import Jsonb

from shop.kernel import identifiers

ModelT = TypeVar("ModelT", bound=Model)
BATCH = 500


class Tables:
    """New rows by model, with their ids given in advance; and old rows that have changed.

    Nobody else may write meanwhile: the demo is made in an empty shop, in one transaction.
    """

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._new: dict[type[Model], list[Model]] = {}
        self._changed: dict[tuple[type[Model], tuple[str, ...]], dict[Any, Model]] = {}
        self._last_id: dict[type[Model], int] = {}

    def add(self, row: ModelT) -> ModelT:
        """Take a new row; a numbered one gets its number now."""
        model = type(row)
        if row.pk is None:
            row.pk = self._last_id[model] = self._last(model) + 1
        self._new.setdefault(model, []).append(row)
        return row

    def change(self, row: Model, *fields: str) -> None:
        """Remember to write these fields of a row that was there before."""
        self._changed.setdefault((type(row), fields), {})[row.pk] = row

    def is_new(self, row: Model) -> bool:
        """Tell whether a row is one that was added here."""
        model = type(row)
        return bool(row.pk > self._last(model) - len(self._new.get(model, ())))

    def code(self, length: int) -> str:
        """Return a code like those of the product, by the demo's chance."""
        body = "".join(self.rng.choices(identifiers.ALPHABET, k=length))
        return body + identifiers.check_character(body)

    def uuid(self) -> UUID:
        """Return a random id, by the demo's chance."""
        return UUID(int=self.rng.getrandbits(128), version=4)

    def write(self) -> None:
        """Write everything; keys between the rows are checked when the transaction ends."""
        for model, rows in self._new.items():
            _copy(model, rows)
        for (model, fields), changed in self._changed.items():
            rows = list(changed.values())
            model._default_manager.bulk_update(rows, list(fields), batch_size=BATCH)

    def _last(self, model: type[Model]) -> int:
        if model not in self._last_id:
            self._last_id[model] = model._default_manager.aggregate(last=Max("pk"))["last"] or 0
        return self._last_id[model]


def _copy(model: type[Model], rows: list[Model]) -> None:
    fields = model._meta.concrete_fields
    table = model._meta.db_table
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = attrgetter(*[field.attname for field in fields])
    documents = [at for at, field in enumerate(fields) if isinstance(field, JSONField)]
    with connection.cursor() as cursor:
        with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                cells = list(values(row))
                for at in documents:
                    cells[at] = Jsonb(cells[at])
                copy.write_row(cells)
        if isinstance(model._meta.pk, AutoField):
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, %s), %s)",
                [table, model._meta.pk.column, rows[-1].pk],
            )
