"""Offers as managers call them: each fills the form in, and every answer can still be changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORKDAYS = [1, 2, 3, 4, 5]
WEDNESDAY = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """A kind of offer everybody knows; `coupon` are answers that only coupons have."""

    code: str
    label: str | Promise
    icon: str
    rule: Mapping[str, Any]
    coupon: Mapping[str, Any] = field(default_factory=dict)
    name_zh: str
    name_en: str

    def answers(self, *, is_coupon: bool) -> dict[str, Any]:
        """Return what to fill the form in with."""
        names = {"name_zh": self.name_zh, "name_en": self.name_en}
        return {**names, **self.rule, **(self.coupon if is_coupon else {})}


PRESETS = [
    Preset(
        code="bogo",
        label=_("Buy one, get one"),
        icon="counter_2",
        rule={"kind": "buy_x_get_y", "buy_quantity": 1, "get_quantity": 1, "max_applications": 1},
        name_zh="买一送一",
        name_en="Buy one, get one",
    ),
    Preset(
        code="ladder",
        label=_("The more, the more off"),
        icon="stairs",
        rule={"kind": "tiered_fixed_off", "ladder": "50:5, 100:15"},
        name_zh="满减",
        name_en="The more, the more off",
    ),
    Preset(
        code="second-cup",
        label=_("Second cup half price"),
        icon="local_cafe",
        rule={"kind": "nth_item_percent", "nth": 2, "percent": 50},
        name_zh="第二杯半价",
        name_en="Second cup half price",
    ),
    Preset(
        code="percent",
        label=_("Percentage off"),
        icon="percent",
        rule={"kind": "percent_off", "percent": 12},
        name_zh="8.8折",
        name_en="12% off",
    ),
    Preset(
        code="newcomer",
        label=_("For newcomers"),
        icon="person_add",
        rule={
            "kind": "fixed_off",
            "amount": 500,
            "min_spend": 1500,
            "members_only": True,
            "first_order_only": True,
            "joined_within_days": 30,
        },
        coupon={"is_welcome_gift": True, "valid_days": 14, "per_member_limit": 1},
        name_zh="新人券",
        name_en="Welcome",
    ),
    Preset(
        code="birthday",
        label=_("For birthdays"),
        icon="cake",
        rule={
            "kind": "percent_off",
            "percent": 50,
            "cap": 1500,
            "members_only": True,
            "birthday_month": True,
        },
        coupon={"valid_days": 31, "per_member_limit": 1, "is_claimable": True},
        name_zh="生日券",
        name_en="Birthday treat",
    ),
    Preset(
        code="member-day",
        label=_("Member day"),
        icon="event",
        rule={
            "kind": "percent_off",
            "percent": 20,
            "members_only": True,
            "weekdays": [WEDNESDAY],
        },
        name_zh="会员日",
        name_en="Member day",
    ),
    Preset(
        code="happy-hour",
        label=_("Happy hour"),
        icon="schedule",
        rule={
            "kind": "percent_off",
            "percent": 20,
            "weekdays": WORKDAYS,
            "hours_from": "14:00",
            "hours_until": "17:00",
            "exclusive_group": "happy-hour",
        },
        name_zh="欢乐时光",
        name_en="Happy hour",
    ),
    Preset(
        code="topping",
        label=_("Free topping"),
        icon="bubble_chart",
        rule={"kind": "free_topping", "amount": 400, "pieces": 1},
        name_zh="免费加料",
        name_en="Free topping",
    ),
    Preset(
        code="upsize",
        label=_("Free upsize"),
        icon="open_in_full",
        rule={"kind": "free_upsize", "pieces": 1},
        name_zh="免费升杯",
        name_en="Free upsize",
    ),
    Preset(
        code="voucher",
        label=_("Voucher for a drink"),
        icon="redeem",
        rule={
            "kind": "free_item",
            "amount": 2000,
            "pieces": 1,
            "stacking": "exclusive",
            "members_only": True,
        },
        coupon={"valid_days": 30, "per_member_limit": 1},
        name_zh="兑换券",
        name_en="Free drink voucher",
    ),
    Preset(
        code="set-price",
        label=_("One price"),
        icon="price_check",
        rule={"kind": "unit_price", "amount": 990},
        name_zh="一口价",
        name_en="One price",
    ),
    Preset(
        code="set",
        label=_("A set for one price"),
        icon="lunch_dining",
        rule={"kind": "bundle_price", "amount": 2500, "part_1_quantity": 1, "part_2_quantity": 1},
        name_zh="组合价",
        name_en="A set for one price",
    ),
    Preset(
        code="gift",
        label=_("Gift with purchase"),
        icon="featured_seasonal_and_gifts",
        rule={"kind": "gift_item", "buy_quantity": 2, "pieces": 1},
        name_zh="买赠",
        name_en="Gift with purchase",
    ),
    Preset(
        code="points",
        label=_("Double points"),
        icon="stars",
        rule={"kind": "points_boost", "multiplier": 2, "members_only": True},
        name_zh="双倍积分",
        name_en="Double points",
    ),
]
BY_CODE = {preset.code: preset for preset in PRESETS}
