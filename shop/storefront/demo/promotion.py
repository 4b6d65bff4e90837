"""What the demo's stores spend on channels in ordinary times, and whom that brings."""

from datetime import date, datetime, timedelta

from campaigns import costs, links
from campaigns.costs import CostRow
from campaigns.models import Channel, ChannelLink, Touch
from shop.kernel.money import Cents
from shop.models import Store
from shop.storefront.demo.regulars import Regular
from shop.storefront.demo.tables import Tables

CHANNELS = {
    "douyin": "抖音日常投放",
    "community": "粉丝群日推",
    "flyer": "社区传单",
    "kol": "探店博主",
}
SUFFIXES = {"douyin": "DY", "community": "FANS", "flyer": "FLY", "kol": "KOL"}
WAYS = [""] * 9 + ["douyin"] * 6 + ["community"] * 4 + ["flyer"] * 3 + ["kol"] * 2
"""How newcomers hear of a store; nothing stands for by chance."""
DAILY_CENTS = {"douyin": 4_000, "community": 800, "flyer": 0, "kol": 0}
WEEKLY_CENTS = {"douyin": 0, "community": 0, "flyer": 8_000, "kol": 12_000}
PASSERS_BY = 2
MOST_MINUTES_BEFORE = 240


class Promotion:
    """The links of one store, and the touches on them."""

    def __init__(self, store: Store, *, tables: Tables, since: date, until: datetime) -> None:
        self.store = store
        self.tables = tables
        self.rng = tables.rng
        begins = store.business_day_start(since)
        self.links: dict[str, ChannelLink] = {
            code: links.create(
                channel=Channel.objects.get(code=code),
                store=store,
                label=label,
                code=f"{store.code}{SUFFIXES[code]}",
                now=begins,
            )
            for code, label in CHANNELS.items()
        }
        self._pay(since, store.business_date(until))

    def bring(self, now: datetime) -> tuple[Touch, ChannelLink] | None:
        """Return the touch by which somebody comes, and let others pass by; None for by chance."""
        way = self.rng.choice(WAYS)
        if not way:
            return None
        for _ in range(self.rng.randint(0, PASSERS_BY)):
            self._touch(way, self._visitor(), now)
        return self._touch(way, self._visitor(), now), self.links[way]

    def remind(self, regular: Regular, now: datetime) -> None:
        """Have a member answer to the fan group's post of the day."""
        visitor = regular.acquisition.visitor_id
        if visitor:
            touch = self._touch("community", visitor, now)
            regular.touches.append((touch.occurred_at, touch.link_id, self._channel("community")))
            regular.touches.sort()

    def _channel(self, code: str) -> int:
        return self.links[code].channel_id

    def _visitor(self) -> str:
        return f"{self.rng.getrandbits(64):016x}"

    def _touch(self, way: str, visitor: str, now: datetime) -> Touch:
        minutes = self.rng.randint(1, MOST_MINUTES_BEFORE)
        return self.tables.add(
            Touch(
                event_id=self.tables.uuid(),
                kind=Touch.Kind.SCAN if way == "flyer" else Touch.Kind.CLICK,
                link=self.links[way],
                visitor_id=visitor,
                occurred_at=now - timedelta(minutes=minutes),
            )
        )

    def _pay(self, since: date, until: date) -> None:
        rows = []
        for index in range((until - since).days + 1):
            day = since + timedelta(days=index)
            for code, link in self.links.items():
                cents = DAILY_CENTS[code] + (WEEKLY_CENTS[code] if index % 7 == 0 else 0)
                if cents:
                    rows.append(self._cost(link, day, cents * self.rng.randint(70, 130) // 100))
        costs.upsert(rows, links={link.code: link for link in self.links.values()})

    def _cost(self, link: ChannelLink, day: date, cents: int) -> CostRow:
        is_online = link.channel.kind in {Channel.Kind.AD_FEED, Channel.Kind.KOL}
        return CostRow(
            link=link.code,
            date=day,
            cost_cents=Cents(cents),
            impressions=cents // 6 if is_online else 0,
            clicks=cents // 180 if is_online else 0,
            estimated_reach=cents // 8,
            claimed_conversions=cents // 1_100 if is_online else None,
            claimed_value_cents=cents // 1_100 * 1_800 if is_online else None,
        )
