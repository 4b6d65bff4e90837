"""What channels cost: daily rows per link, by hand or from a file. Their only writer."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns import cost_files, cost_rows
from campaigns.cost_files import CLAIMS, COUNTS, PLAIN, Line, Preset
from campaigns.cost_rows import CostRow, Key, Unreadable
from campaigns.currencies import COMPANY_CURRENCY
from campaigns.models import AdUnit, ChannelLink, DailyCost
from shop.kernel.errors import DomainError, InvalidInput

__all__ = [
    "CostRow",
    "CostsCountedTwice",
    "ImportReport",
    "LineReport",
    "Outcome",
    "Reading",
    "ensure_counted_once",
    "import_csv",
    "upsert",
]

CODE = re.compile(r"[A-Za-z0-9]{4,12}")
MOST_SHOWN = 40
WRITTEN = [
    "cost_cents",
    "currency",
    "original_minor",
    "exchange_rate",
    *COUNTS,
    *CLAIMS,
]


class CostsCountedTwice(DomainError):
    """A link's day has costs in all already, or for each keyword; both would count money twice."""

    code = "costs-counted-twice"
    title = _("This day has costs in all and for each keyword; keep one of the two.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How a file is read: whose columns it has, and what holds for lines that do not say."""

    preset: Preset = PLAIN
    link: str = ""
    currency: str = COMPANY_CURRENCY
    exchange_rate: Decimal | None = None
    skips_refused: bool = False


class Outcome(StrEnum):
    """What becomes of a line of an import."""

    CREATED = "created"
    UPDATED = "updated"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class LineReport:
    """What became of one line; `line` counts from 1, the header included.

    `cost_cents` is what the line says, in the company's currency; `replaces_cents` what stood there
    before, for the link, day and keyword in all.
    """

    line: int
    outcome: Outcome
    link: str
    date: str
    keyword: str = ""
    cost_cents: int | None = None
    replaces_cents: int | None = None
    detail: str | Promise = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """What an import did or would do; a dry run stores nothing, a refused line stops the others."""

    is_stored: bool
    lines: list[LineReport]

    def count(self, outcome: Outcome) -> int:
        """Return how many lines came out like this."""
        return sum(line.outcome == outcome for line in self.lines)


@dataclass(slots=True)
class _Sorted:
    """The lines of a file: what each says, and why the others cannot be used."""

    rows: dict[int, CostRow] = field(default_factory=dict)
    refused: dict[int, str | Promise] = field(default_factory=dict)
    first_of: dict[Key, int] = field(default_factory=dict)


@transaction.atomic
def upsert(rows: Sequence[CostRow], *, links: Mapping[str, ChannelLink]) -> tuple[int, int]:
    """Store rows, replacing those of the same (link, date, keyword). Return (created, updated).

    Locks the links in ascending id, so that two imports take turns and neither misses the other's
    keywords.

    Raises:
        CostsCountedTwice
    """
    wanted = {row.key: row for row in rows}
    named = {links[row.link].pk for row in rows}
    list(ChannelLink.objects.select_for_update(no_key=True).filter(pk__in=named).order_by("pk"))
    clashes = _clashes(wanted.values())
    if clashes:
        link, day = min(clashes)
        raise CostsCountedTwice(link=link, date=day.isoformat())
    known = _known(wanted.values())
    DailyCost.objects.bulk_create(
        [
            DailyCost(
                link=links[row.link],
                date=row.date,
                keyword=row.keyword,
                **{name: getattr(row, name) for name in WRITTEN},
            )
            for _key, row in sorted(wanted.items())
        ],
        batch_size=2_000,
        update_conflicts=True,
        unique_fields=["link", "date", "keyword"],
        update_fields=WRITTEN,
    )
    return len(wanted) - len(known), len(known)


@transaction.atomic
def import_csv(
    text: str,
    *,
    links: QuerySet[ChannelLink],
    is_dry_run: bool,
    reading: Reading | None = None,
) -> ImportReport:
    """Import a CSV for these links; all lines are stored, or none unless refused ones are skipped.

    In a platform's report several ads may lead to one link: their lines are added up.

    Raises:
        InvalidInput: not these columns, not a CSV, or too many lines.
        CostsCountedTwice: another import was faster.
    """
    reading = reading or Reading()
    lines = list(cost_files.read(text, preset=reading.preset, has_default_link=bool(reading.link)))
    known_links = _links_of(lines, links, reading)
    sorted_lines = _sort(lines, known_links, reading)
    summed = _summed(sorted_lines)
    _refuse_clashes(sorted_lines, summed)
    summed = _summed(sorted_lines)
    known = _known(summed.values())
    may_store = not sorted_lines.refused or reading.skips_refused
    is_stored = bool(summed) and may_store and not is_dry_run
    if is_stored:
        upsert(list(summed.values()), links=known_links.by_code)
    return ImportReport(
        is_stored=is_stored,
        lines=[_report(line, sorted_lines, known) for line in lines],
    )


@dataclass(frozen=True, slots=True)
class _KnownLinks:
    by_code: Mapping[str, ChannelLink]
    code_of_ad: Mapping[str, str]


@transaction.atomic
def ensure_counted_once(
    *, link_id: int, day: date, keyword: str, except_id: int | None = None
) -> None:
    """Keep a row that somebody types from counting a day twice; locks the link like `upsert`.

    Raises:
        CostsCountedTwice
    """
    link = ChannelLink.objects.select_for_update(no_key=True).get(pk=link_id)
    others = DailyCost.objects.filter(link=link, date=day)
    if except_id is not None:
        others = others.exclude(pk=except_id)
    clashing = others.filter(keyword="") if keyword else others.exclude(keyword="")
    if clashing.exists():
        raise CostsCountedTwice(link=link.code, date=day.isoformat())


def _links_of(lines: Sequence[Line], links: QuerySet[ChannelLink], reading: Reading) -> _KnownLinks:
    """Return the links that lines name by code, in the name of an ad, or by the ad's number."""
    codes = {line.cells.get("link", "") for line in lines} | {reading.link}
    for line in lines:
        codes.update(code for name in line.names for code in CODE.findall(name))
    code_of_ad = dict(
        AdUnit.objects.filter(
            platform=reading.preset.platform,
            external_id__in={ad for line in lines for ad in line.ad_ids},
            link__in=links,
        ).values_list("external_id", "link__code")
    )
    found = links.filter(code__in=codes | set(code_of_ad.values()))
    return _KnownLinks({link.code: link for link in found}, code_of_ad)


def _sort(lines: Sequence[Line], links: _KnownLinks, reading: Reading) -> _Sorted:
    found = _Sorted()
    is_reported = bool(reading.preset.platform)
    try:
        paid = cost_rows.money_of(reading.currency, reading.exchange_rate)
    except Unreadable as error:
        raise InvalidInput("/currency", error.detail) from error
    for line in lines:
        try:
            code = _code_of(line, links, reading)
            row = cost_rows.parse(line, code=code, paid=paid, is_reported=is_reported)
            first = found.first_of.setdefault(row.key, line.number)
            if first != line.number and not is_reported:
                raise Unreadable(_("This link and day stand in the file twice."))
        except Unreadable as error:
            found.refused[line.number] = error.detail
        else:
            found.rows[line.number] = row
    return found


def _code_of(line: Line, links: _KnownLinks, reading: Reading) -> str:
    """Return the link that a line is about: named, written into the ad's name, or the ad's own."""
    named = line.cells.get("link", "")
    if named:
        candidates = {named}
    else:
        written = {code for name in line.names for code in CODE.findall(name)}
        candidates = written & set(links.by_code)
        candidates = candidates or {
            links.code_of_ad[ad] for ad in line.ad_ids if ad in links.code_of_ad
        }
        candidates = candidates or {reading.link}
    if len(candidates) > 1:
        raise Unreadable(_("The line names several links: %s.") % ", ".join(sorted(candidates)))
    (code,) = candidates
    if code in links.by_code:
        return code
    if not code and reading.preset.platform:
        raise Unreadable(
            _("No link is known for this ad: write its code into the ad's name, or enter the ad.")
        )
    raise Unreadable(_("There is no such link, or its costs are not yours to enter."))


def _summed(found: _Sorted) -> dict[Key, CostRow]:
    """Return the rows of all usable lines, those of one link, day and keyword added up."""
    sums: dict[Key, CostRow] = {}
    for row in found.rows.values():
        before = sums.get(row.key)
        sums[row.key] = row if before is None else cost_rows.plus(before, row)
    return sums


def _refuse_clashes(found: _Sorted, summed: Mapping[Key, CostRow]) -> None:
    """Refuse lines that would count a day twice, and those whose sum has several currencies."""
    clashes = _clashes(summed.values())
    for number, row in list(found.rows.items()):
        total = summed[row.key]
        if (row.link, row.date) in clashes:
            found.refused[number] = CostsCountedTwice.title
        elif (row.currency, row.exchange_rate) != (total.currency, total.exchange_rate):
            found.refused[number] = _("Lines of one link and day need one currency and one rate.")
        elif cost_rows.is_too_large(total):
            found.refused[number] = _("This amount is too large.")
        else:
            continue
        del found.rows[number]


def _clashes(rows: Collection[CostRow]) -> set[tuple[str, date]]:
    """Return the links and days that would have a row in all beside rows of keywords."""
    wanted = {(row.link, row.date) for row in rows}
    in_all = {(row.link, row.date) for row in rows if not row.keyword}
    by_keyword = {(row.link, row.date) for row in rows if row.keyword}
    for code, day, keyword in _existing(rows).values_list("link__code", "date", "keyword"):
        (by_keyword if keyword else in_all).add((code, day))
    return wanted & in_all & by_keyword


def _known(rows: Collection[CostRow]) -> dict[Key, int]:
    """Return which of these have a row already, with its cost."""
    wanted = {row.key for row in rows}
    columns = ("link__code", "date", "keyword", "cost_cents")
    found = {tuple(key): cents for *key, cents in _existing(rows).values_list(*columns)}
    return {key: cents for key, cents in found.items() if key in wanted}


def _existing(rows: Collection[CostRow]) -> QuerySet[DailyCost]:
    return DailyCost.objects.filter(
        link__code__in={row.link for row in rows}, date__in={row.date for row in rows}
    )


def _report(line: Line, found: _Sorted, known: Mapping[Key, int]) -> LineReport:
    row = found.rows.get(line.number)
    if row is None:
        return LineReport(
            line=line.number,
            outcome=Outcome.REFUSED,
            link=(line.cells.get("link", "") or "、".join(line.names))[:MOST_SHOWN],
            date=line.cells.get("date", "")[:20],
            keyword=line.cells.get("keyword", "")[:MOST_SHOWN],
            detail=found.refused[line.number],
        )
    first = found.first_of[row.key]
    together = _("Added to line %s.") % first if first != line.number else ""
    return LineReport(
        line=line.number,
        outcome=Outcome.UPDATED if row.key in known else Outcome.CREATED,
        link=row.link,
        date=row.date.isoformat(),
        keyword=row.keyword,
        cost_cents=row.cost_cents,
        replaces_cents=known.get(row.key),
        detail=together,
    )
