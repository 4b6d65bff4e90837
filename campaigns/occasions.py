"""When, where and by whom offers can be used together. Pure: it asks the evaluator's conditions.

An occasion answers everything that a condition may ask but the cart. Of the many there are, only
those are kept that let the most offers apply: whatever fewer offers can do, those can do too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.pricing import Cart, CartLine, Conditions, Facts, Offer, Situation, checks

MAX_MOMENTS = 512
MAX_OCCASIONS = 16
"""Of more, those with the most offers are looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A store as rules know it."""

    store: str
    city: str
    timezone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """One moment at one store with one buyer, who is all that may be asked at once.

    The buyer is a member in every segment, joined today, whose birthday it is.
    """

    at: datetime
    place: Place
    order_type: str
    payment_method: str | None = None
    tier: str | None = None
    channel: str | None = None
    order_count: int = 0
    segments: frozenset[str] = frozenset()

    @property
    def local_time(self) -> datetime:
        """Return the time on the store's wall."""
        return self.at.astimezone(ZoneInfo(self.place.timezone))

    @property
    def facts(self) -> Facts:
        """Return the buyer."""
        return Facts(
            member="anybody",
            order_count=self.order_count,
            tier=self.tier,
            acquisition_channel=self.channel,
            birthday=self.local_time.date(),
            segments=self.segments,
            days_since_joined=0,
        )

    def cart(self, *lines: CartLine) -> Cart:
        """Return a cart with these lines."""
        return Cart(
            lines=lines,
            store=self.place.store,
            city=self.place.city,
            order_type=self.order_type,
            local_time=self.local_time,
            payment_method=self.payment_method,
        )


ASKED: dict[str, tuple[str, ...]] = {
    "at": ("starts_at", "ends_at", "hours"),
    "place": ("stores", "cities"),
    "order_type": ("order_types",),
    "payment_method": ("payment_methods",),
    "tier": ("tiers",),
    "channel": ("channels",),
    "order_count": ("first_order_only", "nth_order"),
}
"""For each thing that differs by occasion: the conditions that ask for it."""

Set = int
"""A set of offers, one bit for each in the order in which they were given."""


def together(
    candidate: Offer,
    others: Sequence[Offer],
    *,
    places: Sequence[Place],
    order_types: Sequence[str],
    now: datetime,
) -> list[tuple[Occasion, list[Offer]]]:
    """Return the occasions for the candidate from now on, each with the others it may meet there.

    Moments are now, the beginnings of periods, and in the week after each of them the beginnings
    of weekly hours: where windows overlap, they do so from the beginning of one of them.
    """
    offers = [candidate, *others]
    everybody = frozenset(s for offer in offers for s in offer.rule.conditions.segments)
    first = Occasion(at=now, place=places[0], order_type=order_types[0], segments=everybody)
    found: list[tuple[Occasion, Set]] = [(first, (1 << len(offers)) - 1)]
    choices = _choices(offers, places=places, order_types=order_types, now=now)
    for name, values in choices.items():
        reach = [(value, _open(offers, name, replace(first, **{name: value}))) for value in values]
        widest = _widest([(value, offers_then) for value, offers_then in reach if offers_then & 1])
        found = _widest(
            [
                (replace(occasion, **{name: value}), reached & offers_then)
                for occasion, reached in found
                for value, offers_then in widest
            ]
        )
    return [
        (occasion, [other for bit, other in enumerate(others, start=1) if reached >> bit & 1])
        for occasion, reached in found
    ]


def _widest(reach: list[tuple[Any, Set]]) -> list[tuple[Any, Set]]:
    """Return those that no other one covers, those with the most offers first."""
    kept: list[tuple[Any, Set]] = []
    for value, offers in sorted(reach, key=lambda each: -each[1].bit_count()):
        if len(kept) == MAX_OCCASIONS:
            break
        if not any(offers & ~wider == 0 for _value, wider in kept):
            kept.append((value, offers))
    return kept


def _open(offers: Sequence[Offer], name: str, occasion: Occasion) -> Set:
    """Return the offers whose conditions about this one thing hold."""
    situation = Situation(cart=occasion.cart(), facts=occasion.facts, now=occasion.at)
    reached = 0
    for bit, offer in enumerate(offers):
        asked = offer.rule.conditions
        about = Conditions(**{field: getattr(asked, field) for field in ASKED[name]})
        if all(check.passed for check in checks(about, situation)):
            reached |= 1 << bit
    return reached


def _choices(
    offers: Sequence[Offer], *, places: Sequence[Place], order_types: Sequence[str], now: datetime
) -> dict[str, list[Any]]:
    asked = [offer.rule.conditions for offer in offers]
    return {
        "at": list(islice(_moments(asked, now=now, timezone=places[0].timezone), MAX_MOMENTS)),
        "place": list(places),
        "order_type": list(order_types),
        "payment_method": [None, *_named(c.payment_methods for c in asked)],
        "tier": [None, *_named(c.tiers for c in asked)],
        "channel": [None, *_named(c.channels for c in asked)],
        "order_count": sorted({0, 1, *(c.nth_order - 1 for c in asked if c.nth_order)}),
    }


def _named(sets: Iterable[frozenset[str]]) -> list[str]:
    return sorted(frozenset().union(*sets))


def _moments(asked: Sequence[Conditions], *, now: datetime, timezone: str) -> Iterator[datetime]:
    """Yield every moment at which something begins, the earliest beginnings first."""
    later = {c.starts_at for c in asked if c.starts_at is not None and c.starts_at > now}
    bases = [now, *sorted(later)]
    yield from bases
    windows = dict.fromkeys(hours for conditions in asked for hours in conditions.hours)
    for base in bases:
        local = base.astimezone(ZoneInfo(timezone))
        for window in windows:
            start = window.next_start(local)
            while start <= local + timedelta(days=7):
                yield start
                start = window.next_start(start)
