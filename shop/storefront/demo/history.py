"""Ordinary days of the demo chain: people join, buy, come back, lapse. Made in memory."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from campaigns.models import Coupon, CouponDefinition
from loyalty.models import PendingPoints
from shop.kernel.money import Points
from shop.models import Store
from shop.storefront.demo import calendar, crowd
from shop.storefront.demo.appetite import CUPS, Appetite
from shop.storefront.demo.calendar import Habit
from shop.storefront.demo.consequences import Consequences
from shop.storefront.demo.crowd import Crowd
from shop.storefront.demo.ledger import Ledger
from shop.storefront.demo.opening import FIRST_DAYS, Guest
from shop.storefront.demo.promotion import Promotion
from shop.storefront.demo.regulars import Regular, Regulars
from shop.storefront.demo.sales import Counter, Sale, Wishes
from shop.storefront.demo.tables import Tables

JOINS_A_DAY = 2.2
REASONS = ["做错了", "等太久", "洒了", "点多了"]
LEAST_POINTS = 100
TODAY_AT_LEAST = 8
REGULARS_TODAY = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Chances:
    """How likely things are at a visit."""

    first_order_at_once: float = 0.85
    welcome_coupon: float = 0.5
    claims_coupon: float = 0.16
    pays_with_points: float = 0.1
    takes_reward: float = 0.5
    answers_post: float = 0.06
    orders_online: float = 0.3
    orders_in_vain: float = 0.008
    gives_all_back: float = 0.012
    gives_piece_back: float = 0.03
    comes_by_friend: float = 0.05


@dataclass(kw_only=True, slots=True)
class Someone:
    """A person of the plan, who becomes a member on the way."""

    store: Store
    joins_at: datetime
    regular: Regular | None = None


class History:
    """Plans visits by habit, plays them in the order of their times, and writes them in the end."""

    def __init__(
        self, stores: Sequence[Store], *, people: Crowd, tables: Tables, until: datetime
    ) -> None:
        self.tables = tables
        self.rng = tables.rng
        self.people = people
        self.until = until
        self.chances = Chances()
        self.stores = stores
        self.regulars = Regulars(tables)
        self.consequences = Consequences(tables, regulars=self.regulars, ledger=Ledger(tables))
        self.appetites = {store.pk: Appetite(store, self.rng) for store in stores}
        self.counters = {
            store.pk: Counter(
                store,
                appetite=self.appetites[store.pk],
                tables=tables,
                consequences=self.consequences,
            )
            for store in stores
        }
        self.claimable = list(
            CouponDefinition.objects.filter(is_claimable=True, status="active").order_by("id")
        )
        self.promotions: dict[int, Promotion] = {}
        self._known: dict[int, Regular] = {}
        self._buyers: dict[int, list[Regular]] = {store.pk: [] for store in stores}
        self._steps: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._count = 0
        self._orders_planned = 0

    # --- planning ------------------------------------------------------------------------------

    def welcome_back(self, guests: Sequence[Guest], *, not_before: datetime) -> None:
        """Plan the later visits of the opening's people, within what the opening says of them."""
        joined = [guest for guest in guests if guest.member is not None]
        found = self.regulars.find(guest.member.pk for guest in joined if guest.member)
        self._known |= found
        for guest in joined:
            assert guest.member is not None  # noqa: S101 - filtered above
            someone = Someone(
                store=guest.member.store,
                joins_at=guest.member.joined_at,
                regular=found[guest.member.pk],
            )
            habits = calendar.AFTER_OPENING[guest.stage]
            habit = calendar.DEVOTED if guest.is_demo_member else self.rng.choice(habits)
            self._plan_visits(someone, habit, after=max([not_before, *guest.times]))

    def plan(self, *, first_opening: Store, orders: int) -> None:
        """Plan who joins when, and as many guests as make this many orders from now on."""
        newcomers: list[Someone] = []
        for store in self.stores:
            is_first = store.pk == first_opening.pk
            begins = store.opened_on + timedelta(days=FIRST_DAYS if is_first else 0)
            self.promotions[store.pk] = Promotion(
                store, tables=self.tables, since=begins, until=self.until
            )
            newcomers += self._newcomers(store, begins)
        for someone in newcomers:
            self._plan_someone(someone)
        self._plan_today(newcomers)
        self._plan_guests(orders - self._orders_planned)
        heapq.heapify(self._steps)

    def play(self) -> Iterator[None]:
        """Take one step after the other."""
        while self._steps:
            now, _number, step = heapq.heappop(self._steps)
            step(now)
            yield

    def __len__(self) -> int:
        return len(self._steps)

    def _newcomers(self, store: Store, begins: date) -> Iterator[Someone]:
        today = store.business_date(self.until)
        for index in range((today - begins).days + 1):
            day = begins + timedelta(days=index)
            wanted = JOINS_A_DAY * calendar.weight(day, first=store.opened_on)
            for _ in range(int(wanted + self.rng.random())):
                at = self._moment(store, day)
                yield Someone(store=store, joins_at=at)

    def _plan_someone(self, someone: Someone) -> None:
        self._add(someone.joins_at, partial(self._join, someone))
        if self.rng.random() < self.chances.first_order_at_once:
            at = someone.joins_at + timedelta(seconds=self.rng.randint(120, 900))
            if at < self.until:
                self._add_visit(at, someone)
        habit = self.rng.choice(calendar.HABITS)
        self._plan_visits(someone, habit, after=someone.joins_at)

    def _plan_visits(self, someone: Someone, habit: Habit, *, after: datetime) -> None:
        appetite = self.appetites[someone.store.pk]
        for at in calendar.visits(habit, appetite, after=after, until=self.until, rng=self.rng):
            self._add_visit(at, someone)

    def _plan_today(self, newcomers: Sequence[Someone]) -> None:
        """See to it that something has happened today, however early it is."""
        for store in self.stores:
            today = store.business_date(self.until)
            starts = store.business_day_start(today)
            known = [
                someone
                for someone in newcomers
                if someone.store.pk == store.pk and someone.joins_at < starts
            ]
            for _ in range(TODAY_AT_LEAST):
                self._add_guest(self._moment(store, today), store)
            for someone in self.rng.sample(known, REGULARS_TODAY):
                self._add_visit(self._moment(store, today), someone)

    def _plan_guests(self, count: int) -> None:
        days = [
            (store, store.opened_on + timedelta(days=index))
            for store in self.stores
            for index in range((store.business_date(self.until) - store.opened_on).days)
        ]
        weights = [calendar.weight(day, first=store.opened_on) for store, day in days]
        for store, day in self.rng.choices(days, weights, k=max(count, 0)):
            self._add_guest(self._moment(store, day), store)

    def _moment(self, store: Store, day: date) -> datetime:
        """Return a moment when the store is open; on the last day any that is over."""
        at = self.appetites[store.pk].moment(day)
        if at < self.until:
            return at
        starts = store.business_day_start(day)
        return starts + (self.until - starts) * self.rng.random()

    def _add_visit(self, at: datetime, someone: Someone) -> None:
        self._orders_planned += 1
        self._add(at, partial(self._visit, someone))

    def _add_guest(self, at: datetime, store: Store) -> None:
        self._orders_planned += 1
        self._add(at, partial(self._guest, store))

    def _add(self, at: datetime, step: Callable[[datetime], None]) -> None:
        self._count += 1
        self._steps.append((at, self._count, step))

    def _later(self, at: datetime, step: Callable[[datetime], None]) -> None:
        """Add a step while playing; what lies beyond the end does not happen."""
        if at < self.until:
            self._count += 1
            heapq.heappush(self._steps, (at, self._count, step))

    # --- what happens --------------------------------------------------------------------------

    def _join(self, someone: Someone, now: datetime) -> None:
        store = someone.store
        friends = self._buyers[store.pk]
        by_friend = bool(friends) and self.rng.random() < self.chances.comes_by_friend
        someone.regular = self.regulars.join(
            self.people.next(),
            store,
            now=now,
            touch=None if by_friend else self.promotions[store.pk].bring(now),
            referrer=self.rng.choice(friends) if by_friend else None,
        )
        self._known[someone.regular.member.pk] = someone.regular

    def _guest(self, store: Store, now: datetime) -> None:
        counter = self.counters[store.pk]
        sale = counter.sell(self._wishes(store, now), None, now=now)
        self._maybe_refund(counter, sale, now)

    def _visit(self, someone: Someone, now: datetime) -> None:
        regular, store = someone.regular, someone.store
        assert regular is not None  # noqa: S101 - people join before they come
        counter = self.counters[store.pk]
        if self.rng.random() < self.chances.answers_post:
            self.promotions[store.pk].remind(regular, now)
        if self.rng.random() < self.chances.orders_in_vain:
            before = now - timedelta(minutes=30)
            counter.place_in_vain(self._wishes(store, before), regular, now=before)
        sale = counter.sell(self._wishes(store, now, regular), regular, now=now)
        if not regular.is_old and regular.order_count == 1:
            self._buyers[store.pk].append(regular)
        if regular.referral is not None and sale.order.paid_cents > 0:
            self._qualify(sale, regular, now)
        elif not sale.order.reward_code:
            self._maybe_refund(counter, sale, now)

    def _wishes(self, store: Store, now: datetime, regular: Regular | None = None) -> Wishes:
        appetite, chances = self.appetites[store.pk], self.chances
        order_type, day = appetite.order_type(), store.business_date(now)
        is_welcome = (
            regular is not None
            and not regular.has_ordered
            and bool(regular.coupons)
            and self.rng.random() < chances.welcome_coupon
        )
        lines = appetite.lines(
            order_type=order_type,
            day=day,
            pieces=2 if is_welcome else crowd.pieces(self.rng),
            categories=CUPS if is_welcome else None,
        )
        if regular is None:
            return Wishes(lines=lines, order_type=order_type)
        coupon = regular.coupons[0] if is_welcome else self._claimed(regular, now)
        has_points = regular.points.available >= LEAST_POINTS and coupon is None
        pays_with_points = has_points and self.rng.random() < chances.pays_with_points
        return Wishes(
            lines=lines,
            order_type=order_type,
            coupon=coupon,
            points=regular.points.available if pays_with_points else Points(0),
            wants_reward=has_points
            and not pays_with_points
            and self.rng.random() < chances.takes_reward,
            is_online=self.rng.random() < chances.orders_online,
        )

    def _claimed(self, regular: Regular, now: datetime) -> Coupon | None:
        if self.rng.random() >= self.chances.claims_coupon:
            return None
        definition = self.rng.choice(self.claimable)
        before = max(now - timedelta(minutes=10), regular.member.joined_at)
        return self.regulars.give_coupon(regular, definition, source="claim", now=before)

    def _qualify(self, sale: Sale, regular: Regular, now: datetime) -> None:
        assert regular.referral is not None  # noqa: S101 - the caller has looked
        referrer = self._known[regular.referral.referrer_id]
        for promise, side in self.consequences.qualify(sale.order, regular, referrer, now=now):
            assert promise.available_at is not None  # noqa: S101 - referrals name the day
            self._later(
                promise.available_at + timedelta(minutes=3), partial(self._pay_out, promise, side)
            )

    def _pay_out(self, promise: PendingPoints, regular: Regular, now: datetime) -> None:
        self.consequences.pay_out(promise, regular, now=now)

    def _maybe_refund(self, counter: Counter, sale: Sale, now: datetime) -> None:
        chance = self.rng.random()
        order = sale.order
        if order.paid_cents == 0 or chance > self.chances.gives_piece_back:
            return
        line = None
        if chance > self.chances.gives_all_back:
            line = self.rng.choice(sale.lines)
            if line.net_cents // line.quantity in {0, order.paid_cents}:
                return
        at = now + timedelta(minutes=self.rng.randint(5, 90))
        reason = self.rng.choice(REASONS)
        self._later(at, lambda at: counter.refund(sale, line=line, reason=reason, now=at))
