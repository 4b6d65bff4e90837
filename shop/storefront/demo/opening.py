"""The opening of the demo's first store, played through the public flows at a clock of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import UUID

from campaigns import costs, links, referrals, touches
from campaigns.costs import CostRow
from campaigns.models import Campaign, CampaignPhase, Channel, ChannelLink, Coupon, Touch
from campaigns.touch_quality import TouchEvent
from loyalty import promises
from loyalty.lifetimes import Lifetime
from shop.kernel.money import Cents, split_cents
from shop.models import Member, Store
from shop.refunds import RefundRequest
from shop.storefront import refunds, registration
from shop.storefront.demo import crowd
from shop.storefront.demo.aftermath import learn_statistics
from shop.storefront.demo.appetite import CUPS
from shop.storefront.demo.crowd import Crowd
from shop.storefront.demo.desk import Desk
from shop.storefront.demo.people import MEMBER_NAME, MEMBER_PHONE
from shop.storefront.demo.plan import SOURCES, Source
from shop.storefront.registration import Application

PREHEAT_DAYS = 10
FIRST_DAYS = 3
SORRY_CENTS = Cents(500)
"""What is given back when a cup was not as ordered; the order stands."""
REFUND_WINDOW = timedelta(days=7)
STATISTICS_AT = {50, 200, 600, 1200}
"""Steps after which the planner learns how the tables have grown; it would scan them otherwise."""

Step = tuple[datetime, int, Callable[[datetime], None]]


@dataclass(kw_only=True, slots=True)
class Guest:
    """Somebody of the opening: how far they get, and when the flows are done with them."""

    source: Source | None
    visitor_id: str
    stage: str
    friends: int = 0
    is_demo_member: bool = False
    member: Member | None = None
    times: list[datetime] = field(default_factory=list)
    busy_until: datetime | None = None


class Opening:
    """Plans every step of the opening by chance, then plays them in the order of their times."""

    def __init__(self, store: Store, *, scale: int, rng: Random, people: Crowd) -> None:
        self.store = store
        self.scale = scale
        self.rng = rng
        self.people = people
        self.desk = Desk(store, rng=rng)
        self.appetite = self.desk.appetite
        self.links: dict[str, ChannelLink] = {}
        self.guests: list[Guest] = []
        self._events: list[TouchEvent] = []
        self._steps: list[Step] = []

    def prepare(self) -> None:
        """Set up the campaign with its links and costs, and plan who comes when."""
        self._make_links()
        self._pay_channels()
        for source in SOURCES:
            for guest in self._guests_of(source):
                self.guests.append(guest)
                self._plan(guest)
        for start in range(0, len(self._events), 1000):
            touches.ingest(self._events[start : start + 1000])
        self._steps.sort(key=lambda step: step[:2])

    def play(self) -> Iterator[None]:
        """Take one step after the other; each is one call of a flow."""
        for number, (now, _order, step) in enumerate(self._steps):
            if number in STATISTICS_AT:
                learn_statistics()
            step(now)
            yield

    def __len__(self) -> int:
        return len(self._steps)

    # --- what it costs -------------------------------------------------------------------------

    def _make_links(self) -> None:
        day = self.store.opened_on
        starts = self.store.business_day_start(day - timedelta(days=PREHEAT_DAYS))
        opens = self.store.business_day_start(day)
        ends = self.store.business_day_start(day + timedelta(days=FIRST_DAYS))
        campaign = Campaign.objects.create(
            code=f"opening-{self.store.code.lower()}",
            name_zh="人民广场店开业",
            name_en="People's Square opening",
            status=Campaign.Status.ENDED,
            starts_at=starts,
            ends_at=ends,
            budget_cents=Cents(1_500_000),
        )
        campaign.stores.add(self.store)
        kinds = CampaignPhase.Kind
        for kind, begin, end in ((kinds.PREHEAT, starts, opens), (kinds.FLASH72, opens, ends)):
            CampaignPhase.objects.create(campaign=campaign, kind=kind, starts_at=begin, ends_at=end)
        for source in SOURCES:
            self.links[source.channel] = links.create(
                channel=Channel.objects.get(code=source.channel),
                campaign=campaign,
                store=self.store,
                label=source.label,
                code=source.link,
                now=starts,
            )

    def _pay_channels(self) -> None:
        """Spread each channel's money over the days, most of it just before the opening."""
        days = range(-PREHEAT_DAYS, FIRST_DAYS)
        weights = [1 + max(0, PREHEAT_DAYS // 2 + day) for day in days]
        rows = []
        for source in SOURCES:
            amounts = (
                source.cost_cents,
                source.impressions,
                source.clicks,
                source.estimated_reach,
            )
            parts = [split_cents(Cents(amount * self.scale // 10), weights) for amount in amounts]
            rows += [
                CostRow(
                    link=source.link,
                    date=self.store.opened_on + timedelta(days=day),
                    cost_cents=cost,
                    impressions=impressions,
                    clicks=clicks,
                    estimated_reach=reach,
                )
                for day, cost, impressions, clicks, reach in zip(days, *parts, strict=True)
            ]
        costs.upsert(rows, links={link.code: link for link in self.links.values()})

    # --- who comes -----------------------------------------------------------------------------

    def _guests_of(self, source: Source) -> Iterator[Guest]:
        """Give every person of a channel the last stage they get to."""
        counts = [
            ("long_term", source.long_term),
            ("second", source.second - source.long_term),
            ("first", source.first - source.second),
            ("unhappy", source.unhappy),
            ("joined", source.joined - source.first - source.unhappy),
            ("scanned", source.scanned - source.joined),
            ("reached", source.reached - source.scanned),
        ]
        friends = list(source.friends) * self.scale
        for stage, count in counts:
            for _ in range(count * self.scale):
                guest = Guest(
                    source=source, visitor_id=f"{self.rng.getrandbits(64):016x}", stage=stage
                )
                if stage in {"long_term", "second"} and friends:
                    guest.friends = friends.pop(0)
                    is_first = not any(other.is_demo_member for other in self.guests)
                    guest.is_demo_member = is_first and source.channel == "community"
                yield guest

    def _plan(self, guest: Guest) -> None:
        day = self.store.opened_on
        source = guest.source
        assert source is not None  # noqa: S101 - friends are planned by whom they come with
        if guest.stage in {"long_term", "second", "first", "unhappy"}:
            (late,) = self.rng.choices(range(FIRST_DAYS), [45, 30, 25])
            bought = self.appetite.moment(day + timedelta(days=late))
            joined = bought - self._minutes(3, 15)
        else:
            near = self.rng.choice([*range(-PREHEAT_DAYS + 1, 0), *range(FIRST_DAYS)])
            bought = joined = self.appetite.moment(day + timedelta(days=near))
        scanned = joined - self._minutes(1, 30)
        is_scanned = guest.stage != "reached"
        if is_scanned:
            self._touch(source.channel, source.touch, guest, scanned)
        if not is_scanned or source.impressions:
            seen = scanned - self._minutes(1, 600)
            self._touch(source.channel, Touch.Kind.IMPRESSION, guest, seen)
        if guest.stage in {"scanned", "reached"}:
            return
        self._add(joined, partial(self._join, guest))
        if guest.stage != "joined":
            self._plan_orders(guest, bought)

    def _plan_orders(self, guest: Guest, first: datetime) -> None:
        times = [first]
        if guest.stage in {"second", "long_term"}:
            times.append(self._again(first, 2, 27))
        if guest.stage == "long_term":
            times.append(self._again(times[-1], 3, 16))
            times.append(self._again(times[-1], 3, 16))
        guest.times = times
        for number, at in enumerate(times):
            self._add(at, partial(self._order, guest, is_first=number == 0))
        if guest.stage == "unhappy":
            self._add(first + self._minutes(5, 40), partial(self._take_back, guest))
        for _ in range(guest.friends):
            self._plan_friend(guest, after=times[1])

    def _plan_friend(self, guest: Guest, *, after: datetime) -> None:
        friend = Guest(source=None, visitor_id="", stage="friend")
        self.guests.append(friend)
        bought = self._again(after, 1, 60)
        paid_out = bought + REFUND_WINDOW + self._minutes(1, 5)
        joined = bought - self._minutes(4, 20)
        self._add(joined, partial(self._join, friend, referrer=guest))
        self._add(bought, partial(self._order, friend, is_first=True))
        self._add(paid_out, self._release)
        for person in (guest, friend):
            person.times.append(paid_out)

    def _again(self, after: datetime, least: int, most: int) -> datetime:
        day = self.store.business_date(after) + timedelta(days=self.rng.randint(least, most))
        return self.appetite.moment(day)

    def _minutes(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(least * 60, most * 60))

    def _touch(self, channel: str, kind: str, guest: Guest, at: datetime) -> None:
        self._events.append(
            TouchEvent(
                event_id=UUID(int=self.rng.getrandbits(128), version=4),
                kind=kind,
                link_id=self.links[channel].pk,
                visitor_id=guest.visitor_id,
                occurred_at=at,
            )
        )

    def _add(self, at: datetime, step: Callable[[datetime], None]) -> None:
        self._steps.append((at, len(self._steps), step))

    # --- what they do --------------------------------------------------------------------------

    def _join(self, guest: Guest, now: datetime, *, referrer: Guest | None = None) -> None:
        code = ""
        if referrer is not None and referrer.member is not None:
            code = referrals.code_of(referrer.member, now=now).code
        person = self.people.next()
        guest.member = registration.join(
            Application(
                phone=MEMBER_PHONE if guest.is_demo_member else person.phone,
                store=self.store,
                name=MEMBER_NAME if guest.is_demo_member else person.name,
                birthday=person.birthday,
                visitor_id=guest.visitor_id,
                referral_code=code,
            ),
            now=now,
        )

    def _order(self, guest: Guest, now: datetime, *, is_first: bool) -> None:
        assert guest.member is not None  # noqa: S101 - they join before they order
        till = self.desk.pick_till()
        wants_gift = is_first and self.rng.random() < 0.5
        order_type = self.appetite.order_type()
        order = self.desk.sell(
            self.appetite.lines(
                order_type=order_type,
                day=self.store.business_date(now),
                pieces=2 if wants_gift else crowd.pieces(self.rng),
                categories=CUPS if wants_gift else None,
            ),
            till=till,
            member=guest.member,
            order_type=order_type,
            coupon_codes=_welcome_coupons(guest.member) if wants_gift else (),
            now=now,
        )
        total = order.payable_cents
        if is_first and total > 2 * SORRY_CENTS and self.rng.random() < 0.03:
            self._refund(order.number, RefundRequest(amount_cents=SORRY_CENTS), now)

    def _take_back(self, guest: Guest, now: datetime) -> None:
        assert guest.member is not None  # noqa: S101 - they join before they order
        order = guest.member.orders.get()
        self._refund(order.number, RefundRequest(reason="等太久"), now)

    def _refund(self, number: str, request: RefundRequest, now: datetime) -> None:
        actor = f"till:{self.desk.tills[0].pk}"
        refunds.refund_order(number=number, request=request, actor=actor, now=now)

    def _release(self, now: datetime) -> None:
        for promise_id in promises.due(now=now, limit=100):
            expires_at = Lifetime().ends_at(now, timezone=self.store.timezone)
            promises.release(promise_id, now=now, expires_at=expires_at)


def _welcome_coupons(member: Member) -> list[str]:
    mine = Coupon.objects.filter(
        member=member, status=Coupon.Status.AVAILABLE, definition__is_welcome_gift=True
    )
    return list(mine.values_list("code", flat=True))
