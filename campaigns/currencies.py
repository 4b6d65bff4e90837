"""Money of other countries, turned into the company's once, with one rounding."""

from decimal import ROUND_HALF_UP, Decimal

from shop.kernel.money import MAX_CENTS, Cents

COMPANY_CURRENCY = "CNY"
MINOR_DIGITS = {
    "CNY": 2,
    "HKD": 2,
    "MOP": 2,
    "TWD": 2,
    "USD": 2,
    "EUR": 2,
    "GBP": 2,
    "SGD": 2,
    "MYR": 2,
    "THB": 2,
    "AUD": 2,
    "CAD": 2,
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
}
"""The currencies that ads are paid in, with the digits of their smallest unit (ISO 4217)."""
RATE_DIGITS = 8
MOST_RATE = Decimal(100_000_000)


def to_cents(minor: int, *, currency: str, rate: Decimal) -> Cents:
    """Return an amount in the company's smallest unit, rounded half up.

    `minor` is in the smallest unit of `currency`, `rate` how many yuan one whole unit costs.

    >>> to_cents(1000, currency="USD", rate=Decimal("7.12345"))
    7123
    >>> to_cents(1000, currency="JPY", rate=Decimal("0.0485"))
    4850
    """
    yuan = Decimal(minor).scaleb(-MINOR_DIGITS[currency]) * rate
    cents = (yuan * 100).to_integral_value(rounding=ROUND_HALF_UP)
    return Cents(min(int(cents), MAX_CENTS + 1))


def to_minor(amount: Decimal, *, currency: str) -> int:
    """Return an amount in the smallest unit of its currency, rounded half up.

    >>> to_minor(Decimal("12.345"), currency="CNY")
    1235
    """
    scaled = amount.scaleb(MINOR_DIGITS[currency])
    return int(scaled.to_integral_value(rounding=ROUND_HALF_UP))
