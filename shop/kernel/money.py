"""Money and points as distinct integers: minor units of the currency, and whole points."""

from collections.abc import Sequence
from typing import NewType

Cents = NewType("Cents", int)
"""An amount in minor units of the shop's currency (分 for CNY)."""
Points = NewType("Points", int)
"""A number of loyalty points; never interchangeable with money."""

MAX_CENTS = Cents(10**12)
"""No single amount may pass this; far above any order, far below 64 bits."""
BASIS_POINTS = 10_000


def split_cents(total: Cents, weights: Sequence[int]) -> list[Cents]:
    """Return `total` spread over `weights` by largest remainder; the parts sum to it exactly.

    Ties go to the earlier weight. A total of zero or weights that sum to zero give zeros.

    >>> split_cents(Cents(1000), [1, 1, 1])
    [334, 333, 333]
    """
    whole = sum(weights)
    if whole == 0 or total == 0:
        return [Cents(0)] * len(weights)
    parts = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return [Cents(part) for part in parts]


def basis_points_of(amount: int, basis_points: int) -> int:
    """Return that share of a non-negative amount, rounded half up.

    >>> basis_points_of(1250, 1200)  # 12 % of 12.50
    150
    """
    return (amount * basis_points + BASIS_POINTS // 2) // BASIS_POINTS


def share_of(whole: int, *, part: int, of: int) -> int:
    """Return `whole × part / of`, rounded down; the whole when `part` reaches `of`.

    As differences of two such shares, any sequence of partial steps adds up to the whole.

    >>> share_of(10, part=1, of=3), share_of(10, part=3, of=3)
    (3, 10)
    """
    return whole * part // of if of else 0
