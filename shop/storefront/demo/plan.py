"""How the demo's opening goes: who is reached by what, and how far each of them gets.

The numbers are per hundred people reached, so that any multiple comes out exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

PEOPLE_PER_SCALE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One channel of the opening, per hundred people reached by all channels together.

    `friends` has a number per referrer: how many friends each brings. `unhappy` people join, and
    take their first order back whole. Money and the platforms' numbers are for a thousand people.
    """

    channel: str
    link: str
    label: str
    touch: str
    reached: int
    scanned: int
    joined: int
    first: int
    second: int
    long_term: int
    friends: Sequence[int]
    unhappy: int
    cost_cents: int
    impressions: int
    clicks: int
    estimated_reach: int


# Douyin brings the most people and keeps the fewest; the fan groups are the other way round.
SOURCES = [
    Source(
        channel="douyin",
        link="OPENDOUYIN",
        label="抖音同城信息流",
        touch="click",
        reached=42,
        scanned=30,
        joined=23,
        first=17,
        second=7,
        long_term=2,
        friends=[],
        unhappy=1,
        cost_cents=680_000,
        impressions=52_000,
        clicks=1_900,
        estimated_reach=38_000,
    ),
    Source(
        channel="kol",
        link="OPENKOL",
        label="美食博主探店",
        touch="click",
        reached=23,
        scanned=19,
        joined=15,
        first=12,
        second=8,
        long_term=3,
        friends=[1],
        unhappy=0,
        cost_cents=450_000,
        impressions=26_000,
        clicks=900,
        estimated_reach=21_000,
    ),
    Source(
        channel="flyer",
        link="OPENFLYER",
        label="地铁口传单",
        touch="scan",
        reached=20,
        scanned=20,
        joined=15,
        first=13,
        second=9,
        long_term=3,
        friends=[2],
        unhappy=0,
        cost_cents=160_000,
        impressions=0,
        clicks=0,
        estimated_reach=5_000,
    ),
    Source(
        channel="community",
        link="OPENFANS",
        label="小区粉丝群",
        touch="click",
        reached=11,
        scanned=9,
        joined=8,
        first=6,
        second=5,
        long_term=2,
        friends=[2, 1],
        unhappy=0,
        cost_cents=30_000,
        impressions=0,
        clicks=0,
        estimated_reach=1_500,
    ),
    Source(
        channel="organic",
        link="OPENDOOR",
        label="门口易拉宝",
        touch="scan",
        reached=4,
        scanned=4,
        joined=2,
        first=2,
        second=1,
        long_term=0,
        friends=[],
        unhappy=0,
        cost_cents=0,
        impressions=0,
        clicks=0,
        estimated_reach=0,
    ),
]
