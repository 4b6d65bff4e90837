"""Who gets the credit for what was sold, by any model. Reads, writes nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from math import lcm

from campaigns import credit, paths
from campaigns.credit import JourneyPath, Shares
from campaigns.paths import ConversionPath, Period
from shop.kernel.money import Cents, split_cents
from shop.models import Store

DEFAULT_MODEL = "last_non_direct"
"""By which credit is frozen when something is sold."""
SHARE_UNITS = 10**12
"""Shares of models that judge all ways together are rounded to so many parts to divide money."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditRow:
    """What one channel (link, campaign) is credited with.

    `key` is None for what names no link or campaign. `conversions` may be fractions; over all rows
    they sum to the conversions, `amount_cents` to their net amount exactly. The `frozen_` columns
    say what the default model credited when it happened. `removal_effect` comes with `markov`.
    """

    key: str | None
    conversions: float
    amount_cents: int
    frozen_conversions: int
    frozen_amount_cents: int
    removal_effect: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributionReport:
    """One model over one period."""

    model: str
    kind: str
    by: str
    conversions: int
    amount_cents: int
    rows: list[CreditRow]


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """A channel's part of one order by one model."""

    key: str | None
    share: float
    amount_cents: Cents


def build(
    *,
    stores: Sequence[Store],
    since: date,
    until: date,
    model: str = DEFAULT_MODEL,
    kind: str = "order",
    by: str = "channel",
    is_whole_chain: bool = False,
) -> AttributionReport:
    """Return what each channel is credited with for the business days in [since, until).

    Raises:
        KeyError: there is no such model, or nothing to tell ways by.
    """
    period = Period(
        stores=[store.pk for store in stores],
        starts=[store.business_day_start(since) for store in stores],
        ends=[store.business_day_start(until) for store in stores],
    )
    ways = list(paths.converted(kind, period, by=by))
    effects: Mapping[str, float] = {}
    if model in credit.SINGLE:
        counts, amounts = _each_by_itself(ways, model)
    else:
        lost = paths.unconverted(kind, period, by=by, with_shared=is_whole_chain)
        found = credit.attribute([*_grouped(ways), *lost], model)
        counts, amounts = dict(found.conversions), _divided(ways, found.conversions)
        effects = found.removal_effects or {}
    return AttributionReport(
        model=model,
        kind=kind,
        by=by,
        conversions=len(ways),
        amount_cents=sum(way.net_cents for way in ways),
        rows=_rows(ways, counts, amounts, effects),
    )


def of_order(order_id: int) -> dict[str, list[Share]] | None:
    """Return, for each model that judges an order by itself, who gets how much of it."""
    way = paths.of_order(order_id)
    if way is None:
        return None
    return {model: _order_shares(way, model) for model in credit.SINGLE}


def _order_shares(way: ConversionPath, model: str) -> list[Share]:
    shares = _shares(way, model)
    amounts = money_of(way.net_cents, shares)
    return [
        Share(key=key or None, share=float(share), amount_cents=amounts[key])
        for key, share in shares.items()
    ]


def money_of(net_cents: Cents, shares: Shares) -> dict[str, Cents]:
    """Return an amount divided by shares, to the cent and exactly.

    >>> money_of(Cents(100), {"flyer": Fraction(1, 3), "douyin": Fraction(2, 3)})
    {'flyer': 33, 'douyin': 67}
    """
    whole = lcm(*(share.denominator for share in shares.values()))
    weights = [int(share * whole) for share in shares.values()]
    return dict(zip(shares, split_cents(net_cents, weights), strict=True))


def _each_by_itself(
    ways: Iterable[ConversionPath], model: str
) -> tuple[dict[str, float], dict[str, int]]:
    counts: dict[str, Fraction] = defaultdict(Fraction)
    amounts: dict[str, int] = defaultdict(int)
    for way in ways:
        shares = _shares(way, model)
        for key, cents in money_of(way.net_cents, shares).items():
            counts[key] += shares[key]
            amounts[key] += cents
    return {key: float(count) for key, count in counts.items()}, amounts


def _shares(way: ConversionPath, model: str) -> Shares:
    if model == "time_decay":
        return credit.time_decay(way.keys, ages=way.ages)
    return _known_shares(way.keys, model)


@lru_cache(maxsize=4096)
def _known_shares(keys: tuple[str, ...], model: str) -> Shares:
    return credit.SINGLE[model](keys)


def _grouped(ways: Iterable[ConversionPath]) -> list[JourneyPath]:
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for way in ways:
        counts[way.keys] += 1
    return [JourneyPath(channels=keys, conversions=Fraction(n)) for keys, n in counts.items()]


def _divided(ways: Iterable[ConversionPath], counts: Mapping[str, float]) -> dict[str, int]:
    total = Cents(sum(way.net_cents for way in ways))
    weights = [round(max(count, 0) * SHARE_UNITS) for count in counts.values()]
    return dict(zip(counts, split_cents(total, weights), strict=True))


def _rows(
    ways: Iterable[ConversionPath],
    counts: Mapping[str, float],
    amounts: Mapping[str, int],
    effects: Mapping[str, float],
) -> list[CreditRow]:
    frozen: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for way in ways:
        frozen[way.frozen_key][0] += 1
        frozen[way.frozen_key][1] += way.net_cents
    keys = sorted({*counts, *frozen}, key=lambda key: (-amounts.get(key, 0), key))
    return [
        CreditRow(
            key=key or None,
            conversions=round(counts.get(key, 0.0), 6),
            amount_cents=amounts.get(key, 0),
            frozen_conversions=frozen[key][0],
            frozen_amount_cents=frozen[key][1],
            removal_effect=round(effects[key], 6) if key in effects else None,
        )
        for key in keys
    ]
