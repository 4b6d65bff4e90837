"""People of the demo: names, birthdays, and phone numbers that nobody can have."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN_NAMES = [
    "子涵",
    "雨桐",
    "浩然",
    "欣怡",
    "梓轩",
    "思雨",
    "俊杰",
    "佳怡",
    "宇航",
    "诗琪",
    "晨曦",
    "一诺",
]
PHONE_PREFIX = "+86120"
"""Chinese mobile numbers start with 13 to 19, so these ring nowhere."""
FIRST_BIRTHDAY = date(1975, 1, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody about to join; most give a name, some a birthday."""

    phone: str
    name: str
    birthday: date | None


class Crowd:
    """An endless queue of people, the same for the same chance."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._count = 0

    def next(self) -> Person:
        """Return the next person."""
        self._count += 1
        has_name, has_birthday = self.rng.random() < 0.7, self.rng.random() < 0.4
        name = self.rng.choice(SURNAMES) + self.rng.choice(GIVEN_NAMES)
        birthday = FIRST_BIRTHDAY + timedelta(days=self.rng.randrange(12_000))
        return Person(
            phone=f"{PHONE_PREFIX}{self._count:08d}",
            name=name if has_name else "",
            birthday=birthday if has_birthday else None,
        )


def pieces(rng: Random) -> int:
    """Return how many things somebody orders."""
    (count,) = rng.choices([1, 2, 3], [55, 35, 10])
    return count
