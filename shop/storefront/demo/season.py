"""Half a year of the demo chain: set up, the opening, ordinary days. All of it or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from django.conf import settings
from django.db import connection, transaction

from shop.kernel import clock
from shop.models import Order, Store
from shop.storefront.demo import ads, aftermath, chain, partners, people, perks
from shop.storefront.demo.celebration import Celebration
from shop.storefront.demo.crowd import Crowd
from shop.storefront.demo.history import History
from shop.storefront.demo.opening import FIRST_DAYS, Opening
from shop.storefront.demo.tables import Tables

SEED = "回甘"
DAYS = 180
ORDERS = 15_000
FIRST_STORE = "SH001"
STEPS_A_TICK = 200
DAY_STARTS_AT = time(5)
OPENED_DAYS_LATER = {FIRST_STORE: 0, "SH002": 9, "HZ001": 19}


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
        _take_time()
        rng = Random(SEED)  # noqa: S311 - the demo must be the same every time
        opened_on = season.today - timedelta(days=DAYS)
        yield Progress(part="chain", done=0, total=1)
        chain.load(opened_on=opened_on)
        for code, days in OPENED_DAYS_LATER.items():
            Store.objects.filter(code=code).update(opened_on=opened_on + timedelta(days=days))
        people.load(now=season.now)
        yield Progress(part="chain", done=1, total=1)
        people_to_come = Crowd(rng)
        first = Opening(
            Store.objects.get(code=FIRST_STORE),
            scale=1 if season.is_small else 10,
            rng=rng,
            people=people_to_come,
        )
        yield from _open(first)
        if not season.is_small:
            yield from _go_on(first, season, Tables(rng))
        yield Progress(part="campaign", done=0, total=1)
        Celebration(now=season.now, is_small=season.is_small, rng=rng, people=people_to_come).play()
        yield Progress(part="campaign", done=1, total=1)
        yield Progress(part="finish", done=0, total=1)
        ads.advertise(now=season.now)
        partners.load(first.store, now=season.now)
        aftermath.settle_down(now=season.now)
        people.fill_wallet(now=season.now)
        perks.load(now=season.now)
        people.ask_for_points(now=season.now)
        yield Progress(part="finish", done=1, total=1)


def _take_time() -> None:
    """Lift the limits that protect a busy database; much of this happens in memory."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SET LOCAL statement_timeout = 0")


def _open(first: Opening) -> Iterator[Progress]:
    first.prepare()
    for done, _step in enumerate(first.play(), start=1):
        yield Progress(part="opening", done=done, total=len(first))


def _go_on(first: Opening, season: Season, tables: Tables) -> Iterator[Progress]:
    store = first.store
    history = History(
        list(Store.objects.prefetch_related("hours").order_by("id")),
        people=first.people,
        tables=tables,
        until=season.now,
    )
    ordinary_from = store.business_day_start(store.opened_on + timedelta(days=FIRST_DAYS))
    history.welcome_back(first.guests, not_before=ordinary_from)
    history.plan(first_opening=store, orders=ORDERS - Order.objects.count())
    for done, _step in enumerate(history.play(), start=1):
        if done % STEPS_A_TICK == 0 or not len(history):
            yield Progress(part="history", done=done, total=done + len(history))
    yield Progress(part="writing", done=0, total=1)
    tables.write()
    yield Progress(part="writing", done=1, total=1)
