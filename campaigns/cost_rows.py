"""One link's cost of one day, and how a line of a file becomes one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns import currencies
from campaigns.cost_files import CLAIMS, COUNTS, Line
from campaigns.currencies import COMPANY_CURRENCY, MINOR_DIGITS
from campaigns.models import DailyCost
from shop.kernel.clock import YEARS
from shop.kernel.money import MAX_CENTS, Cents

MOST_COUNT = 2_000_000_000
MOST_KEYWORD = 80
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
REPORTED_DAY = re.compile(
    r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?: 00:00(?::00)?)?\Z", re.ASCII
)
NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,8})?\Z", re.ASCII)
Key = tuple[str, date, str]


class Unreadable(Exception):
    """A line that is no cost; says why."""

    def __init__(self, detail: str | Promise) -> None:
        self.detail = detail


@dataclass(frozen=True, kw_only=True, slots=True)
class CostRow:
    """One link's cost of one day, in the company's currency; for search ads of one keyword.

    What was paid in another currency stands beside it, in the smallest unit of that currency.
    """

    link: str
    date: date
    cost_cents: Cents
    keyword: str = ""
    currency: str = COMPANY_CURRENCY
    original_minor: int | None = None
    exchange_rate: Decimal | None = None
    impressions: int = 0
    clicks: int = 0
    estimated_reach: int = 0
    claimed_conversions: int | None = None
    claimed_value_cents: int | None = None

    @property
    def key(self) -> Key:
        """Return what there is only one row of."""
        return self.link, self.date, self.keyword


@dataclass(frozen=True, kw_only=True, slots=True)
class Paid:
    """In which money the amounts of a line are; a foreign one comes with its rate."""

    currency: str = COMPANY_CURRENCY
    rate: Decimal | None = None

    def in_cents(self, minor: int) -> Cents:
        """Return an amount in the company's currency."""
        if self.rate is None:
            return Cents(minor)
        return currencies.to_cents(minor, currency=self.currency, rate=self.rate)


def priced(row: CostRow, paid: Paid) -> CostRow:
    """Return a row whose amounts are in a currency, with them in the company's and the original."""
    if paid.rate is None:
        return row
    claimed = row.claimed_value_cents
    return replace(
        row,
        cost_cents=paid.in_cents(row.cost_cents),
        currency=paid.currency,
        original_minor=row.cost_cents,
        exchange_rate=paid.rate,
        claimed_value_cents=None if claimed is None else paid.in_cents(claimed),
    )


def plus(one: CostRow, other: CostRow) -> CostRow:
    """Return the sum of two rows of one link, day and keyword."""
    names = ["cost_cents", "original_minor", *COUNTS, *CLAIMS]
    sums: dict[str, Any] = {n: _sum(getattr(one, n), getattr(other, n)) for n in names}
    return replace(one, **sums)


def is_too_large(row: CostRow) -> bool:
    """Tell whether a row, by itself or as a sum, has more than its columns hold."""
    amounts = [row.cost_cents, row.original_minor, row.claimed_value_cents]
    counts = [getattr(row, name) for name in (*COUNTS, "claimed_conversions")]
    return (
        max(amount or 0 for amount in amounts) > MAX_CENTS
        or max(count or 0 for count in counts) > MOST_COUNT
    )


def parse(line: Line, *, code: str, paid: Paid, is_reported: bool) -> CostRow:
    """Return the cost that a line tells of; a platform's report has whole units and free dates.

    Raises:
        Unreadable
    """
    if line.has_too_many:
        raise Unreadable(_("The line has more cells than the first line names."))
    cells = line.cells
    paid = _paid(cells, paid)
    keyword = cells.get("keyword", "")
    if len(keyword) > MOST_KEYWORD or "\x00" in keyword:
        raise Unreadable(_("The keyword is too long."))
    read_amount = _whole_units if is_reported else _smallest_units
    row = CostRow(
        link=code,
        date=_reported_day(cells) if is_reported else _day(cells),
        keyword=keyword,
        cost_cents=Cents(read_amount(cells, "cost_cents", paid)),
        impressions=_count(cells, "impressions", is_reported=is_reported),
        clicks=_count(cells, "clicks", is_reported=is_reported),
        estimated_reach=_count(cells, "estimated_reach", is_reported=is_reported),
        claimed_conversions=(
            _count(cells, "claimed_conversions", is_reported=is_reported)
            if cells.get("claimed_conversions")
            else None
        ),
        claimed_value_cents=(
            read_amount(cells, "claimed_value_cents", paid)
            if cells.get("claimed_value_cents")
            else None
        ),
    )
    row = priced(row, paid)
    if is_too_large(row):
        raise Unreadable(_("This amount is too large."))
    return row


def money_of(currency: str, rate: Decimal | None) -> Paid:
    """Return in which money amounts are.

    Raises:
        Unreadable: an unknown currency, a foreign one without a rate, or a rate for our own.
    """
    currency = currency.strip().upper() or COMPANY_CURRENCY
    if currency not in MINOR_DIGITS:
        raise Unreadable(_("Not a currency that ads are paid in here."))
    if currency == COMPANY_CURRENCY:
        if rate not in (None, 1):
            raise Unreadable(_("The company's own currency has no exchange rate."))
        return Paid()
    if rate is None:
        raise Unreadable(_("Another currency needs the exchange rate."))
    return Paid(currency=currency, rate=rate)


def _paid(cells: Mapping[str, str], default: Paid) -> Paid:
    named, rate_text = cells.get("currency", ""), cells.get("exchange_rate", "")
    if not named and not rate_text:
        return default
    rate: Decimal | None
    if rate_text:
        rate = _decimal(rate_text, "exchange_rate")
        if not 0 < rate < currencies.MOST_RATE:
            raise Unreadable(_("%s must be a number above 0.") % "exchange_rate")
    else:
        rate = default.rate if named.upper() == default.currency else None
    return money_of(named or default.currency, rate)


def _day(cells: Mapping[str, str]) -> date:
    text = cells.get("date", "")
    try:
        if not ISO_DAY.match(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(_("The day must look like 2026-05-18.")) from error
    return _in_range(day)


def _reported_day(cells: Mapping[str, str]) -> date:
    """Return the day of a platform's report; a span must be of one day."""
    parts = re.split(r"\s*(?:~|至|\s-\s)\s*", cells.get("date", ""))
    found = [REPORTED_DAY.match(part) for part in parts]
    days = {match.groups() for match in found if match}
    if not all(found) or len(days) != 1:
        raise Unreadable(_("The day must look like 2026-05-18."))
    year, month, day = map(int, next(iter(days)))
    try:
        return _in_range(date(year, month, day))
    except ValueError as error:
        raise Unreadable(_("The day must look like 2026-05-18.")) from error


def _in_range(day: date) -> date:
    if day.year not in YEARS:
        raise Unreadable(_("The day must look like 2026-05-18."))
    return day


def _smallest_units(cells: Mapping[str, str], column: str, paid: Paid) -> int:
    text = cells.get(column, "")
    if not _is_whole(text) or int(text) > MAX_CENTS:
        raise Unreadable(_("%s must be a whole number, 0 or more.") % column)
    return int(text)


def _whole_units(cells: Mapping[str, str], column: str, paid: Paid) -> int:
    """Return an amount that is written in yuan or dollars, in the smallest unit."""
    text = cells.get(column, "")
    if not text and column == "cost_cents":
        return 0
    amount = currencies.to_minor(_decimal(text, _said(column)), currency=paid.currency)
    if amount > MAX_CENTS:
        raise Unreadable(_("This amount is too large."))
    return amount


def _decimal(text: str, name: str) -> Decimal:
    plain = text.replace(",", "").lstrip("¥￥$ ")
    if not NUMBER.match(plain):
        raise Unreadable(_("%s must be a number, 0 or more.") % name)
    try:
        return Decimal(plain)
    except InvalidOperation as error:
        raise Unreadable(_("%s must be a number, 0 or more.") % name) from error


def _count(cells: Mapping[str, str], column: str, *, is_reported: bool) -> int:
    text = cells.get(column, "")
    if is_reported:
        text = re.sub(r"\.0+\Z", "", text.replace(",", ""))
    if not text:
        return 0
    if not _is_whole(text) or int(text) > MOST_COUNT:
        name = _said(column) if is_reported else column
        raise Unreadable(_("%s must be a whole number, 0 or more.") % name)
    return int(text)


def _said(column: str) -> str:
    """Return what a column is called where files have other names for it."""
    names = {field.name: field.verbose_name for field in DailyCost._meta.concrete_fields}
    return str(names[column])


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_CENTS))


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
