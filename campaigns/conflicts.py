"""Where two offers meet, and what happens then: for whoever writes a happy hour beside another.

Pure. Windows are compared by the minute of the week; dates, stores, ways to order and goods only
tell whether the two can meet at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from campaigns.pricing import Conditions, Hours, Offer, Scope, Stacking

DAY = 24 * 60
WEEK = 7 * DAY

Span = tuple[int, int]
"""Minutes of the week from Monday 00:00, half-open."""


class Outcome(StrEnum):
    """What an order gets where two offers meet."""

    BOTH = "both"
    FIRST = "first"
    """The offer asked about goes first and keeps the other out."""
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Two offers that meet in these stretches of the week."""

    other: Offer
    spans: tuple[Span, ...]
    outcome: Outcome


def find(offer: Offer, others: Iterable[Offer]) -> list[Conflict]:
    """Return the offers with hours that this one, which has hours too, overlaps."""
    found = []
    for other in others:
        if offer.rule.conditions.hours and other.rule.conditions.hours and _may_meet(offer, other):
            spans = common(
                week_of(offer.rule.conditions.hours), week_of(other.rule.conditions.hours)
            )
            if spans:
                outcome = _outcome(offer, other)
                found.append(Conflict(other=other, spans=tuple(spans), outcome=outcome))
    return sorted(found, key=lambda c: (c.outcome is Outcome.BOTH, c.other.key))


def week_of(windows: Sequence[Hours]) -> list[Span]:
    """Return the stretches of a week in which any of the windows is open, joined and in order."""
    spans: list[Span] = []
    for window in windows:
        starts, ends = (t.hour * 60 + t.minute for t in (window.starts, window.ends))
        length = (ends - starts) % DAY or DAY
        for day in sorted(window.weekdays or range(1, 8)):
            begin = (day - 1) * DAY + starts
            end = begin + length
            spans.append((begin, min(end, WEEK)))
            if end > WEEK:
                spans.append((0, end - WEEK))
    return _joined(spans)


def common(ones: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Return the stretches that two weeks share."""
    shared = [(max(a, c), min(b, d)) for a, b in ones for c, d in others if max(a, c) < min(b, d)]
    return _joined(shared)


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _may_meet(one: Offer, other: Offer) -> bool:
    mine, theirs = one.rule.conditions, other.rule.conditions
    return (
        _periods_meet(mine, theirs)
        and _share(mine.stores, theirs.stores)
        and _share(mine.cities, theirs.cities)
        and _share(mine.order_types, theirs.order_types)
        and _goods_meet(one.rule.scope, other.rule.scope)
    )


def _periods_meet(one: Conditions, other: Conditions) -> bool:
    starts = [at for at in (one.starts_at, other.starts_at) if at is not None]
    ends = [at for at in (one.ends_at, other.ends_at) if at is not None]
    return not starts or not ends or max(starts) < min(ends)


def _share(ones: frozenset[str], others: frozenset[str]) -> bool:
    return not ones or not others or not ones.isdisjoint(others)


def _goods_meet(one: Scope, other: Scope) -> bool:
    """Tell whether both may be about one product: a product may be in any category."""
    if one.categories or other.categories:
        is_named_twice = one.categories and other.categories
        if is_named_twice and not (one.products or other.products):
            return not one.categories.isdisjoint(other.categories)
        return True
    return _share(one.products, other.products)


def _outcome(offer: Offer, other: Offer) -> Outcome:
    group = offer.rule.exclusive_group
    stackings = {offer.rule.stacking, other.rule.stacking}
    is_one_group = group is not None and group == other.rule.exclusive_group
    is_exclusive = Stacking.EXCLUSIVE in stackings and Stacking.ALWAYS not in stackings
    if not is_one_group and not is_exclusive:
        return Outcome.BOTH
    if is_exclusive and len(stackings) > 1:
        return Outcome.FIRST if offer.rule.stacking is Stacking.EXCLUSIVE else Outcome.OTHER
    return Outcome.FIRST if offer.rank < other.rank else Outcome.OTHER
