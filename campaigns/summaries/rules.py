"""What an offer says in plain words, Chinese and English, from its rule: everything it says.

Pure. Both languages stand side by side, because both are always wanted: a manager writes for
guests who read the other one. tests/campaigns/test_summaries.py changes every field of a rule and
expects another sentence, so nothing that a rule can say is left unsaid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns.pricing import (
    Conditions,
    Hours,
    Limits,
    Match,
    PriceOrder,
    Rule,
    Stacking,
)
from campaigns.summaries import effects, scopes
from campaigns.summaries.phrases import NO_NAMES, Names, Text, joined, listed, money, say
from shop.kernel.money import Cents

ORDER_TYPES: Mapping[str, Text] = {
    "dine_in": say("堂食", "dine-in"),
    "pickup": say("自取", "pickup"),
    "delivery": say("外送", "delivery"),
}
WEEKDAYS = [
    say("周一", "Mon"),
    say("周二", "Tue"),
    say("周三", "Wed"),
    say("周四", "Thu"),
    say("周五", "Fri"),
    say("周六", "Sat"),
    say("周日", "Sun"),
]
ITEM_ORDERS = {
    PriceOrder.CHEAPEST_FIRST: say("价低者优先", "the cheapest first"),
    PriceOrder.DEAREST_FIRST: say("价高者优先", "the dearest first"),
    PriceOrder.CART_ORDER: say("按下单顺序", "in the order of the cart"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Caps:
    """How often an offer may be used, and what it may give away; None is without end."""

    total: int | None = None
    per_member: int | None = None
    per_store: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None
    budget_cents: Cents | None = None


NO_CAPS = Caps()


def summarize(rule: Rule, *, timezone: str, names: Names = NO_NAMES, caps: Caps = NO_CAPS) -> Text:
    """Return the whole offer in words; moments are told in this time zone.

    >>> from campaigns.pricing import FixedOff
    >>> five = Rule(
    ...     effect=FixedOff(amount_cents=Cents(500)),
    ...     conditions=Conditions(min_spend_cents=Cents(2500)),
    ... )
    >>> summarize(five, timezone="Asia/Shanghai").en
    '¥5 off; for orders from ¥25.'
    >>> summarize(five, timezone="Asia/Shanghai").zh
    '减¥5；订单满¥25可用。'
    """
    parts = [
        effects.tell(rule, names),
        *_limits(rule.limits),
        *_conditions(rule.conditions, names, ZoneInfo(timezone)),
        *_caps(caps),
        *_stacking(rule),
    ]
    return Text(zh="；".join(p.zh for p in parts) + "。", en="; ".join(p.en for p in parts) + ".")


def _limits(limits: Limits) -> list[Text]:
    found = []
    if limits.max_discount_cents is not None:
        found.append(say("最多优惠{m}", "at most {m} off", m=money(limits.max_discount_cents)))
    if limits.max_items is not None:
        found.append(say("最多{n}件", "on at most {n} items", n=limits.max_items))
    if limits.max_items_per_line is not None:
        found.append(
            say("每种最多{n}件", "on at most {n} of one line", n=limits.max_items_per_line)
        )
    if limits.max_lines is not None:
        found.append(say("最多{n}种商品", "on at most {n} lines", n=limits.max_lines))
    if found and limits.item_order is not PriceOrder.CHEAPEST_FIRST:
        found.append(ITEM_ORDERS[limits.item_order])
    return found


def _conditions(asked: Conditions, names: Names, zone: ZoneInfo) -> list[Text]:
    return [
        *_about_cart(asked, names),
        *_about_buyer(asked, names),
        *_about_history(asked),
        *_about_place(asked, names),
        *_about_time(asked, zone),
    ]


def _about_cart(asked: Conditions, names: Names) -> list[Text]:
    found = []
    of = say("", "")
    if asked.scope is not None:
        goods = scopes.tell(asked.scope, names)
        of = say("（只计{goods}）", " (counting {goods})", goods=goods)
    if asked.min_spend_cents:
        least = money(asked.min_spend_cents)
        found.append(say("订单满{m}可用{of}", "for orders from {m}{of}", m=least, of=of))
    if asked.max_spend_cents is not None:
        most = money(asked.max_spend_cents)
        found.append(say("订单不超过{m}{of}", "for orders up to {m}{of}", m=most, of=of))
    if asked.min_quantity:
        found.append(say("满{n}件可用{of}", "from {n} items on{of}", n=asked.min_quantity, of=of))
    if asked.min_distinct_products:
        found.append(
            say(
                "至少{n}种不同商品{of}",
                "with at least {n} different products{of}",
                n=asked.min_distinct_products,
                of=of,
            )
        )
    if asked.contains is not None:
        goods = scopes.tell(asked.contains, names)
        found.append(
            {
                Match.ANY: say("须购买{g}", "with {g} in the order", g=goods),
                Match.ALL: say("须同时购买每一种：{g}", "with each of {g} in the order", g=goods),
                Match.NONE: say("订单不可含{g}", "without {g} in the order", g=goods),
                Match.ONLY: say("订单只可含{g}", "with nothing but {g} in the order", g=goods),
            }[asked.contains_match]
        )
    return found


def _about_buyer(asked: Conditions, names: Names) -> list[Text]:
    found = []
    if asked.members_only:
        found.append(say("仅限会员", "members only"))
    if asked.tiers:
        tiers = listed(names.of("tier", code) for code in sorted(asked.tiers))
        found.append(say("限{t}会员", "for {t} members", t=tiers))
    if asked.segments:
        groups = listed(names.of("segment", code) for code in sorted(asked.segments))
        found.append(say("限人群：{s}", "for the segments {s}", s=groups))
    if asked.channels:
        ways = listed(names.of("channel", code) for code in sorted(asked.channels))
        found.append(say("限来自{c}的会员", "for members who came by {c}", c=ways))
    return found


def _about_history(asked: Conditions) -> list[Text]:
    found = []
    if asked.first_order_only:
        found.append(say("仅限首单", "first order only"))
    if asked.nth_order is not None:
        found.append(say("仅限第{n}单", "only for order number {n}", n=asked.nth_order))
    if asked.birthday_within_days is not None:
        found.append(
            say(
                "生日前后{n}天内",
                "within {n} days of the birthday",
                n=asked.birthday_within_days,
            )
            if asked.birthday_within_days
            else say("仅限生日当天", "on the birthday")
        )
    if asked.birthday_month:
        found.append(say("仅限生日月", "in the month of the birthday"))
    if asked.joined_within_days is not None:
        found.append(
            say(
                "入会{n}天内",
                "within {n} days of joining",
                n=asked.joined_within_days,
            )
        )
    return found


def _about_place(asked: Conditions, names: Names) -> list[Text]:
    found = []
    if asked.stores:
        stores = listed(names.of("store", code) for code in sorted(asked.stores))
        found.append(say("限门店：{s}", "at {s}", s=stores))
    if asked.cities:
        cities = listed(names.of("city", code) for code in sorted(asked.cities))
        found.append(say("限城市：{c}", "in {c}", c=cities))
    if asked.order_types:
        ways = listed(ORDER_TYPES.get(code, Text.plain(code)) for code in sorted(asked.order_types))
        found.append(say("限{w}", "for {w}", w=ways))
    if asked.payment_methods:
        means = listed(names.of("payment", code) for code in sorted(asked.payment_methods))
        found.append(say("限用{p}付款", "when paying by {p}", p=means))
    return found


def _about_time(asked: Conditions, zone: ZoneInfo) -> list[Text]:
    found = []
    if asked.hours:
        windows = joined([_window(hours) for hours in asked.hours], zh="或", en=" or ")
        found.append(say("限{w}", "{w}", w=windows))
    if asked.starts_at is not None:
        found.append(say("{at}起", "from {at}", at=_moment(asked.starts_at, zone)))
    if asked.ends_at is not None:
        found.append(say("{at}止", "until {at}", at=_moment(asked.ends_at, zone)))
    return found


def _window(hours: Hours) -> Text:
    """Return a weekly window; one that runs past midnight says so."""
    days = listed(WEEKDAYS[day - 1] for day in sorted(hours.weekdays))
    if not hours.weekdays:
        days = say("每天", "daily")
    if hours.starts == hours.ends:
        times = say("全天", "all day")
        if hours.starts.hour or hours.starts.minute:
            times = say("{s}起24小时", "for 24 hours from {s}", s=f"{hours.starts:%H:%M}")
    else:
        is_late = hours.ends < hours.starts
        next_day = say("次日", "") if is_late else say("", "")
        after = say("", " the next day") if is_late else say("", "")
        times = say(
            "{s}–{n}{e}",
            "{s}–{e}{a}",
            s=f"{hours.starts:%H:%M}",
            e=f"{hours.ends:%H:%M}",
            n=next_day,
            a=after,
        )
    return joined([days, times], zh="", en=" ")


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


def _caps(caps: Caps) -> list[Text]:
    counts = [
        (caps.per_member, "每人限{n}次", "at most {n} per member"),
        (caps.per_store, "每店限{n}次", "at most {n} per store"),
        (caps.per_day, "每天限{n}次", "at most {n} a day"),
        (caps.per_week, "每周限{n}次", "at most {n} a week"),
        (caps.per_month, "每月限{n}次", "at most {n} a month"),
        (caps.total, "共{n}次", "{n} in all"),
    ]
    found = [say(zh, en, n=count) for count, zh, en in counts if count is not None]
    if caps.budget_cents is not None:
        found.append(
            say("优惠总额{m}用完为止", "until {m} have been given", m=money(caps.budget_cents))
        )
    return found


def _stacking(rule: Rule) -> list[Text]:
    found = []
    if rule.stacking is Stacking.EXCLUSIVE:
        found.append(say("不与其他优惠同享", "not with other offers"))
    if rule.stacking is Stacking.ALWAYS:
        found.append(say("可与任何优惠同享", "goes with every other offer"))
    if rule.exclusive_group is not None:
        found.append(
            say(
                "“{g}”类优惠每单限用一个",
                "only one of the group “{g}” per order",
                g=rule.exclusive_group,
            )
        )
    if rule.best_deal:
        found.append(
            say("自动选用最省的组合", "whichever combination of offers saves most is taken")
        )
    if rule.priority != Rule(effect=rule.effect).priority:
        found.append(
            say("优先级{n}（小者先用）", "priority {n} (lower goes first)", n=rule.priority)
        )
    return found
