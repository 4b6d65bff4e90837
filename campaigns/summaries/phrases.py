"""Words in two languages at once, for texts that guests and managers read side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from shop.kernel.money import BASIS_POINTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """The same in Chinese and in English."""

    zh: str
    en: str

    @classmethod
    def plain(cls, text: str) -> Self:
        """Return what is written the same in both."""
        return cls(zh=text, en=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What codes stand for, by kind: product, category, store, … An unknown code names itself."""

    known: Mapping[tuple[str, str], Text] = field(default_factory=dict)

    def of(self, kind: str, code: str) -> Text:
        """Return the name of a code."""
        return self.known.get((kind, code)) or Text.plain(code)


NO_NAMES = Names()


def say(zh: str, en: str, **values: object) -> Text:
    """Return a phrase with values put in; a value in two languages goes to each its own.

    >>> say("满{n}件", "from {n} items", n=3)
    Text(zh='满3件', en='from 3 items')
    """
    in_zh = {k: v.zh if isinstance(v, Text) else v for k, v in values.items()}
    in_en = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
    return Text(zh=zh.format(**in_zh), en=en.format(**in_en))


def joined(parts: Iterable[Text], *, zh: str, en: str) -> Text:
    """Return several with something between them."""
    parts = list(parts)
    return Text(zh=zh.join(p.zh for p in parts), en=en.join(p.en for p in parts))


def listed(parts: Iterable[Text]) -> Text:
    """Return several as a list."""
    return joined(parts, zh="、", en=", ")


def money(cents: int) -> str:
    """Return an amount as people read it.

    >>> money(400), money(1250)
    ('¥4', '¥12.50')
    """
    yuan, fen = divmod(cents, 100)
    return f"¥{yuan:,}.{fen:02d}" if fen else f"¥{yuan:,}"


def percent_off(basis_points: int) -> Text:
    """Return a discount as each language puts it: 12 % off are 8.8 折.

    >>> percent_off(1200), percent_off(5000).zh, percent_off(10000).en
    (Text(zh='打8.8折', en='12% off'), '打5折', 'free')
    """
    if basis_points == BASIS_POINTS:
        return Text(zh="免费", en="free")
    left = Decimal(BASIS_POINTS - basis_points) / 1000
    return Text(zh=f"打{left:f}折", en=f"{Decimal(basis_points) / 100:f}% off")
