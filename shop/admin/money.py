"""Money and shares as people read and type them: yuan and percent, over fen and basis points."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.kernel.money import MAX_CENTS

FEN_PER_YUAN = 100


def yuan(cents: int | None) -> str:
    """Return an amount as people read it; nothing for None.

    >>> yuan(1234), yuan(-123456789), yuan(0)
    ('¥12.34', '−¥1,234,567.89', '¥0.00')
    """
    if cents is None:
        return ""
    whole, fraction = divmod(abs(cents), FEN_PER_YUAN)
    return f"{'−' if cents < 0 else ''}¥{whole:,}.{fraction:02d}"


def percent(basis_points: int | None) -> str:
    """Return a share as people read it; nothing for None.

    >>> percent(800), percent(1250), percent(1), percent(0)
    ('8 %', '12.5 %', '0.01 %', '0 %')
    """
    return "" if basis_points is None else f"{_plain(basis_points)} %"


def _plain(hundredths: int) -> str:
    whole, fraction = divmod(hundredths, 100)
    return f"{whole}.{fraction:02d}".rstrip("0").rstrip(".")


class _InHundredths(forms.DecimalField):
    """A number with two decimals over a column of whole hundredths."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(decimal_places=2, **kwargs)

    def clean(self, value: Any) -> Any:
        number: Decimal | None = super().clean(value)
        return None if number is None else int(number * 100)

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / 100:.2f}" if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        stored = None if initial is None else Decimal(initial) / 100
        return super().has_changed(stored, data)


class YuanField(_InHundredths):
    """An amount typed in yuan; its value is in fen, as a column of cents wants it."""

    def __init__(self, *, least_cents: int = 0, **kwargs: Any) -> None:
        kwargs["min_value"] = Decimal(least_cents) / FEN_PER_YUAN
        kwargs["max_value"] = Decimal(MAX_CENTS) / FEN_PER_YUAN
        kwargs["widget"] = UnfoldAdminTextInputWidget(
            {"prefix": "¥", "inputmode": "decimal", "style": "padding-left: 1.75rem"}
        )
        super().__init__(**kwargs)


class PercentField(_InHundredths):
    """A share typed in percent, up to all of it; its value is in basis points."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["min_value"], kwargs["max_value"] = 0, 100
        kwargs["widget"] = UnfoldAdminTextInputWidget({"suffix": "%", "inputmode": "decimal"})
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return _plain(value) if isinstance(value, int) else value
