"""When people of the demo come: habits, busy weekends, a chain that grows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from shop.storefront.demo.appetite import Appetite

SATURDAY = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """How often somebody comes: every so many days on average, until a visit is the last.

    `at_most` visits; `not_before` days pass before the first of them.
    """

    every_days: float
    last_chance: float
    at_most: int = 1000
    not_before: int = 1


ONCE = Habit(every_days=1, last_chance=1, at_most=0)
SELDOM = Habit(every_days=18, last_chance=0.22)
OFTEN = Habit(every_days=6, last_chance=0.05)
DEVOTED = Habit(every_days=2.6, last_chance=0.004)
HABITS = [ONCE] * 40 + [SELDOM] * 32 + [OFTEN] * 20 + [DEVOTED] * 8
"""How people are who join in ordinary times; whoever stops coming has lapsed."""

# What the opening's people may still do without becoming what the opening says they are not: the
# funnel looks 30 days ahead for a second order, and 90 for four.
AFTER_OPENING = {
    "long_term": [OFTEN, OFTEN, DEVOTED],
    "friend": HABITS,
    "second": [ONCE, Habit(every_days=20, last_chance=0, at_most=1, not_before=95)],
    "first": [ONCE, ONCE, Habit(every_days=30, last_chance=0, at_most=1, not_before=40)],
    "joined": [ONCE, ONCE, ONCE, SELDOM],
    "unhappy": [ONCE],
}


def visits(
    habit: Habit, appetite: Appetite, *, after: datetime, until: datetime, rng: Random
) -> Iterator[datetime]:
    """Yield the moments of somebody's visits after one moment and before another."""
    start = appetite.store.business_date(after)
    days = float(habit.not_before)
    for _ in range(habit.at_most):
        days += max(1.0, rng.expovariate(1 / habit.every_days))
        at = appetite.moment(start + timedelta(days=int(days)))
        if at >= until:
            return
        yield at
        if rng.random() < habit.last_chance:
            return


def weight(day: date, *, first: date) -> float:
    """Return how busy a day is: weekends more, and more every month."""
    growth = 1 + (day - first).days / 400
    return growth * (1.4 if day.isoweekday() >= SATURDAY else 1.0)
