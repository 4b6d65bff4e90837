"""What channels cost: daily rows per link, by hand or from a CSV file. Their only writer."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import ChannelLink, DailyCost
from shop.kernel.clock import YEARS
from shop.kernel.errors import InvalidInput
from shop.kernel.money import MAX_CENTS, Cents

REQUIRED = ["link", "date", "cost_cents"]
COUNTS = ["impressions", "clicks", "estimated_reach"]
COLUMNS = [*REQUIRED, *COUNTS]
MOST_ROWS = 10_000
MOST_COUNT = 2_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CostRow:
    """One link's cost of one day."""

    link: str
    date: date
    cost_cents: Cents
    impressions: int = 0
    clicks: int = 0
    estimated_reach: int = 0


class Outcome(StrEnum):
    """What becomes of a line of an import."""

    CREATED = "created"
    UPDATED = "updated"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class LineReport:
    """What became of one line; `line` counts from 1, the header included."""

    line: int
    outcome: Outcome
    link: str
    date: str
    detail: str | Promise = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did or would do; a refused line or a dry run stores nothing."""

    is_stored: bool
    lines: list[LineReport]

    def count(self, outcome: Outcome) -> int:
        """Return how many lines came out like this."""
        return sum(line.outcome == outcome for line in self.lines)


class _Unreadable(Exception):
    """A line that is no cost; says why."""

    def __init__(self, detail: str | Promise) -> None:
        self.detail = detail


@transaction.atomic
def upsert(rows: Sequence[CostRow], *, links: Mapping[str, ChannelLink]) -> tuple[int, int]:
    """Store rows, replacing those of the same (link, date). Return (created, updated)."""
    wanted = {(row.link, row.date): row for row in rows}
    known = _known(rows)
    DailyCost.objects.bulk_create(
        [
            DailyCost(
                link=links[row.link],
                date=row.date,
                cost_cents=row.cost_cents,
                impressions=row.impressions,
                clicks=row.clicks,
                estimated_reach=row.estimated_reach,
            )
            for _key, row in sorted(wanted.items())  # in one order, so that two imports take turns
        ],
        update_conflicts=True,
        unique_fields=["link", "date"],
        update_fields=["cost_cents", *COUNTS],
    )
    return len(wanted) - len(known), len(known)


@transaction.atomic
def import_csv(text: str, *, links: QuerySet[ChannelLink], is_dry_run: bool) -> ImportReport:
    """Import a CSV with the columns of `COLUMNS` for these links; all lines are stored, or none.

    Raises:
        InvalidInput: not these columns, not a CSV, or too many lines.
    """
    numbered = list(_cells(text))
    by_code = {
        link.code: link
        for link in links.filter(code__in={(c["link"] or "").strip() for _n, c in numbered})
    }
    rows: dict[int, CostRow] = {}
    refused: dict[int, str | Promise] = {}
    seen: set[tuple[str, date]] = set()
    for number, cells in numbered:
        try:
            row = _parse(cells, by_code)
            if (row.link, row.date) in seen:
                raise _Unreadable(_("This link and day stand in the file twice."))
        except _Unreadable as error:
            refused[number] = error.detail
        else:
            seen.add((row.link, row.date))
            rows[number] = row
    known = _known(list(rows.values()))
    is_stored = bool(rows) and not refused and not is_dry_run
    if is_stored:
        upsert(list(rows.values()), links=by_code)
    return ImportReport(
        is_stored=is_stored,
        lines=[
            LineReport(
                line=number,
                outcome=_outcome(rows.get(number), known),
                link=(cells["link"] or "").strip()[:40],
                date=(cells["date"] or "").strip()[:20],
                detail=refused.get(number, ""),
            )
            for number, cells in numbered
        ],
    )


def _outcome(row: CostRow | None, known: set[tuple[str, date]]) -> Outcome:
    if row is None:
        return Outcome.REFUSED
    return Outcome.UPDATED if (row.link, row.date) in known else Outcome.CREATED


def _known(rows: Sequence[CostRow]) -> set[tuple[str, date]]:
    """Return which of these (link, date) have a row already."""
    wanted = {(row.link, row.date) for row in rows}
    existing = DailyCost.objects.filter(
        link__code__in={code for code, _day in wanted}, date__in={day for _code, day in wanted}
    )
    return wanted & set(existing.values_list("link__code", "date"))


def _cells(text: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield the number and the cells of each line that is not empty."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), restkey="", strict=True)
    try:
        columns = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = columns
        if set(REQUIRED) - set(columns) or set(columns) - set(COLUMNS) or _has_twins(columns):
            raise InvalidInput(
                "/csv",
                _("The first line must name the columns: %s.") % ", ".join(COLUMNS),
                reason="columns",
            )
        for count, cells in enumerate(reader, start=1):
            if count > MOST_ROWS:
                raise InvalidInput(
                    "/csv", _("At most %s lines at once.") % MOST_ROWS, reason="too-long"
                )
            yield reader.line_num, cells
    except csv.Error as error:
        raise InvalidInput("/csv", _("This is not a CSV file."), reason="not-csv") from error


def _has_twins(columns: Sequence[str]) -> bool:
    return len(set(columns)) < len(columns)


def _parse(cells: dict[str, str | None], links: Mapping[str, ChannelLink]) -> CostRow:
    if "" in cells:
        raise _Unreadable(_("The line has more cells than the first line names."))
    code = (cells["link"] or "").strip()
    if code not in links:
        raise _Unreadable(_("There is no such link, or its costs are not yours to enter."))
    return CostRow(
        link=code,
        date=_day(cells["date"]),
        cost_cents=Cents(_count(cells, "cost_cents", most=MAX_CENTS)),
        impressions=_count(cells, "impressions"),
        clicks=_count(cells, "clicks"),
        estimated_reach=_count(cells, "estimated_reach"),
    )


def _day(cell: str | None) -> date:
    try:
        day = date.fromisoformat((cell or "").strip())
    except ValueError as error:
        raise _Unreadable(_("The day must look like 2026-05-18.")) from error
    if day.year not in YEARS:
        raise _Unreadable(_("The day must look like 2026-05-18."))
    return day


def _count(cells: dict[str, str | None], column: str, *, most: int = MOST_COUNT) -> int:
    text = (cells.get(column) or "").strip()
    if not text and column in COUNTS:
        return 0
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not is_number or int(text) > most:
        raise _Unreadable(_("%s must be a whole number, 0 or more.") % column)
    return int(text)
