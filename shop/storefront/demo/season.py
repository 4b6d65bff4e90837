"""Half a year of the demo chain: set up, the opening, ordinary days. All of it or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from django.conf import settings
from django.db import transaction

from shop.kernel import clock
from shop.models import Store
from shop.storefront.demo import chain, people
from shop.storefront.demo.crowd import Crowd
from shop.storefront.demo.opening import Opening

SEED = "回甘"
DAYS = 180
DAY_STARTS_AT = time(5)
OPENED_DAYS_LATER = {"SH001": 0, "SH002": 9, "HZ001": 19}


@dataclass(frozen=True, kw_only=True, slots=True)
class Season:
    """What to make. `now` is the last moment of the demo.

    With `is_small` there is the opening alone, with a tenth of the people.
    """

    now: datetime
    is_small: bool = False

    @property
    def today(self) -> date:
        """Return the business day on which the demo ends; its stores share one clock."""
        return clock.business_date(
            self.now, timezone=settings.TIME_ZONE, day_starts_at=DAY_STARTS_AT
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How many of how many steps of which part are done."""

    part: str
    done: int
    total: int


def play(season: Season) -> Iterator[Progress]:
    """Make everything in one transaction, telling how far it is."""
    with transaction.atomic():
        rng = Random(SEED)  # noqa: S311 - the demo must be the same every time
        opened_on = season.today - timedelta(days=DAYS)
        yield Progress(part="chain", done=0, total=1)
        chain.load(opened_on=opened_on)
        for code, days in OPENED_DAYS_LATER.items():
            Store.objects.filter(code=code).update(opened_on=opened_on + timedelta(days=days))
        people.load(now=season.now)
        yield Progress(part="chain", done=1, total=1)
        yield from _open(Crowd(rng), season, rng)


def _open(crowd: Crowd, season: Season, rng: Random) -> Iterator[Progress]:
    store = Store.objects.get(code="SH001")
    first = Opening(store, scale=1 if season.is_small else 10, rng=rng, people=crowd)
    first.prepare()
    for done, _step in enumerate(first.play(), start=1):
        yield Progress(part="opening", done=done, total=len(first))
