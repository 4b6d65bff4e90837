"""What an order or an event earns by the programme's rules: no database, no clock.

The base rate and the tier's percentage are one more rule beside those that head office wrote, and
all go through `earning_rules`, which the command `replay_points` runs too. docs/points.md tells it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

from loyalty.earning import CENTS_PER_YUAN, Rates
from loyalty.earning_rules import (
    Condition,
    EarningRule,
    Fixed,
    Multiplier,
    Outcome,
    PerAmount,
    Rounding,
    outcome_by_rules,
)
from shop.kernel.money import Cents

ALWAYS = Condition()


class Gives(StrEnum):
    """What a rule of the programme gives points for."""

    SPEND = "spend"
    VISIT = "visit"
    ITEM = "item"
    BOOST = "boost"
    STAMP = "stamp"
    EVENT = "event"


class Event(StrEnum):
    """What members do beside buying."""

    CHECK_IN = "check_in"
    REVIEW = "review"
    REFERRAL = "referral"
    BIRTHDAY = "birthday"
    PROFILE = "profile"


@dataclass(frozen=True, kw_only=True, slots=True)
class PaidLine:
    """A line of an order that earns, at what is really paid for it.

    `free` of its items were had for a reward.
    """

    product: str
    category: str
    quantity: int
    net_cents: Cents
    free: int = 0

    @property
    def stamped(self) -> int:
        """Return how many of its items a stamp card counts: none that was free."""
        return self.quantity - self.free if self.net_cents > 0 else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sale:
    """An order as earning rules see it: `at` is the moment in the store's time zone."""

    lines: Sequence[PaidLine]
    store: str
    tier: str
    at: datetime
    business_date: str

    @property
    def net_cents(self) -> Cents:
        """Return what the earning lines cost."""
        return Cents(sum(line.net_cents for line in self.lines))


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgrammeRule:
    """A rule that head office wrote, with what a member has had by it.

    `points` are those of each yuan, order, item or event; `percent` is a boost's: 200 doubles.
    Empty tiers, stores, products and categories mean all of them. `had` are points so far by
    business day, as far back as a cap looks; under "" all of them.
    """

    key: str
    kind: Gives
    name_zh: str = ""
    name_en: str = ""
    event: str = ""
    points: Fraction = Fraction(0)
    percent: int = 100
    when: Condition = ALWAYS
    tiers: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    is_stackable: bool = True
    priority: int = 0
    most_per_order: int | None = None
    most_per_day: int | None = None
    most_per_member: int | None = None
    had: Mapping[str, int] | None = None

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Return a rule as `FACTS_SQL` of `earning_programme` writes it."""
        sets = ("tiers", "stores", "products", "categories")
        return cls(
            key=row["code"],
            kind=Gives(row["kind"]),
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            event=row["event"],
            points=Fraction(str(row["points"])),
            percent=row["percent"],
            when=Condition(
                min_order_minor=row["min_order_cents"],
                starts_at=_moment(row["starts_at"]),
                ends_at=_moment(row["ends_at"]),
                iso_weekdays=frozenset(row["weekdays"]),
                hours=_hours(row["from_time"], row["until_time"]),
            ),
            **{name: frozenset(row[name]) for name in sets},
            is_stackable=row["is_stackable"],
            priority=row["priority"],
            most_per_order=row["max_points_per_order"],
            most_per_day=row["max_points_per_day"],
            most_per_member=row["max_points_per_member"],
            had=row["had"],
        )

    @property
    def is_capped_over_time(self) -> bool:
        """Tell whether what a member had before counts."""
        return self.most_per_day is not None or self.most_per_member is not None

    def is_for(self, *, tier: str, store: str) -> bool:
        """Tell whether it is for members of that tier in that store."""
        return (not self.tiers or tier in self.tiers) and (not self.stores or store in self.stores)

    def most(self, business_date: str) -> int | None:
        """Return the most that it may give now, on that business day of the store."""
        had = self.had or {}
        left = [
            None if self.most_per_order is None else self.most_per_order,
            None if self.most_per_day is None else self.most_per_day - had.get(business_date, 0),
            None if self.most_per_member is None else self.most_per_member - had.get("", 0),
        ]
        caps = [max(cap, 0) for cap in left if cap is not None]
        return min(caps) if caps else None

    @property
    def has_scope(self) -> bool:
        """Tell whether it is about some lines only."""
        return bool(self.products or self.categories)

    def lines_of(self, sale: Sale) -> list[PaidLine]:
        """Return the lines it is about."""
        if not self.has_scope:
            return list(sale.lines)
        return [
            line
            for line in sale.lines
            if line.product in self.products or line.category in self.categories
        ]


def points_of_sale(
    rules: Iterable[ProgrammeRule], sale: Sale, *, rates: Rates, tier_percent: int
) -> Outcome:
    """Return what an order earns: by the base rate (under the key ""), and by each rule.

    >>> from datetime import UTC
    >>> cup = PaidLine(product="MT01", category="milk-tea", quantity=2, net_cents=Cents(1999))
    >>> noon = datetime(2026, 6, 18, 12, tzinfo=UTC)
    >>> sale = Sale(lines=[cup], store="S", tier="T2", at=noon, business_date="2026-06-18")
    >>> double = ProgrammeRule(key="double", kind=Gives.BOOST, percent=200)
    >>> points_of_sale([double], sale, rates=Rates(), tier_percent=120)
    Outcome(points=46, parts=(('', 23), ('double', 23)))
    """
    per_yuan = Fraction(rates.points_per_yuan * tier_percent, 100)
    base = EarningRule(gives=_per_yuan(per_yuan))
    found = [rule for rule in rules if rule.kind not in {Gives.EVENT, Gives.STAMP}]
    counting = [
        rule
        for rule in found
        if rule.is_for(tier=sale.tier, store=sale.store)
        and rule.when.is_met(order_minor=sale.net_cents, at=sale.at)
        and rule.lines_of(sale)
        and rule.most(sale.business_date) != 0  # used up, it must not keep others from counting
    ]
    chosen = [
        *(rule for rule in counting if rule.kind is not Gives.BOOST),
        *_boosts([rule for rule in counting if rule.kind is Gives.BOOST]),
    ]
    return outcome_by_rules(
        [base, *(_plain(rule, sale, base_per_yuan=per_yuan) for rule in chosen)],
        basis_minor=sale.net_cents,
        rounding=Rounding.FLOOR,
        now=sale.at,
    )


def stamps_of_sale(rules: Iterable[ProgrammeRule], sale: Sale) -> Outcome:
    """Return the stamps of an order; rates, tiers' percentages and boosts have no part in them.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 6, 18, 12, tzinfo=UTC)
    >>> cups = PaidLine(product="MT01", category="milk-tea", quantity=3, net_cents=Cents(2400))
    >>> one_free = replace(cups, free=1)
    >>> sale = Sale(lines=[one_free], store="S", tier="T1", at=noon, business_date="2026-06-18")
    >>> stamps_of_sale([ProgrammeRule(key="card", kind=Gives.STAMP, points=Fraction(1))], sale)
    Outcome(points=2, parts=(('card', 2),))
    """
    counting = [
        replace(
            _fixed(rule, units=sum(line.stamped for line in rule.lines_of(sale))),
            most=rule.most(sale.business_date),
            is_stackable=True,
        )
        for rule in rules
        if rule.kind is Gives.STAMP and rule.is_for(tier=sale.tier, store=sale.store)
    ]
    return outcome_by_rules(
        counting, basis_minor=sale.net_cents, rounding=Rounding.FLOOR, now=sale.at
    )


def points_of_event(
    rules: Iterable[ProgrammeRule],
    event: str,
    *,
    tier: str,
    store: str,
    at: datetime,
    business_date: str,
) -> Outcome:
    """Return what an event earns; neither the base rate nor boosts have to do with it."""
    counting = [
        replace(_fixed(rule, units=1), most=rule.most(business_date))
        for rule in rules
        if rule.kind is Gives.EVENT
        and rule.event == event
        and rule.is_for(tier=tier, store=store)
        and rule.most(business_date) != 0
    ]
    return outcome_by_rules(counting, basis_minor=0, rounding=Rounding.FLOOR, now=at)


def _boosts(boosts: Sequence[ProgrammeRule]) -> Sequence[ProgrammeRule]:
    """Return the boosts that count: one that does not stack counts alone among boosts."""
    alone = [rule for rule in boosts if not rule.is_stackable]
    if alone:
        return [max(alone, key=lambda rule: (rule.priority, rule.percent))]
    return boosts


def _plain(rule: ProgrammeRule, sale: Sale, *, base_per_yuan: Fraction) -> EarningRule:
    """Return a rule in terms that need no order: its lines, tiers and stores are decided.

    A boost of some products multiplies the base points of their lines, and nothing else.
    """
    lines = rule.lines_of(sale)
    match rule.kind:
        case Gives.SPEND:
            plain = _rule(rule, _per_yuan(rule.points))
        case Gives.VISIT:
            plain = _fixed(rule, units=1)
        case Gives.ITEM:
            plain = _fixed(rule, units=sum(line.quantity for line in lines))
        case _ if rule.has_scope:
            more = Fraction(rule.percent - 100, 100)
            plain = replace(_rule(rule, _per_yuan(base_per_yuan * more)), is_stackable=True)
        case _:
            plain = _rule(rule, Multiplier(factor=Fraction(rule.percent, 100)))
            plain = replace(plain, is_stackable=True)
    return replace(
        plain,
        basis_minor=sum(line.net_cents for line in lines),
        most=rule.most(sale.business_date),
    )


def _rule(rule: ProgrammeRule, gives: PerAmount | Fixed | Multiplier) -> EarningRule:
    return EarningRule(
        gives=gives,
        when=rule.when,
        is_stackable=rule.is_stackable,
        priority=rule.priority,
        key=rule.key,
    )


def _fixed(rule: ProgrammeRule, *, units: int) -> EarningRule:
    return _rule(rule, Fixed(points=rule.points, units=Fraction(units)))


def _per_yuan(points: Fraction) -> PerAmount:
    return PerAmount(points=points, per_minor=Fraction(CENTS_PER_YUAN))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _hours(start: str | None, end: str | None) -> tuple[time, time] | None:
    return (time.fromisoformat(start), time.fromisoformat(end)) if start and end else None
