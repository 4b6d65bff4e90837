"""Half a year of the chain: a campaign whose flash runs while people look at the demo.

Its preheat is over, its long tail and what is always on are to come. Everybody in it goes through
the public flows, in the order of their times, so that beat, limits and reports find what they would
find in a shop. It comes after the opening has long been counted, and touches none of its numbers.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns import campaigns, costs, coupons, definitions, links, reservations, touches
from campaigns.campaigns import CampaignDraft
from campaigns.costs import CostRow
from campaigns.models import (
    Campaign,
    Channel,
    ChannelLink,
    Coupon,
    CouponDefinition,
    Touch,
)
from campaigns.touch_quality import TouchEvent
from shop.kernel import jobs
from shop.kernel.clock import chain_day
from shop.kernel.models import Job
from shop.kernel.money import Cents
from shop.models import Member, OrderType, Staff, Store
from shop.storefront import registration
from shop.storefront.demo import celebration_plan as plan
from shop.storefront.demo.aftermath import learn_statistics
from shop.storefront.demo.celebration_plan import TRAFFIC, Kind, Traffic
from shop.storefront.demo.crowd import Crowd
from shop.storefront.demo.desk import Desk
from shop.storefront.demo.people import MEMBER_NAME
from shop.storefront.registration import Application

SMALLER = 10
DAYS_UNTIL_NOW = 1
"""The flash started at midnight before the day of the demo: it has a day behind it, or two."""
TRIES = 20
JUST_NOW = timedelta(minutes=25)
"""Who came later than this may still be about to pay."""
MOST_MEMBERS = 400
CENTS_AN_IMPRESSION = 5
CENTS_A_CLICK = 110

Step = tuple[datetime, int, Callable[[datetime], None]]


class Celebration:
    """Plans who comes when, then plays it."""

    def __init__(self, *, now: datetime, is_small: bool, rng: Random, people: Crowd) -> None:
        self.now = now
        self.rng = rng
        self.people = people
        self.divisor = SMALLER if is_small else 1
        self.desks = [Desk(store, rng=rng, prefix="H") for store in Store.objects.order_by("id")]
        day = chain_day(now) - timedelta(days=DAYS_UNTIL_NOW)
        self.starts_at = datetime.combine(day, time(0), tzinfo=ZoneInfo(settings.TIME_ZONE))
        self.members = _known_members(before=self.starts_at - plan.PREHEAT)
        self.newcomers: dict[str, Member] = {}
        self.links: dict[str, ChannelLink] = {}
        self._events: list[TouchEvent] = []
        self._steps: list[Step] = []

    def play(self) -> None:
        """Make the campaign, and let everything happen that did until now."""
        campaign = self._prepare()
        self._pay()
        for traffic in TRAFFIC:
            self._plan(traffic)
        touches.ingest(_numbered_by_time(self._events))
        learn_statistics()
        for guest in self._some(self._count(plan.RESERVED)):
            self._add(self._moment(Kind.PREHEAT), partial(self._reserve, campaign, guest))
        self._add(self.starts_at, self._begin)
        for at, _place, step in sorted(self._steps, key=lambda step: step[:2]):
            step(at)

    # --- the campaign --------------------------------------------------------------------------

    def _prepare(self) -> Campaign:
        """Make coupons, campaign, phases and links, and switch it on when its preheat starts."""
        begins = self.starts_at - plan.PREHEAT
        offers = [
            CouponDefinition(**plan.COUPON, rule=plan.COUPON_RULE, is_claimable=True, valid_days=7),
            CouponDefinition(**plan.TAIL_COUPON, rule=plan.TAIL_COUPON_RULE, valid_days=14),
        ]
        for offer in offers:
            offer.save()
        campaign = campaigns.create(
            CampaignDraft(
                code=plan.CODE,
                name_zh=plan.NAME_ZH,
                name_en=plan.NAME_EN,
                starts_at=begins,
                budget_cents=Cents(600_000 // self.divisor),
                phases=plan.phases(self.starts_at, divisor=self.divisor),
            )
        )
        for offer in offers:
            self._agree(offer, at=begins)
        phases = {phase.kind: phase for phase in campaign.phases.all()}
        ways = [(each.kind, each.channel, each.link, each.label) for each in TRAFFIC]
        for kind, channel, code, label in [*ways, *plan.TAIL_LINKS]:
            self.links[code] = links.create(
                channel=Channel.objects.get(code=channel),
                campaign=campaign,
                phase=phases[kind],
                label=label,
                code=code,
                offer_zh=plan.COUPON["name_zh"],
                offer_en=plan.COUPON["name_en"],
                now=begins,
            )
        actor = f"staff:{Staff.objects.get(username='hq').pk}"
        to = Campaign.Status.ACTIVE
        return campaigns.move(campaign, to=to, reason="半年庆预热", actor=actor, now=begins)

    def _agree(self, offer: CouponDefinition, *, at: datetime) -> None:
        """Make an offer ready for its phase, with a second person's word on what it may lose."""
        hq, controller = (Staff.objects.get(username=name) for name in ("hq", "controller"))
        definitions.submit(offer, by=hq)
        offer.refresh_from_db()
        definitions.approve(offer, by=controller, now=at)

    def _pay(self) -> None:
        """Enter what each link cost on each day that has begun."""
        rows = []
        for each in TRAFFIC:
            for number, day in enumerate(self._days(each.kind)):
                cents = each.daily_cents + (each.first_day_cents if number == 0 else 0)
                if cents:
                    cents = cents * self.rng.randint(85, 115) // 100 // self.divisor
                    rows.append(self._cost(each, day, cents))
        costs.upsert(rows, links=self.links)

    def _cost(self, traffic: Traffic, day: date, cents: int) -> CostRow:
        is_online = traffic.seen > 0
        return CostRow(
            link=traffic.link,
            date=day,
            cost_cents=Cents(cents),
            impressions=cents // CENTS_AN_IMPRESSION if is_online else 0,
            clicks=cents // CENTS_A_CLICK if is_online else 0,
            estimated_reach=cents // (CENTS_AN_IMPRESSION + 2),
        )

    def _begin(self, now: datetime) -> None:
        """Let beat move the phases on, and give those who reserved what they were promised."""
        campaigns.advance(now=now)
        for job in Job.objects.filter(kind=reservations.JOB, done=0):
            jobs.run(job.pk, now=now)

    # --- who comes -----------------------------------------------------------------------------

    def _plan(self, traffic: Traffic) -> None:
        for _each in range(self._count(traffic.seen)):
            self._touch(traffic, Touch.Kind.IMPRESSION, self._name(), self._moment(traffic.kind))
        for number in range(self._count(traffic.came)):
            visitor, at = self._name(), self._moment(traffic.kind)
            self._touch(traffic, traffic.touch, visitor, at)
            desk = self.rng.choice(self.desks)
            joins_at = at + self._minutes(1, 8)
            if number < self._count(traffic.joined):
                self._add(joins_at, partial(self._join, desk, visitor))
            if number < self._count(traffic.bought):
                bought_at = joins_at + self._minutes(1, 4)
                self._add(bought_at, partial(self._buy_first, desk, visitor))
        for guest in self._some(self._count(traffic.members)):
            at = self._moment(traffic.kind)
            self._touch(traffic, traffic.touch, guest.acquisition.visitor_id, at)
            desk = self.rng.choice(self.desks)
            self._add(at + self._minutes(1, 10), partial(self._buy, desk, guest))

    def _join(self, desk: Desk, visitor: str, now: datetime) -> None:
        person = self.people.next()
        self.newcomers[visitor] = registration.join(
            Application(
                phone=person.phone,
                store=desk.store,
                name=person.name,
                birthday=person.birthday,
                visitor_id=visitor,
            ),
            now=now,
        )

    def _buy_first(self, desk: Desk, visitor: str, now: datetime) -> None:
        self._buy(desk, self.newcomers[visitor], now)

    def _reserve(self, campaign: Campaign, guest: Member, now: datetime) -> None:
        reservations.reserve(campaign, member_id=guest.pk, now=now)

    def _buy(self, desk: Desk, member: Member, now: datetime) -> None:
        """Buy two or three cups; with the campaign's coupon, once the flash gives it."""
        lines = desk.appetite.lines(
            order_type=OrderType.PICKUP,
            day=desk.store.business_date(now),
            pieces=self.rng.choice([2, 2, 3]),
        )
        is_enough = desk.appetite.total_cents(lines) >= plan.LEAST_CENTS
        desk.sell(
            lines,
            till=desk.pick_till(),
            member=member,
            order_type=OrderType.PICKUP,
            coupon_codes=[self._coupon(member, now)] if is_enough and now > self.starts_at else [],
            now=now,
        )

    def _coupon(self, member: Member, now: datetime) -> str:
        """Return the coupon that a reservation brought, or claim one."""
        code = plan.COUPON["code"]
        mine = Coupon.objects.filter(member=member, definition__code=code).first()
        return (mine or coupons.claim(code, member_id=member.pk, now=now)).code

    def _touch(self, traffic: Traffic, kind: str, visitor: str, at: datetime) -> None:
        self._events.append(
            TouchEvent(
                event_id=UUID(int=self.rng.getrandbits(128), version=4),
                kind=kind,
                link_id=self.links[traffic.link].pk,
                visitor_id=visitor,
                occurred_at=at,
            )
        )

    def _add(self, at: datetime, step: Callable[[datetime], None]) -> None:
        self._steps.append((at, len(self._steps), step))

    # --- chance --------------------------------------------------------------------------------

    def _moment(self, kind: Kind) -> datetime:
        """Return a moment of a phase at which stores are open, and before now by a while."""
        since, until = self._span(kind)
        until -= JUST_NOW
        appetite = self.desks[0].appetite
        for _try in range(TRIES):
            at = appetite.moment(self.rng.choice(self._days(kind)))
            if since < at < until:
                return at
        return since + (until - since) * self.rng.random()

    def _span(self, kind: Kind) -> tuple[datetime, datetime]:
        if kind == Kind.PREHEAT:
            return self.starts_at - plan.PREHEAT, self.starts_at
        return self.starts_at, self.now

    def _days(self, kind: Kind) -> list[date]:
        since, until = self._span(kind)
        last = (until - timedelta(seconds=1)).astimezone(since.tzinfo).date()
        first = since.date()
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _some(self, count: int) -> list[Member]:
        return self.rng.sample(self.members, min(count, len(self.members)))

    def _count(self, people: int) -> int:
        return -(-people // self.divisor)

    def _name(self) -> str:
        return f"{self.rng.getrandbits(64):016x}"

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(least * 60, most * 60))


def _numbered_by_time(events: list[TouchEvent]) -> list[TouchEvent]:
    """Let ids follow the times, as they do where guests come one after the other."""
    by_time = sorted(events, key=lambda event: event.occurred_at)
    ids = sorted(event.event_id for event in events)
    return [replace(event, event_id=id) for event, id in zip(by_time, ids, strict=True)]


def _known_members(*, before: datetime) -> list[Member]:
    """Return members whom a link had brought by then; not the one whom the demo shows."""
    brought = Member.objects.filter(joined_at__lt=before, status=Member.Status.ACTIVE)
    brought = brought.exclude(acquisition__visitor_id="").exclude(name=MEMBER_NAME)
    return list(brought.select_related("acquisition").order_by("-pk")[:MOST_MEMBERS])
