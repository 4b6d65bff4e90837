"""Which channel brings the next guest cheapest, and how a budget is best divided. Writes nothing.

docs/metrics.md, “Budget”, gives the formulas and their limits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from shop.kernel.money import Cents

ASSUMED_ELASTICITY = 0.7
LEAST, MOST = 0.1, 0.95
"""Elasticities are kept within: more money always brings somebody, but never in proportion."""
ENOUGH_DAYS = 4
MOST_SEEN = 2
"""Nobody knows what happens past twice the largest daily spending that was tried."""
STEPS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What one channel was given and brought on each day on which it was given something."""

    id: int
    key: str
    days: Sequence[tuple[int, int]]
    """Cost in cents, and new buyers."""

    @property
    def cost_cents(self) -> int:
        """Return what it was given in all."""
        return sum(cost for cost, _buyers in self.days)

    @property
    def days_with_cost(self) -> int:
        """Return on how many days it was given something."""
        return len(self.days)

    @property
    def buyers(self) -> int:
        """Return whom it brought in all."""
        return sum(buyers for _cost, buyers in self.days)


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """New buyers of a day as `scale × cost ^ elasticity`; cost in cents, elasticity below 1.

    `is_assumed`: the channel's days were too few, or too much alike, to tell the elasticity.
    """

    scale: float
    elasticity: float
    is_assumed: bool
    most_cents: int

    def buyers(self, cost_cents: float) -> float:
        """Return whom a day with this cost brings."""
        return self.scale * cost_cents**self.elasticity if cost_cents > 0 else 0.0

    def marginal_cents(self, cost_cents: float) -> float | None:
        """Return what one more buyer costs on a day with this cost; None: nobody comes."""
        if self.scale <= 0 or cost_cents <= 0:
            return None
        return float(cost_cents ** (1 - self.elasticity) / (self.scale * self.elasticity))

    def cost_at(self, marginal_cents: float) -> float:
        """Return up to which daily cost one more buyer costs at most so much."""
        if self.scale <= 0:
            return 0.0
        base = marginal_cents * self.scale * self.elasticity
        return min(exp(log(base) / (1 - self.elasticity)), 1e15) if base > 0 else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A channel's rank, and its part of the budget; what is expected is per the curve."""

    rank: int
    history: History
    curve: Curve
    proposed_cents: Cents
    expected_buyers: float
    marginal_cents: int | None
    proposed_marginal_cents: int | None
    is_beyond_seen: bool


def fit(history: History) -> Curve:
    """Return the curve of a channel, from its own days.

    The elasticity is the slope of log buyers over log cost by least squares, on days that brought
    somebody; the scale makes the curve bring as many in all as really came.

    >>> fit(History(id=1, key="a", days=[(100, 10), (400, 20), (900, 30), (1600, 40)])).elasticity
    0.5
    """
    days = [(cost, buyers) for cost, buyers in history.days if cost > 0]
    slope = _slope([(log(cost), log(buyers)) for cost, buyers in days if buyers > 0])
    elasticity = ASSUMED_ELASTICITY if slope is None else min(max(slope, LEAST), MOST)
    raw = sum(cost**elasticity for cost, _buyers in days)
    return Curve(
        scale=history.buyers / raw if raw else 0.0,
        elasticity=round(elasticity, 6),
        is_assumed=slope is None,
        most_cents=MOST_SEEN * max((cost for cost, _buyers in days), default=0),
    )


def propose(histories: Sequence[History], *, budget_cents: Cents, days: int) -> list[Share]:
    """Divide a budget for so many days so that one more buyer costs the same everywhere.

    Channels are ranked by what one more buyer costs at what they were given on an average day,
    those that bring nobody last; ties go by id. The parts add up to the budget exactly.
    """
    curves = {history.id: fit(history) for history in histories}
    now = {h.id: curves[h.id].marginal_cents(_average(h)) for h in histories}
    ranked = sorted(histories, key=lambda h: (now[h.id] is None, now[h.id] or 0.0, h.id))
    parts = _divide(ranked, curves, budget_cents=budget_cents, days=days)
    return [
        Share(
            rank=rank,
            history=history,
            curve=curves[history.id],
            proposed_cents=parts[history.id],
            expected_buyers=round(curves[history.id].buyers(parts[history.id] / days) * days, 2),
            marginal_cents=_rounded(now[history.id]),
            proposed_marginal_cents=_rounded(
                curves[history.id].marginal_cents(parts[history.id] / days)
            ),
            is_beyond_seen=parts[history.id] > curves[history.id].most_cents * days,
        )
        for rank, history in enumerate(ranked, start=1)
    ]


def _slope(points: Sequence[tuple[float, float]]) -> float | None:
    if len(points) < ENOUGH_DAYS:
        return None
    mean_x = sum(x for x, _y in points) / len(points)
    mean_y = sum(y for _x, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _y in points)
    if spread < 1e-9:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    return slope if slope > 0 else None


def _average(history: History) -> float:
    return history.cost_cents / len(history.days) if history.days else 0.0


def _divide(
    ranked: Sequence[History], curves: Mapping[int, Curve], *, budget_cents: int, days: int
) -> dict[int, Cents]:
    """Bring marginal costs together by bisection; the first with room gets what rounding leaves."""
    useful = [history.id for history in ranked if curves[history.id].scale > 0]
    parts = {history.id: Cents(0) for history in ranked}
    if not useful:
        if ranked:
            parts[ranked[0].id] = Cents(budget_cents)
        return parts
    daily = budget_cents / days
    seen = sum(curves[key].most_cents for key in useful)
    stretch = max(1.0, daily / seen)
    tops = {key: curves[key].most_cents * stretch for key in useful}

    def spend(marginal: float) -> dict[int, float]:
        return {key: min(curves[key].cost_at(marginal), tops[key]) for key in useful}

    low, high = -20.0, 40.0
    for _step in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(spend(exp(middle)).values()) < daily else (low, middle)
    for key, cost in spend(exp(high)).items():
        parts[key] = Cents(int(cost * days))
    left = budget_cents - sum(parts.values())
    first = next((key for key in useful if parts[key] + left <= tops[key] * days), useful[0])
    parts[first] = Cents(parts[first] + left)
    return parts


def _rounded(cents: float | None) -> int | None:
    return None if cents is None else round(cents)
