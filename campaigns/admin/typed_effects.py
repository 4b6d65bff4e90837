"""The effects that the offer form knows: which inputs each has, and how they make it.

One entry per effect; form and rule both follow from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from campaigns.admin import typed_bundles, typed_ladders
from campaigns.pricing import (
    BundlePrice,
    BuyXGetY,
    Effect,
    FixedOff,
    FreeItem,
    FreeTopping,
    FreeUpsize,
    GiftCoupon,
    GiftItem,
    Measured,
    NthItemPercent,
    PercentOff,
    PointsBoost,
    TieredFixedOff,
    TieredPercentOff,
    UnitPrice,
)
from shop.kernel.money import Points

Answers = dict[str, Any]
BASIS_POINTS_PER_PERCENT = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedEffect:
    """How one effect is typed: `inputs` belong to it, the `needed` ones must be given."""

    label: str | Promise
    inputs: tuple[str, ...]
    needed: tuple[str, ...]
    build: Callable[[Answers], Effect]
    read: Callable[[Any], Answers]
    takes_cap: bool = False
    """Whether the form's cap limits the discount of the whole offer."""


def _measured(answers: Answers) -> Measured:
    return Measured(answers["ladder_by"] or Measured.SPEND)


def _read_ladder(effect: TieredFixedOff | TieredPercentOff) -> Answers:
    return {"ladder": typed_ladders.text_of(effect), "ladder_by": effect.by.value}


def _basis_points(answers: Answers) -> int:
    return int((answers["percent"] or Decimal(0)) * BASIS_POINTS_PER_PERCENT)


def _percent(basis_points: int) -> Decimal:
    return Decimal(basis_points) / BASIS_POINTS_PER_PERCENT


TYPED_EFFECTS: Mapping[str, TypedEffect] = {
    PercentOff.kind: TypedEffect(
        label=gettext_lazy("A percentage off"),
        inputs=("percent", "cap"),
        needed=("percent",),
        build=lambda answers: PercentOff(
            percent_bp=_basis_points(answers), max_discount_cents=answers["cap"]
        ),
        read=lambda effect: {
            "percent": _percent(effect.percent_bp),
            "cap": effect.max_discount_cents,
        },
    ),
    FixedOff.kind: TypedEffect(
        label=gettext_lazy("An amount off"),
        inputs=("amount",),
        needed=("amount",),
        build=lambda answers: FixedOff(amount_cents=answers["amount"]),
        read=lambda effect: {"amount": effect.amount_cents},
    ),
    TieredFixedOff.kind: TypedEffect(
        label=gettext_lazy("The more, the more off"),
        inputs=("ladder", "ladder_by"),
        needed=("ladder",),
        build=lambda answers: TieredFixedOff(
            tiers=typed_ladders.fixed_tiers(answers["ladder"], _measured(answers)),
            by=_measured(answers),
        ),
        read=_read_ladder,
    ),
    TieredPercentOff.kind: TypedEffect(
        label=gettext_lazy("The more, the more percent off"),
        inputs=("ladder", "ladder_by", "cap"),
        needed=("ladder",),
        build=lambda answers: TieredPercentOff(
            tiers=typed_ladders.percent_tiers(answers["ladder"], _measured(answers)),
            by=_measured(answers),
        ),
        read=_read_ladder,
        takes_cap=True,
    ),
    UnitPrice.kind: TypedEffect(
        label=gettext_lazy("One price for each"),
        inputs=("amount",),
        needed=("amount",),
        build=lambda answers: UnitPrice(price_cents=answers["amount"]),
        read=lambda effect: {"amount": effect.price_cents},
    ),
    BuyXGetY.kind: TypedEffect(
        label=gettext_lazy("Buy some, get some free"),
        inputs=("buy_quantity", "get_quantity", "cap", "max_applications"),
        needed=("buy_quantity", "get_quantity"),
        build=lambda answers: BuyXGetY(
            buy_quantity=answers["buy_quantity"],
            get_quantity=answers["get_quantity"],
            max_applications=answers["max_applications"],
        ),
        read=lambda effect: {
            "buy_quantity": effect.buy_quantity,
            "get_quantity": effect.get_quantity,
            "max_applications": effect.max_applications,
        },
        takes_cap=True,
    ),
    NthItemPercent.kind: TypedEffect(
        label=gettext_lazy("Every nth item cheaper"),
        inputs=("nth", "percent", "cap", "max_applications"),
        needed=("nth", "percent"),
        build=lambda answers: NthItemPercent(
            nth=answers["nth"],
            percent_bp=_basis_points(answers),
            max_applications=answers["max_applications"],
        ),
        read=lambda effect: {
            "nth": effect.nth,
            "percent": _percent(effect.percent_bp),
            "max_applications": effect.max_applications,
        },
        takes_cap=True,
    ),
    BundlePrice.kind: TypedEffect(
        label=gettext_lazy("A set for one price"),
        inputs=("amount", *typed_bundles.names(), "max_applications"),
        needed=("amount", "part_1_quantity"),
        build=lambda answers: BundlePrice(
            parts=typed_bundles.parts_of(answers),
            price_cents=answers["amount"],
            max_applications=answers["max_applications"],
        ),
        read=lambda effect: {
            "amount": effect.price_cents,
            "max_applications": effect.max_applications,
            **typed_bundles.answers_of(effect.parts),
        },
    ),
    FreeItem.kind: TypedEffect(
        label=gettext_lazy("A drink or a thing free"),
        inputs=("amount", "pieces"),
        needed=(),
        build=lambda answers: FreeItem(
            max_value_cents=answers["amount"], quantity=answers["pieces"] or 1
        ),
        read=lambda effect: {"amount": effect.max_value_cents, "pieces": effect.quantity},
    ),
    FreeTopping.kind: TypedEffect(
        label=gettext_lazy("A topping free"),
        inputs=("amount", "pieces"),
        needed=(),
        build=lambda answers: FreeTopping(
            max_value_cents=answers["amount"], quantity=answers["pieces"] or 1
        ),
        read=lambda effect: {"amount": effect.max_value_cents, "pieces": effect.quantity},
    ),
    FreeUpsize.kind: TypedEffect(
        label=gettext_lazy("A larger cup free"),
        inputs=("pieces",),
        needed=(),
        build=lambda answers: FreeUpsize(quantity=answers["pieces"] or 1),
        read=lambda effect: {"pieces": effect.quantity},
    ),
    GiftItem.kind: TypedEffect(
        label=gettext_lazy("A product as a gift"),
        inputs=("gift_product", "pieces", "buy_quantity"),
        needed=("gift_product",),
        build=lambda answers: GiftItem(
            product=answers["gift_product"],
            quantity=answers["pieces"] or 1,
            buy_quantity=answers["buy_quantity"] or 1,
        ),
        read=lambda effect: {
            "gift_product": effect.product,
            "pieces": effect.quantity,
            "buy_quantity": effect.buy_quantity,
        },
    ),
    GiftCoupon.kind: TypedEffect(
        label=gettext_lazy("A coupon for the next time"),
        inputs=("gift_coupon", "pieces"),
        needed=("gift_coupon",),
        build=lambda answers: GiftCoupon(
            coupon=answers["gift_coupon"], quantity=answers["pieces"] or 1
        ),
        read=lambda effect: {"gift_coupon": effect.coupon, "pieces": effect.quantity},
    ),
    PointsBoost.kind: TypedEffect(
        label=gettext_lazy("More points"),
        inputs=("multiplier", "bonus_points"),
        needed=(),
        build=lambda answers: PointsBoost(
            multiplier_percent=int((answers["multiplier"] or Decimal(1)) * 100),
            bonus_points=Points(answers["bonus_points"] or 0),
        ),
        read=lambda effect: {
            "multiplier": Decimal(effect.multiplier_percent) / 100,
            "bonus_points": effect.bonus_points or None,
        },
    ),
}
"""By kind, in the order in which the form offers them."""

KINDS = [(kind, typed.label) for kind, typed in TYPED_EFFECTS.items()]
NEEDED = {kind: typed.needed for kind, typed in TYPED_EFFECTS.items()}
EFFECT_INPUTS = sorted({name for typed in TYPED_EFFECTS.values() for name in typed.inputs})
SHOWN_FOR = {
    name: [kind for kind, typed in TYPED_EFFECTS.items() if name in typed.inputs]
    for name in EFFECT_INPUTS
}
"""Which inputs belong to which kinds of offer; the others are hidden and not looked at."""
