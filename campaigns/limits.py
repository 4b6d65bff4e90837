"""Limits of offers, counted in the database, so that no rush takes an offer past them.

Only what is limited is counted: an offer without limits and budget writes no hot row. The counters
are the last rows that a flow locks, in the same order everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from campaigns.models import UsageCounter
from campaigns.pricing import Reason
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.models import Store

Dimension = UsageCounter.Dimension


REASONS: dict[str, Reason] = {
    Dimension.TOTAL: Reason.USAGE_LIMIT_REACHED,
    Dimension.MEMBER: Reason.PER_MEMBER_LIMIT_REACHED,
    Dimension.STORE: Reason.STORE_LIMIT_REACHED,
    Dimension.DAY: Reason.DAILY_LIMIT_REACHED,
    Dimension.WEEK: Reason.WEEKLY_LIMIT_REACHED,
    Dimension.MONTH: Reason.MONTHLY_LIMIT_REACHED,
}
"""For each dimension: why an offer is refused once its limit is reached."""


UNUSED = (0, 0)
"""Uses and cents where nothing was counted yet."""


class OfferLimitReached(DomainError):
    """Others were faster: a limit of the offer, or its budget, was used up meanwhile."""

    code = "offer-limit-reached"
    title = _("An offer of the order has been used up.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where and by whom an offer is used; `day` is the store's business day."""

    store_id: int
    member_id: int | None
    day: date

    @property
    def keys(self) -> dict[str, str]:
        """Return the key of each dimension that applies; a guest has none of the member's."""
        year, week, _weekday = self.day.isocalendar()
        keys: dict[str, str] = {
            Dimension.TOTAL: "",
            Dimension.STORE: str(self.store_id),
            Dimension.DAY: self.day.isoformat(),
            Dimension.WEEK: f"{year}-W{week:02d}",
            Dimension.MONTH: f"{self.day:%Y-%m}",
        }
        if self.member_id is not None:
            keys[Dimension.MEMBER] = str(self.member_id)
        return keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How often an offer may be used, by dimension, and how much it may give in all."""

    offer: str
    uses: Mapping[str, int]
    budget_cents: Cents | None = None

    @property
    def dimensions(self) -> list[str]:
        """Return what has to be counted."""
        counted = set(self.uses) | ({Dimension.TOTAL} if self.budget_cents is not None else set())
        return sorted(counted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """Uses of a limited offer by one order, and what they give together."""

    limits: Limits
    discount_cents: Cents
    times: int = 1


def place_of(store: Store, *, member_id: int | None, now: datetime) -> Place:
    """Return where a use at this moment counts."""
    return Place(store_id=store.pk, member_id=member_id, day=store.business_date(now))


def counted(offers: Sequence[str], *, place: Place) -> dict[str, dict[str, tuple[int, int]]]:
    """Return uses and cents of each of these offers here, by dimension, in one statement."""
    keys = place.keys
    found: dict[str, dict[str, tuple[int, int]]] = {offer: {} for offer in offers}
    values = {"offers": list(offers), "dimensions": list(keys), "keys": list(keys.values())}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTERS_SQL, values)
        for offer, dimension, used, spent_cents in cursor.fetchall():
            found[offer][dimension] = (used, spent_cents)
    return found


_COUNTERS_SQL = """
SELECT counter.offer, counter.dimension, counter.used, counter.spent_cents
FROM campaigns_usagecounter counter
JOIN unnest(%(dimensions)s::text[], %(keys)s::text[]) AS here (dimension, key)
     USING (dimension, key)
WHERE counter.offer = ANY(%(offers)s)
"""


def recount(bounds: Limits, uses: Iterable[tuple[Place, Cents]]) -> None:
    """Write an offer's counters anew from its standing uses; the caller keeps new ones out."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, discount_cents in uses:
        for dimension, key in place.keys.items():
            if dimension in bounds.dimensions:
                counter = found.setdefault((dimension, key), [0, 0])
                counter[0] += 1
                counter[1] += discount_cents
    UsageCounter.objects.filter(offer=bounds.offer).delete()
    UsageCounter.objects.bulk_create(
        UsageCounter(
            offer=bounds.offer, dimension=dimension, key=key, used=n, spent_cents=Cents(cents)
        )
        for (dimension, key), (n, cents) in sorted(found.items())
    )


def take(uses: Sequence[Use], *, place: Place) -> None:
    """Count each use against every limit of its offer, all or none.

    Raises:
        OfferLimitReached: names the offer and the limit; the caller's transaction rolls back.
    """
    values = _values(uses, place)
    if not values["offers"]:
        return
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_SQL, values)
        refused = cursor.fetchone()
    if refused is not None:
        offer, dimension = refused
        raise OfferLimitReached(offer=offer, limit=dimension)


def hand_over(*, source_id: int, target_id: int) -> None:
    """Count what one membership of a person used with what the other did; it may exceed a limit."""
    values = {"source": str(source_id), "target": str(target_id)}
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER_SQL, values)


_HAND_OVER_SQL = """
WITH theirs AS (
    DELETE FROM campaigns_usagecounter WHERE dimension = 'member' AND key = %(source)s
    RETURNING offer, used, spent_cents
)
INSERT INTO campaigns_usagecounter AS mine (offer, dimension, key, used, spent_cents)
SELECT offer, 'member', %(target)s, used, spent_cents FROM theirs ORDER BY offer
ON CONFLICT (offer, dimension, key) DO UPDATE
SET used = mine.used + EXCLUDED.used, spent_cents = mine.spent_cents + EXCLUDED.spent_cents
"""


def give_back(uses: Sequence[Use], *, place: Place) -> None:
    """Uncount uses that were counted at this place."""
    values = _values(uses, place)
    if values["offers"]:
        with connection.cursor() as cursor:
            cursor.execute(_GIVE_BACK_SQL, values)


def _values(uses: Sequence[Use], place: Place) -> dict[str, list[Any]]:
    keys = place.keys
    rows = [
        (
            use.limits.offer,
            dimension,
            keys[dimension],
            use.limits.uses.get(dimension),
            use.limits.budget_cents if dimension == Dimension.TOTAL else None,
            use.discount_cents,
            use.times,
        )
        for use in uses
        for dimension in use.limits.dimensions
        if dimension in keys
    ]
    names = ("offers", "dimensions", "keys", "most", "budgets", "cents", "times")
    columns = zip(*rows, strict=True) if rows else ([] for _name in names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


_WANTED = """
wanted AS (
    SELECT * FROM unnest(%(offers)s::text[], %(dimensions)s::text[], %(keys)s::text[],
                         %(most)s::int[], %(budgets)s::bigint[], %(cents)s::bigint[],
                         %(times)s::int[])
        AS wanted (offer, dimension, key, most, budget, cents, times)
)
"""

# The condition of the update is asked of the newest version of the row, once it is locked.
_TAKE_SQL = f"""
WITH {_WANTED},
counted AS (
    INSERT INTO campaigns_usagecounter AS counter (offer, dimension, key, used, spent_cents)
    SELECT offer, dimension, key, times, cents FROM wanted
    WHERE (most IS NULL OR most >= times) AND (budget IS NULL OR budget >= cents)
    ORDER BY offer, dimension, key
    ON CONFLICT (offer, dimension, key) DO UPDATE
        SET used = counter.used + excluded.used,
            spent_cents = counter.spent_cents + excluded.spent_cents
        WHERE EXISTS (
            SELECT 1 FROM wanted
            WHERE (wanted.offer, wanted.dimension, wanted.key)
                  = (counter.offer, counter.dimension, counter.key)
              AND (wanted.most IS NULL OR counter.used + wanted.times <= wanted.most)
              AND (wanted.budget IS NULL OR counter.spent_cents + wanted.cents <= wanted.budget)
        )
    RETURNING offer, dimension, key
)
SELECT wanted.offer, wanted.dimension
FROM wanted LEFT JOIN counted USING (offer, dimension, key)
WHERE counted.offer IS NULL
ORDER BY 1, 2 LIMIT 1
"""  # noqa: S608 - the interpolated part is a constant

_GIVE_BACK_SQL = f"""
WITH {_WANTED},
locked AS (
    SELECT counter.id, wanted.cents, wanted.times
    FROM campaigns_usagecounter counter JOIN wanted USING (offer, dimension, key)
    ORDER BY counter.offer, counter.dimension, counter.key FOR NO KEY UPDATE OF counter
)
UPDATE campaigns_usagecounter counter
SET used = counter.used - locked.times, spent_cents = counter.spent_cents - locked.cents
FROM locked WHERE counter.id = locked.id
"""  # noqa: S608 - the interpolated part is a constant
