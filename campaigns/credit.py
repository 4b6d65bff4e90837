"""Attribution models: how much of a conversion each channel on the way to it gets.

Pure Python: no database, no clock. docs/attribution.md tells what each model believes. For every
model the credits of one conversion sum to 1, so those of all sum to the conversions there were.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from operator import mul

DIRECT = frozenset({"direct", "organic"})
"""Channels that nobody paid for: a guest who simply came."""
HALF_LIFE = timedelta(days=7)
"""With `time_decay`, a touch this much earlier has half the weight."""
MIDDLE_SHARE = Fraction(1, 5)
"""What `position` leaves to the touches between the first and the last."""

Shares = dict[str, Fraction]
Channels = Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class JourneyPath:
    """People who met the same channels in the same order: how many converted, how many did not."""

    channels: tuple[str, ...]
    conversions: Fraction
    nulls: Fraction = Fraction(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribution:
    """Conversions by channel; with `markov` also what would be lost without each, 0 to 1."""

    conversions: Mapping[str, float]
    removal_effects: Mapping[str, float] | None = None


# --- one conversion by itself --------------------------------------------------------------------


def first(channels: Channels) -> Shares:
    """Give everything to the channel that was met first."""
    return {channels[0]: Fraction(1)}


def last(channels: Channels) -> Shares:
    """Give everything to the channel that was met last."""
    return {channels[-1]: Fraction(1)}


def last_non_direct(channels: Channels) -> Shares:
    """Give everything to the last channel that was not direct; to the last if all were."""
    paid = [channel for channel in channels if channel not in DIRECT]
    return last(paid or channels)


def linear(channels: Channels) -> Shares:
    """Give every touch the same."""
    return _by_weight(channels, [Fraction(1)] * len(channels))


def time_decay(channels: Channels, *, ages: Sequence[timedelta] | None = None) -> Shares:
    """Give half as much for each half-life before the conversion.

    Without `ages` (the time from each touch to the conversion) every step back counts as one
    half-life.

    >>> time_decay(["flyer", "douyin"])
    {'flyer': Fraction(1, 3), 'douyin': Fraction(2, 3)}
    """
    if ages is None:
        steps = range(len(channels) - 1, -1, -1)
        return _by_weight(channels, [Fraction(1, 2**step) for step in steps])
    youngest = min(ages)  # only ratios count, and so the oldest may be years old
    return _by_weight(channels, [Fraction(2 ** -((age - youngest) / HALF_LIFE)) for age in ages])


def position(channels: Channels) -> Shares:
    """Give 40 % to the first and to the last touch, and 20 % to those between.

    >>> position(["flyer", "search", "douyin"])
    {'flyer': Fraction(2, 5), 'search': Fraction(1, 5), 'douyin': Fraction(2, 5)}
    """
    between = len(channels) - 2
    if between < 1:
        return linear(channels)
    end = (1 - MIDDLE_SHARE) / 2
    return _by_weight(channels, [end, *[MIDDLE_SHARE / between] * between, end])


SINGLE: dict[str, Callable[[Channels], Shares]] = {
    "first": first,
    "last": last,
    "last_non_direct": last_non_direct,
    "linear": linear,
    "time_decay": time_decay,
    "position": position,
}
"""Models that judge a conversion by its own path."""


def _by_weight(channels: Channels, weights: Sequence[Fraction]) -> Shares:
    total = sum(weights)
    shares: Shares = {}
    for channel, weight in zip(channels, weights, strict=True):
        shares[channel] = shares.get(channel, Fraction(0)) + weight / total
    return shares


# --- all conversions together --------------------------------------------------------------------


def attribute(paths: Iterable[JourneyPath], model: str) -> Attribution:
    """Return what each channel on the paths gets by this model; every channel is named.

    Raises:
        KeyError: there is no such model.
    """
    known = list(paths)
    if model == "markov":
        return markov(known)
    if model == "shapley":
        return Attribution(conversions=_floats(shapley(_dividends(known)), known))
    judge = SINGLE[model]
    totals: dict[str, Fraction] = defaultdict(Fraction)
    for path in known:
        if path.conversions:
            for channel, share in judge(path.channels).items():
                totals[channel] += path.conversions * share
    return Attribution(conversions=_floats(totals, known))


MODELS = [*SINGLE, "markov", "shapley"]


def shapley(dividends: Mapping[frozenset[str], Fraction]) -> dict[str, Fraction]:
    """Return the Shapley value of each channel of a game given by its dividends.

    A set of channels is worth the conversions of the paths that use only channels of the set. That
    makes the conversions of the paths with exactly these channels the dividend of the set, and the
    Shapley value divides a dividend equally among its set (Harsanyi, 1959): exact, without going
    through all subsets.
    """
    values: dict[str, Fraction] = defaultdict(Fraction)
    for channels, dividend in dividends.items():
        for channel in channels:
            values[channel] += dividend / len(channels)
    return dict(values)


def _dividends(paths: Iterable[JourneyPath]) -> dict[frozenset[str], Fraction]:
    dividends: dict[frozenset[str], Fraction] = defaultdict(Fraction)
    for path in paths:
        dividends[frozenset(path.channels)] += path.conversions
    return dividends


def _floats(values: Mapping[str, Fraction], paths: Sequence[JourneyPath]) -> dict[str, float]:
    return {channel: float(values.get(channel, 0)) for channel in _channels(paths)}


def _channels(paths: Iterable[JourneyPath]) -> list[str]:
    return sorted({channel for path in paths for channel in path.channels})


# --- the Markov chain ----------------------------------------------------------------------------

START, CONVERSION, NULL = range(3)
"""The states beside the channels: before the first touch, and the two ends."""
Transitions = Mapping[int, Mapping[int, float]]


def markov(paths: Sequence[JourneyPath]) -> Attribution:
    """Divide the conversions by removal effect, in a Markov chain of order 1.

    The removal effect of a channel is the part of the conversions that is lost when everybody who
    would have met it is lost instead (Anderl et al., 2016). Probabilities of absorption come from
    the linear system of the chain, so they are exact and the same every time.
    """
    channels = _channels(paths)
    states = {channel: number for number, channel in enumerate(channels, start=NULL + 1)}
    lost = _losses(_transitions(paths, states))
    effects = {channel: lost.get(state, 0.0) for channel, state in states.items()}
    conversions = float(sum(path.conversions for path in paths))
    total = sum(effects.values())
    return Attribution(
        conversions={
            channel: conversions * effect / total if total else 0.0
            for channel, effect in effects.items()
        },
        removal_effects=effects,
    )


def _transitions(paths: Iterable[JourneyPath], states: Mapping[str, int]) -> Transitions:
    """Return, for each state, the probability of each state that follows; repeats aside.

    Meeting a channel again right away changes nothing about how the path ends.
    """
    counts: dict[int, dict[int, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for path in paths:
        people = path.conversions + path.nulls
        if not people:
            continue
        steps = [START, *(states[channel] for channel in path.channels)]
        for here, there in pairwise(steps):
            if here != there:
                counts[here][there] += people
        counts[steps[-1]][CONVERSION] += path.conversions
        counts[steps[-1]][NULL] += path.nulls
    return {
        here: {there: float(people / sum(row.values())) for there, people in row.items()}
        for here, row in counts.items()
    }


def _losses(transitions: Transitions) -> dict[int, float]:
    """Return, for each state, the part of the conversions that went through it.

    Those are the conversions without everybody who would have met it. Of the matrix N = (1 − Q)⁻¹,
    Q being the steps between states, N[i][j] are the visits to j of who is at i: so the chance to
    get from the start to a state is N[start][state] / N[state][state], and the chances to convert
    are N r, r being the steps that convert. One inverse answers for all states.
    """
    inner = list(transitions)
    if START not in transitions:
        return {}
    place = {state: number for number, state in enumerate(inner)}
    steps = [[0.0] * len(inner) for _state in inner]
    for state, row in transitions.items():
        for there, chance in row.items():
            if there in place:
                steps[place[state]][place[there]] = chance
    visits = _visits(steps)
    converting = [transitions[state].get(CONVERSION, 0.0) for state in inner]
    chances = [sum(map(mul, row, converting)) for row in visits]
    start = place[START]
    if not chances[start]:
        return {}
    return {
        state: visits[start][at] / visits[at][at] * chances[at] / chances[start]
        for state, at in place.items()
    }


def _visits(steps: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the inverse of 1 − steps, by Gauss and Jordan."""
    size = len(steps)
    system = [
        [float(i == j) - steps[i][j] for j in range(size)] + [float(i == j) for j in range(size)]
        for i in range(size)
    ]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(system[row][column]))
        system[column], system[pivot] = system[pivot], system[column]
        head = [value / system[column][column] for value in system[column]]
        system[column] = head
        for i, row in enumerate(system):
            if i != column and (factor := row[column]):
                system[i] = [value - factor * above for value, above in zip(row, head, strict=True)]
    return [row[size:] for row in system]
