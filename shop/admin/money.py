"""Money as people read and type it: yuan with two decimals, over columns of whole fen."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from shop.kernel.money import MAX_CENTS, Cents

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


class YuanField(forms.DecimalField):
    """An amount typed in yuan; its value is in fen, as a column of cents wants it."""

    def __init__(self, *, least_cents: int = 0, **kwargs: Any) -> None:
        kwargs["min_value"] = Decimal(least_cents) / FEN_PER_YUAN
        kwargs["max_value"] = Decimal(MAX_CENTS) / FEN_PER_YUAN
        kwargs["widget"] = UnfoldAdminTextInputWidget(
            {"prefix": "¥", "inputmode": "decimal", "style": "padding-left: 1.75rem"}
        )
        super().__init__(decimal_places=2, **kwargs)

    def clean(self, value: Any) -> Any:
        amount: Decimal | None = super().clean(value)
        return None if amount is None else Cents(int(amount * FEN_PER_YUAN))

    def prepare_value(self, value: Any) -> Any:
        return f"{Decimal(value) / FEN_PER_YUAN:.2f}" if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        stored = None if initial is None else Decimal(initial) / FEN_PER_YUAN
        return super().has_changed(stored, data)
