"""What a benefit gives month by month, as a document says it and as its versions do."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from loyalty import document_rows
from loyalty.document_rows import Row
from loyalty.models import Benefit, BenefitVersion
from shop.kernel.errors import InvalidInput

GIVES = [
    "is_active",
    "coupon",
    "quantity",
    "percent",
    "amount_cents",
    "products",
    "categories",
    "text_zh",
    "text_en",
]
SINCE = "from_month"

Months = Mapping[date, Row]
"""What is given from the first of a month on; what stands now has the first of this month.

Each row also says since when, for those who read it; that is not compared.
"""


def load(benefit: Benefit, *, today: date) -> Months:
    """Return what a benefit gives this month and will in later ones."""
    this_month = today.replace(day=1)
    found: dict[date, Row] = {}
    for version in benefit.versions.order_by("effective_month", "pk"):
        since = {SINCE: f"{version.effective_month:%Y-%m}"}
        found[max(version.effective_month, this_month)] = since | document_rows.write(
            version, GIVES
        )
    return found


def read(data: Any, *, at: str, today: date) -> Months:
    """Return what a document says; of the months that have begun the last counts.

    Raises:
        InvalidInput
    """
    found: dict[date, Row] = {}
    for index, item in enumerate(document_rows.listed(data, at=at)):
        place = f"{at}/{index}"
        usual = document_rows.defaults(BenefitVersion, GIVES)
        document_rows.ensure_fields(item, names=[SINCE, *GIVES], optional=usual, at=place)
        month = _month(item[SINCE], at=f"{place}/{SINCE}")
        gives = {name: value for name, value in item.items() if name != SINCE}
        row = document_rows.read(BenefitVersion, gives, names=GIVES, at=place)
        document_rows.ensure_new(month, found, at=place)
        found[month] = {SINCE: f"{month:%Y-%m}"} | row
    if not found:
        raise InvalidInput(at, _("Say what the benefit gives from a month on."), reason="missing")
    this_month = today.replace(day=1)
    return {max(month, this_month): row for month, row in sorted(found.items())}


def write(months: Months) -> list[Row]:
    """Return what a document says, without what goes without saying."""
    return [document_rows.terse(BenefitVersion, row) for row in months.values()]


def ended(months: Months, *, today: date) -> Months:
    """Return the same up to this month, and nothing given from the next on."""
    if not any(row["is_active"] for row in months.values()):
        return months
    next_month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    nothing = {**months[min(months)], "is_active": False, SINCE: f"{next_month:%Y-%m}"}
    return {month: row for month, row in months.items() if month < next_month} | {
        next_month: nothing
    }


def changed(old: Months, new: Months) -> Months:
    """Return what has to be said anew, so that each month gives what is wanted."""
    return {
        month: given_in(month, new)
        for month in sorted({*old, *new})
        if given_in(month, old) != given_in(month, new)
    }


def given_in(month: date, months: Months) -> Row:
    """Return what is given in a month, nothing before the first."""
    begun = [since for since in months if since <= month]
    row = months[max(begun)] if begun else {}
    return {name: value for name, value in row.items() if name != SINCE}


def _month(raw: Any, *, at: str) -> date:
    try:
        return date.fromisoformat(f"{raw}-01")
    except ValueError as error:
        raise InvalidInput(at, _("This must be a month like 2026-12."), reason="type") from error
