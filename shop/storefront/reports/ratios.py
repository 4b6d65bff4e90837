"""Quotients of reports: null where they say nothing."""

RATE_DIGITS = 4


def rate(part: int, whole: int | None) -> float | None:
    """Return `part / whole` to four digits; None when there is no whole.

    >>> rate(300, 500), rate(1, 3), rate(5, 0)
    (0.6, 0.3333, None)
    """
    return round(part / whole, RATE_DIGITS) if whole else None


def per_person(cents: int, people: int) -> int | None:
    """Return the cost of one, in whole cents rounded half up; None when there is nobody.

    >>> per_person(1000, 3), per_person(5, 2), per_person(1000, 0)
    (333, 3, None)
    """
    return (2 * cents + people) // (2 * people) if people else None
