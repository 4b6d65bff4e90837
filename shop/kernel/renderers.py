"""JSON by orjson, and CSV that a spreadsheet cannot be tricked with."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class JSONRenderer(BaseRenderer):
    """Render compact UTF-8 JSON."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_plain)


class CSVRenderer(BaseRenderer):
    """Render the `rows` of a report, the page of a list, or flat objects as CSV with a header line.

    The file starts with a byte-order mark, without which Excel garbles Chinese.
    """

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        rows = data
        if isinstance(data, dict):
            rows = data.get("rows", data.get("results", [data]))
        out = io.StringIO()
        if rows:
            writer = csv.DictWriter(out, fieldnames=list(rows[0]))
            writer.writeheader()
            for row in rows:
                writer.writerow({name: safe_cell(value) for name, value in row.items()})
        return ("\ufeff" + out.getvalue()).encode()


def safe_cell(value: Any) -> Any:
    """Return the value with text that a spreadsheet would run as a formula disarmed.

    >>> safe_cell("=1+1"), safe_cell(-5)
    ("'=1+1", -5)
    """
    is_formula = isinstance(value, str) and value.startswith(FORMULA_STARTS)
    return f"'{value}" if is_formula else value


def _plain(value: Any) -> Any:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value)} has no JSON form")
