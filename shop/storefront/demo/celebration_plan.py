"""The plan of the campaign that runs while people look at the demo, and how it has gone so far.

Counts are of people, for the whole demo; the small one has a tenth. Money is in fen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from campaigns.models import CampaignPhase
from campaigns.phase_drafts import PhaseDraft, PlanDraft
from campaigns.phase_spans import FLASH
from shop.kernel.money import Cents

CODE = "half-year"
NAME_ZH = "半年庆 72 小时"
NAME_EN = "Half-year celebration"
PREHEAT = timedelta(days=9)
LONG_TAIL = timedelta(days=28)
RESERVED = 60
PLACES = 300
Kind = CampaignPhase.Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What a channel does in a phase: who saw, came, joined, bought; members who came again.

    `first_day_cents` are spent on the first day of the phase, `daily_cents` on every day.
    """

    kind: Kind
    channel: str
    link: str
    label: str
    touch: str
    seen: int
    came: int
    joined: int
    bought: int
    members: int = 0
    first_day_cents: int = 0
    daily_cents: int = 0
    planned_cents: int
    planned_joins: int


TRAFFIC = [
    Traffic(
        kind=Kind.PREHEAT,
        channel="douyin",
        link="HALFDYPRE",
        label="半年庆预告短视频",
        touch="click",
        seen=60,
        came=36,
        joined=16,
        bought=11,
        daily_cents=9_000,
        planned_cents=90_000,
        planned_joins=20,
    ),
    Traffic(
        kind=Kind.PREHEAT,
        channel="kol",
        link="HALFKOLPRE",
        label="博主剧透",
        touch="click",
        seen=40,
        came=22,
        joined=9,
        bought=6,
        first_day_cents=36_000,
        planned_cents=40_000,
        planned_joins=10,
    ),
    Traffic(
        kind=Kind.PREHEAT,
        channel="community",
        link="HALFFANPRE",
        label="粉丝群预约",
        touch="click",
        seen=0,
        came=14,
        joined=8,
        bought=7,
        members=14,
        daily_cents=1_200,
        planned_cents=15_000,
        planned_joins=10,
    ),
    Traffic(
        kind=Kind.FLASH72,
        channel="douyin",
        link="HALFDY72",
        label="72 小时信息流",
        touch="click",
        seen=110,
        came=70,
        joined=34,
        bought=27,
        daily_cents=42_000,
        planned_cents=210_000,
        planned_joins=80,
    ),
    Traffic(
        kind=Kind.FLASH72,
        channel="kol",
        link="HALFKOL72",
        label="博主探店直播",
        touch="click",
        seen=60,
        came=40,
        joined=20,
        bought=16,
        first_day_cents=48_000,
        planned_cents=80_000,
        planned_joins=40,
    ),
    Traffic(
        kind=Kind.FLASH72,
        channel="flyer",
        link="HALFFLY72",
        label="地铁口传单",
        touch="scan",
        seen=0,
        came=45,
        joined=24,
        bought=21,
        first_day_cents=20_000,
        planned_cents=30_000,
        planned_joins=40,
    ),
    Traffic(
        kind=Kind.FLASH72,
        channel="community",
        link="HALFFAN72",
        label="粉丝群接龙",
        touch="click",
        seen=0,
        came=22,
        joined=11,
        bought=10,
        members=48,
        daily_cents=3_000,
        planned_cents=15_000,
        planned_joins=20,
    ),
]
COUPON = {"code": "HALFYEAR6", "name_zh": "半年庆满30减6", "name_en": "Half-year: ¥6 off ¥30"}
LEAST_CENTS = 3_000
COUPON_RULE = {
    "version": 1,
    "effect": {"kind": "fixed_off", "amount_cents": 600},
    "conditions": {"min_spend_cents": LEAST_CENTS},
}
TAIL_COUPON = {"code": "HALFYEAR_TOP", "name_zh": "半年庆加料券", "name_en": "Half-year topping"}
TAIL_COUPON_RULE = {"version": 1, "effect": {"kind": "free_topping", "max_value_cents": 300}}
TAIL_LINKS = [
    (Kind.LONG_TAIL, "community", "HALFFANTAIL", "粉丝群返场"),
    (Kind.ALWAYS_ON, "douyin", "HALFDYON", "抖音常驻投放"),
]
"""Links of what is still to come."""


def phases(starts_at: datetime, *, divisor: int) -> list[PhaseDraft]:
    """Return the phases around the moment when the flash starts; money and people divided."""

    def money(cents: int) -> Cents:
        return Cents(cents // divisor)

    flash_ends = starts_at + FLASH
    return [
        PhaseDraft(
            kind=Kind.PREHEAT,
            starts_at=starts_at - PREHEAT,
            ends_at=starts_at,
            budget_cents=money(160_000),
            target_joins=40 // divisor,
            target_first_orders=24 // divisor,
            reservation_coupon=COUPON["code"],
            reservation_limit=PLACES,
            plan=_plan(Kind.PREHEAT, divisor),
        ),
        PhaseDraft(
            kind=Kind.FLASH72,
            starts_at=starts_at,
            budget_cents=money(350_000),
            cpa_limit_cents=Cents(4_000),
            redemption_limit=500 // divisor,
            target_joins=180 // divisor,
            target_first_orders=150 // divisor,
            target_sales_cents=money(700_000),
            target_cpa_cents=Cents(2_000),
            target_roas_percent=180,
            coupon_definitions=[COUPON["code"]],
            plan=_plan(Kind.FLASH72, divisor),
        ),
        PhaseDraft(
            kind=Kind.LONG_TAIL,
            starts_at=flash_ends,
            ends_at=flash_ends + LONG_TAIL,
            budget_cents=money(60_000),
            target_joins=40 // divisor,
            coupon_definitions=[TAIL_COUPON["code"]],
            plan=[PlanDraft(channel="community", cost_cents=money(60_000), joins=40 // divisor)],
        ),
        PhaseDraft(
            kind=Kind.ALWAYS_ON,
            starts_at=flash_ends,
            daily_budget_cents=money(8_000),
            cpa_limit_cents=Cents(3_000),
            plan=[PlanDraft(channel="douyin")],
        ),
    ]


def _plan(kind: Kind, divisor: int) -> Sequence[PlanDraft]:
    return [
        PlanDraft(
            channel=each.channel,
            cost_cents=Cents(each.planned_cents // divisor),
            reach=(each.seen + each.came) * 100 // divisor,
            joins=each.planned_joins // divisor,
        )
        for each in TRAFFIC
        if each.kind == kind
    ]
