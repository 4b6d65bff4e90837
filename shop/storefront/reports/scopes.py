"""What a report is asked about: whose, of which days, told by what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from shop.models import Store
from shop.storefront.models import NEVER


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The business days in [since, until) of these stores, told by `by` and per `every`.

    `every` is empty for the whole period at once. Buyers are those whose first order was before
    `first_until`, which is what makes a period's own funnel; otherwise whoever has bought by now.
    """

    stores: Sequence[Store] = field(repr=False)
    since: date
    until: date
    now: datetime
    by: str = "channel"
    every: str = ""
    first_until: date = NEVER
    is_whole_chain: bool = False

    @property
    def today(self) -> date:
        """Return the business day; with stores in several time zones, the earliest."""
        days = [store.business_date(self.now) for store in self.stores]
        return min(days, default=self.now.date())

    @property
    def months(self) -> tuple[date, date]:
        """Return the whole months of the period, for which the sums of months do: [first, last).

        None where something is asked by day or week, or of who had bought by a certain day.
        """
        first = (self.since - timedelta(days=1)).replace(day=28) + timedelta(days=4)
        first, last = first.replace(day=1), self.until.replace(day=1)
        if self.every in ("day", "week") or self.first_until != NEVER or first >= last:
            return self.until, self.until
        return first, last

    def values(self) -> dict[str, Any]:
        """Return what statements ask for."""
        return {
            "stores": [store.pk for store in self.stores],
            "since": self.since,
            "until": self.until,
            "months_since": self.months[0],
            "months_until": self.months[1],
            "today": self.today,
            "first_until": self.first_until,
            "never": NEVER,
            "whole_chain": self.is_whole_chain,
        }
