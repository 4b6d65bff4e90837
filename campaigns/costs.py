"""What channels cost: daily rows per link, entered by hand or imported as CSV. Their only writer."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.models import ChannelLink, DailyCost
from shop.kernel.errors import InvalidInput
from shop.kernel.money import MAX_CENTS, Cents

COLUMNS = ["link", "date", "cost_cents", "impressions", "clicks", "estimated_reach"]
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


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did, or in a dry run would do; `errors` name the line of the file."""

    created: int
    updated: int
    errors: list[dict[str, object]]


@transaction.atomic
def upsert(rows: Sequence[CostRow], *, links: dict[str, ChannelLink]) -> tuple[int, int]:
    """Store rows; the same (link, date) again replaces the earlier one. Return (created, updated)."""
    wanted = {(row.link, row.date): row for row in rows}
    existing = DailyCost.objects.filter(
        link__code__in=[code for code, _day in wanted], date__in=[day for _code, day in wanted]
    ).values_list("link__code", "date")
    updated = len(set(existing) & set(wanted))
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
            for row in wanted.values()
        ],
        update_conflicts=True,
        unique_fields=["link", "date"],
        update_fields=["cost_cents", "impressions", "clicks", "estimated_reach"],
    )
    return len(wanted) - updated, updated


def import_csv(text: str, *, links: dict[str, ChannelLink], is_dry_run: bool) -> ImportReport:
    """Import a CSV with the columns of `COLUMNS`; with any bad line nothing is stored.

    Raises:
        InvalidInput: not these columns, or too many lines.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    missing = {"link", "date", "cost_cents"} - set(reader.fieldnames or [])
    unknown = set(reader.fieldnames or []) - set(COLUMNS)
    if missing or unknown:
        raise InvalidInput(
            "/csv", _("The first line must name the columns: %s.") % ", ".join(COLUMNS), reason="columns"
        )
    rows: list[CostRow] = []
    errors: list[dict[str, object]] = []
    for number, cells in enumerate(reader, start=2):
        if number > MOST_ROWS + 1:
            raise InvalidInput("/csv", _("At most %s lines at once.") % MOST_ROWS, reason="too-long")
        try:
            rows.append(_parse(cells, links))
        except (ValueError, TypeError) as error:
            errors.append({"line": number, "detail": str(error)})
    if errors or is_dry_run:
        return ImportReport(created=0, updated=0, errors=errors)
    created, updated = upsert(rows, links=links)
    return ImportReport(created=created, updated=updated, errors=[])


def as_dict(report: ImportReport) -> dict[str, object]:
    """Return the report as the API gives it."""
    return asdict(report)


def _parse(cells: dict[str, str], links: dict[str, ChannelLink]) -> CostRow:
    code = (cells["link"] or "").strip()
    if code not in links:
        raise ValueError(_("There is no link %s.") % code)
    return CostRow(
        link=code,
        date=date.fromisoformat(cells["date"].strip()),
        cost_cents=Cents(_count(cells, "cost_cents", most=MAX_CENTS)),
        impressions=_count(cells, "impressions"),
        clicks=_count(cells, "clicks"),
        estimated_reach=_count(cells, "estimated_reach"),
    )


def _count(cells: dict[str, str], column: str, *, most: int = MOST_COUNT) -> int:
    text = (cells.get(column) or "0").strip()
    number = int(text)
    if not 0 <= number <= most:
        raise ValueError(_("%(column)s cannot be %(value)s.") % {"column": column, "value": text})
    return number
