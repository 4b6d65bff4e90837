"""What membership gives in the demo: rules that earn, rewards, tiers' benefits, a monthly card.

All of it begins when the demo ends, so that its history needs none of it; but the card has been on
sale for a while, and some members have it.
"""

from datetime import date, datetime, timedelta
from typing import Any

from loyalty import plans
from loyalty.models import Benefit, EarningRule, MembershipPlan, Reward, Tier
from shop.kernel import jobs
from shop.kernel.clock import chain_day
from shop.kernel.money import Cents, Points
from shop.models import Member, Payment
from shop.storefront import benefit_grants

CARD = "MONTH_CARD"
CARD_CENTS = Cents(1990)
CARD_DAYS = 30
EVERY_HOLDER = 12
"""Of so many members one has the card."""
AGO = [timedelta(days=days) for days in (3, 11, 26, 41)]
"""How long ago holders bought it first; who did longer than a period ago has renewed it."""
MILK_TEA = {"amount_cents": 200, "categories": ["milk_tea"]}
TWO_TOPPINGS = {"coupon": "FREE_TOPPING", "quantity": 2}
RULES: list[dict[str, Any]] = [
    {"code": "CHECK_IN", "name_zh": "每日签到", "name_en": "Daily check-in"}
    | {"kind": "event", "event": "check_in", "points": 2, "max_points_per_day": 2},
    {"code": "REVIEW", "name_zh": "评价有礼", "name_en": "A review"}
    | {"kind": "event", "event": "review", "points": 10, "max_points_per_day": 20},
    {"code": "BIRTHDAY", "name_zh": "生日积分", "name_en": "Birthday"}
    | {"kind": "event", "event": "birthday", "points": 88},
    {"code": "PROFILE", "name_zh": "完善资料", "name_en": "A whole profile"}
    | {"kind": "event", "event": "profile", "points": 20},
    {"code": "WEDNESDAY_FRUIT", "name_zh": "周三果茶双倍", "name_en": "Fruit tea Wednesday"}
    | {"kind": "boost", "percent": 200, "weekdays": [3], "categories": ["fruit_tea"]}
    | {"max_points_per_day": 100},
]
REWARDS: list[dict[str, Any]] = [
    {"code": "FREE_PEARLS", "name_zh": "加料一份", "name_en": "Any topping"}
    | {"kind": "topping", "cost_points": 120, "max_value_cents": 400},
    {"code": "OFF5", "name_zh": "满25减5券", "name_en": "¥5 off ¥25"}
    | {"kind": "coupon", "cost_points": 200, "coupon": "FULL25_5", "limit_per_member": 4},
    {"code": "TOTE", "name_zh": "回甘帆布袋", "name_en": "Canvas bag"}
    | {"kind": "goods", "cost_points": 800, "stock": 50, "limit_per_member": 1},
    {"code": "CUP", "name_zh": "会员限定随行杯", "name_en": "Travel cup for regulars"}
    | {"kind": "goods", "cost_points": 1500, "stock": 12, "limit_per_member": 1, "min_tier": 2},
]
T2, T3, OF_CARD = 2, 3, None
BENEFITS: list[tuple[str, str, str, str, int | None, dict[str, Any]]] = [
    ("T2_MONTH", "每月免费升杯券", "A larger cup", "coupons", T2, {"coupon": "FREE_UPSIZE"}),
    ("T2_BIRTHDAY", "生日加料券", "A topping", "birthday", T2, {"coupon": "FREE_TOPPING"}),
    ("T3_POINTS", "积分1.5倍", "Half more points", "points_boost", T3, {"percent": 150}),
    ("T3_PRICE", "奶茶会员价", "Milk tea for members", "member_price", T3, MILK_TEA),
    ("CARD_PRICE", "月卡价", "Card price", "member_price", OF_CARD, {"amount_cents": 100}),
    ("CARD_MONTH", "月卡加料券", "Toppings", "coupons", OF_CARD, TWO_TOPPINGS),
]
"""Code, names, kind, the level of the tier (or the card), and what it gives."""


def load(*, now: datetime) -> None:
    """Load them, sell the card to some members, and give what this month promises."""
    for rule in RULES:
        EarningRule.objects.create(**rule)
    tiers = {tier.level: tier for tier in Tier.objects.all()}
    for reward in REWARDS:
        values = reward | {"cost_points": Points(reward["cost_points"])}
        level = values.pop("min_tier", None)
        Reward.objects.create(**values, min_tier=tiers[level] if level else None)
    card = MembershipPlan.objects.create(
        code=CARD,
        name_zh="回甘月卡",
        name_en="Monthly card",
        price_cents=CARD_CENTS,
        days=CARD_DAYS,
    )
    month = chain_day(now).replace(day=1)
    for code, name_zh, name_en, kind, level, what in BENEFITS:
        benefit = Benefit.objects.create(
            code=code,
            name_zh=name_zh,
            name_en=name_en,
            kind=kind,
            tier=tiers[level] if level else None,
            plan=None if level else card,
        )
        _promise(benefit, month=month, now=now, **what)
    _sell(now=now)
    for job in benefit_grants.start_due(now=now):
        jobs.run(job.pk, now=now)


def _promise(benefit: Benefit, *, month: date, now: datetime, **what: Any) -> None:
    benefit_grants.append_version(benefit, month=month, actor="demo", now=now, **what)


def _sell(*, now: datetime) -> None:
    members = Member.objects.filter(joined_at__lt=now - max(AGO)).select_related("store")
    for number, member in enumerate(members.order_by("pk")[::EVERY_HOLDER]):
        first = now - AGO[number % len(AGO)]
        renewed = [first + timedelta(days=CARD_DAYS - 2)]
        for bought_at in [first, *(at for at in renewed if at < now)]:
            plans.purchase(
                CARD,
                member_id=member.pk,
                store=member.store,
                method=Payment.Method.WECHAT,
                paid_cents=CARD_CENTS,
                source=f"demo:{member.pk}:{bought_at:%F}",
                actor="demo",
                now=bought_at,
            )
