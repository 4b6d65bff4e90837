"""When an offer may apply at all: questions about the time, the buyer, the store and the cart."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from campaigns.pricing.cart import NOTHING, Cart, Facts
from campaigns.pricing.reasons import Measure, Reason
from campaigns.pricing.scopes import Scope, distinct_products, quantity, spend_cents
from campaigns.pricing.validity import require, require_at_least
from shop.kernel.money import Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """A weekly time window on the store's wall clock, half-open.

    It may run past midnight and then belongs to the day it began on; equal times are 24 hours.
    Weekdays are ISO numbers, Monday 1 to Sunday 7; none means every day.
    """

    starts: time
    ends: time
    weekdays: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        require(
            self.weekdays <= frozenset(range(1, 8)),
            "weekdays",
            "out-of-range",
            "must be ISO weekdays, 1 for Monday to 7 for Sunday",
        )
        for field in ("starts", "ends"):
            is_naive = getattr(self, field).tzinfo is None
            require(is_naive, field, "wrong-type", "must be a wall-clock time without an offset")

    def include(self, local: datetime) -> bool:
        """Return whether the moment lies in the window."""
        now = local.time()
        if self.starts < self.ends:
            return self.starts <= now < self.ends and self._opens_on(local.date())
        if now >= self.starts:
            return self._opens_on(local.date())
        return now < self.ends and self._opens_on(local.date() - timedelta(days=1))

    def next_start(self, local: datetime) -> datetime:
        """Return the first beginning of the window after the moment."""
        days = (local.date() + timedelta(days=ahead) for ahead in range(8))
        starts = (
            datetime.combine(day, self.starts, tzinfo=local.tzinfo)
            for day in days
            if self._opens_on(day)
        )
        return next(start for start in starts if start > local)

    def _opens_on(self, day: date) -> bool:
        return not self.weekdays or day.isoweekday() in self.weekdays


class Match(StrEnum):
    """How a cart has to do with the goods that `contains` names."""

    ANY = "any"
    """At least one unit of them."""
    ALL = "all"
    """Something of every product and of every category listed."""
    NONE = "none"
    """Not one unit of them."""
    ONLY = "only"
    """Nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """Everything that must hold; what is left empty is not asked.

    Thresholds are inclusive and measured on undiscounted amounts: of `scope`, or of the whole
    cart, goods that no offer may discount included, when there is none. Such goods count for
    `contains` too. Of several tiers,
    segments, channels, stores, cities, order types, payment methods or hours, one is enough.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    members_only: bool = False
    tiers: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    first_order_only: bool = False
    nth_order: int | None = None
    birthday_within_days: int | None = None
    birthday_month: bool = False
    joined_within_days: int | None = None
    stores: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()
    order_types: frozenset[str] = frozenset()
    payment_methods: frozenset[str] = frozenset()
    hours: tuple[Hours, ...] = ()
    contains: Scope | None = None
    contains_match: Match = Match.ANY
    scope: Scope | None = None
    min_spend_cents: Cents = NOTHING
    max_spend_cents: Cents | None = None
    min_quantity: int = 0
    min_distinct_products: int = 0

    def __post_init__(self) -> None:
        require_at_least(
            0,
            {
                "min_spend_cents": self.min_spend_cents,
                "min_quantity": self.min_quantity,
                "min_distinct_products": self.min_distinct_products,
                "birthday_within_days": self.birthday_within_days,
                "joined_within_days": self.joined_within_days,
            },
        )
        require_at_least(1, {"nth_order": self.nth_order})
        require_at_least(self.min_spend_cents, {"max_spend_cents": self.max_spend_cents})
        for field in ("starts_at", "ends_at"):
            at = getattr(self, field)
            is_aware = at is None or at.tzinfo is not None
            require(is_aware, field, "wrong-type", "must be a time with an offset")
        if self.starts_at is not None and self.ends_at is not None:
            is_period = self.starts_at < self.ends_at
            require(is_period, "ends_at", "out-of-range", "must be after starts_at")


NO_CONDITIONS = Conditions()


class Check(NamedTuple):
    """One question: the reason to give if it failed, and what was needed and found."""

    reason: Reason
    passed: bool
    needed: Measure = None
    actual: Measure = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """Everything that conditions may look at."""

    cart: Cart
    facts: Facts
    now: datetime


def checks(conditions: Conditions, situation: Situation) -> Iterator[Check]:
    """Yield the answer to every question that the conditions ask.

    They come in the order in which a refusal is worth telling: the period, the buyer, the place
    and hour, and last what the buyer can still change, the cart.
    """
    for ask in (_about_period, _about_buyer, _about_history, _about_place, _about_cart):
        yield from ask(conditions, situation)


def _about_period(asked: Conditions, situation: Situation) -> Iterator[Check]:
    now = situation.now
    if asked.starts_at is not None:
        yield Check(Reason.NOT_STARTED, now >= asked.starts_at, asked.starts_at, now)
    if asked.ends_at is not None:
        yield Check(Reason.EXPIRED, now < asked.ends_at, asked.ends_at, now)


def _about_buyer(asked: Conditions, situation: Situation) -> Iterator[Check]:
    facts = situation.facts
    if asked.members_only:
        yield Check(Reason.MEMBERS_ONLY, facts.member is not None)
    if asked.tiers:
        yield _one_of(Reason.TIER_MISMATCH, asked.tiers, facts.tier)
    if asked.segments:
        in_any = not asked.segments.isdisjoint(facts.segments)
        yield Check(Reason.SEGMENT_MISMATCH, in_any, asked.segments, facts.segments)
    if asked.channels:
        yield _one_of(Reason.CHANNEL_MISMATCH, asked.channels, facts.acquisition_channel)


def _about_history(asked: Conditions, situation: Situation) -> Iterator[Check]:
    facts = situation.facts
    order = facts.order_count + 1
    if asked.first_order_only:
        yield Check(Reason.NOT_FIRST_ORDER, order == 1, 1, order)
    if (nth := asked.nth_order) is not None:
        yield Check(reason=Reason.NTH_ORDER_MISMATCH, passed=order == nth, needed=nth, actual=order)
    if (within := asked.birthday_within_days) is not None:
        away = _days_to_birthday(facts.birthday, situation.cart.local_time.date())
        yield _at_most(Reason.NOT_BIRTHDAY, within, away)
    if asked.birthday_month:
        yield _in_birthday_month(facts.birthday, situation.cart.local_time.date())
    if (within := asked.joined_within_days) is not None:
        yield _at_most(Reason.JOINED_TOO_LONG_AGO, within, facts.days_since_joined)


def _about_place(asked: Conditions, situation: Situation) -> Iterator[Check]:
    cart = situation.cart
    if asked.stores:
        yield _one_of(Reason.WRONG_STORE, asked.stores, cart.store)
    if asked.cities:
        yield _one_of(Reason.WRONG_CITY, asked.cities, cart.city)
    if asked.order_types:
        yield _one_of(Reason.WRONG_ORDER_TYPE, asked.order_types, cart.order_type)
    if asked.payment_methods:
        yield _one_of(Reason.WRONG_PAYMENT_METHOD, asked.payment_methods, cart.payment_method)
    if asked.hours:
        local = cart.local_time
        is_open = any(hours.include(local) for hours in asked.hours)
        opens_at = None if is_open else min(hours.next_start(local) for hours in asked.hours)
        yield Check(Reason.OUTSIDE_HOURS, is_open, opens_at, local)


def _about_cart(asked: Conditions, situation: Situation) -> Iterator[Check]:
    cart = situation.cart
    if asked.contains is not None:
        yield _contains(cart, asked.contains, asked.contains_match)
    if asked.min_spend_cents:
        found = spend_cents(cart, asked.scope)
        yield _at_least(Reason.MIN_SPEND_NOT_MET, asked.min_spend_cents, found)
    if (most := asked.max_spend_cents) is not None:
        yield _at_most(Reason.MAX_SPEND_EXCEEDED, most, spend_cents(cart, asked.scope))
    if asked.min_quantity:
        yield _at_least(Reason.MIN_QTY_NOT_MET, asked.min_quantity, quantity(cart, asked.scope))
    if least := asked.min_distinct_products:
        different = distinct_products(cart, asked.scope)
        yield _at_least(Reason.MIN_PRODUCTS_NOT_MET, least, different)


def _contains(cart: Cart, scope: Scope, match: Match) -> Check:
    named = [line for line in cart.lines if scope.names(line)]
    found = sum(line.quantity for line in named)
    if match is Match.ANY:
        return _at_least(Reason.REQUIRED_ITEM_MISSING, 1, found)
    if match is Match.NONE:
        return _at_most(Reason.EXCLUDED_ITEM_PRESENT, 0, found)
    if match is Match.ONLY:
        return _at_most(Reason.EXCLUDED_ITEM_PRESENT, 0, quantity(cart, None) - found)
    products = scope.products & {line.product for line in named}
    categories = scope.categories & {each for line in named for each in line.categories}
    needed = len(scope.products) + len(scope.categories)
    return _at_least(Reason.REQUIRED_ITEM_MISSING, needed, len(products) + len(categories))


def _one_of(reason: Reason, allowed: frozenset[str], found: str | None) -> Check:
    return Check(reason, found in allowed, allowed, found)


def _at_least(reason: Reason, needed: int, found: int) -> Check:
    return Check(reason, found >= needed, needed, found)


def _at_most(reason: Reason, allowed: int, found: int | None) -> Check:
    is_within = found is not None and found <= allowed
    return Check(reason, is_within, allowed, found)


def _days_to_birthday(birthday: date | None, today: date) -> int | None:
    """Return the distance to the nearest birthday, past or coming; None when it is unknown.

    Who was born on 29 February has a birthday on the 28th in other years.
    """
    if birthday is None:
        return None
    return min(
        abs((_birthday_in(year, birthday) - today).days)
        for year in range(today.year - 1, today.year + 2)
    )


def _in_birthday_month(birthday: date | None, today: date) -> Check:
    month = birthday.month if birthday is not None else None
    return Check(Reason.NOT_BIRTHDAY_MONTH, month == today.month, today.month, month)


def _birthday_in(year: int, birthday: date) -> date:
    last_day = calendar.monthrange(year, birthday.month)[1]
    return birthday.replace(year=year, day=min(birthday.day, last_day))
