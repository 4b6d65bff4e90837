"""Ladders as they are typed: ``50:10, 100:25`` are steps, each a threshold and what it gives.

Thresholds are yuan or items, what is given yuan or percent.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from campaigns.pricing import (
    FixedTier,
    InvalidRule,
    Measured,
    PercentTier,
    TieredFixedOff,
    TieredPercentOff,
)
from shop.kernel.money import Cents

HUNDREDTHS = 100
"""Fen of a yuan, and basis points of a percent."""
UNITS = {Measured.SPEND: HUNDREDTHS, Measured.QUANTITY: 1}
"""What a threshold of 1, as typed, is in a rule."""


def text_of(effect: TieredFixedOff | TieredPercentOff) -> str:
    """Return the steps of an effect as they are typed."""
    unit = UNITS[effect.by]
    return ", ".join(
        f"{_plain(threshold, unit)}:{_plain(given, HUNDREDTHS)}"
        for threshold, given in _given(effect.tiers)
    )


def fixed_tiers(text: str, by: Measured) -> tuple[FixedTier, ...]:
    """Return the steps that give yuan.

    Raises:
        InvalidRule
    """
    return tuple(
        FixedTier(threshold=threshold, amount_cents=Cents(given))
        for threshold, given in _steps(text, by)
    )


def percent_tiers(text: str, by: Measured) -> tuple[PercentTier, ...]:
    """Return the steps that give a share.

    Raises:
        InvalidRule
    """
    return tuple(
        PercentTier(threshold=threshold, percent_bp=given) for threshold, given in _steps(text, by)
    )


def _given(tiers: Iterable[FixedTier | PercentTier]) -> Iterator[tuple[int, int]]:
    for tier in tiers:
        if isinstance(tier, FixedTier):
            yield tier.threshold, tier.amount_cents
        else:
            yield tier.threshold, tier.percent_bp


def _plain(number: int, unit: int) -> str:
    return f"{(Decimal(number) / unit).normalize():f}"


def _steps(text: str, by: Measured) -> Iterator[tuple[int, int]]:
    for step in text.replace("，", ",").replace("：", ":").split(","):
        threshold, _colon, given = step.strip().partition(":")
        yield _whole(threshold, UNITS[by]), _whole(given, HUNDREDTHS)


def _whole(text: str, unit: int) -> int:
    try:
        number = Decimal(text.strip()) * unit
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number != int(number) or not 0 <= number <= 10**9:
        raise InvalidRule("/effect/tiers", "wrong-type", "must read like 50:10, 100:25")
    return int(number)
