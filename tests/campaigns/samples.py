"""Carts and offers for the tests of pricing, with everything that does not matter filled in."""

from datetime import datetime, timedelta, timezone
from typing import Any

from campaigns.pricing import (
    GUEST,
    Cart,
    CartLine,
    Conditions,
    Effect,
    Facts,
    Limits,
    Offer,
    Pricing,
    Rule,
    Scope,
    Stacking,
    evaluate,
)
from shop.kernel.money import Cents

SHANGHAI = timezone(timedelta(hours=8))
NOON = datetime(2026, 6, 18, 12, tzinfo=SHANGHAI)
"""A Thursday."""
MEMBER = Facts(member="m1", order_count=3, tier="T1", days_since_joined=40)


def line(
    position: int, price: int, quantity: int = 1, *, product: str = "", **more: Any
) -> CartLine:
    values: dict[str, Any] = {"category": "milk_tea", **more}
    code = product or f"p{position}"
    return CartLine(
        position=position,
        product=code,
        sku=f"{code}-M",
        unit_price_cents=Cents(price),
        quantity=quantity,
        **values,
    )


def cart(*lines: CartLine, **more: Any) -> Cart:
    values: dict[str, Any] = {
        "store": "SH001",
        "city": "Shanghai",
        "order_type": "pickup",
        "local_time": NOON,
        **more,
    }
    return Cart(lines=lines, **values)


def cups(*prices: int) -> Cart:
    """Return a cart with one line of one unit for each price."""
    return cart(*(line(position, price) for position, price in enumerate(prices, start=1)))


def offer(
    effect: Effect,
    key: str = "A",
    *,
    scope: Scope | None = None,
    conditions: Conditions | None = None,
    limits: Limits | None = None,
    stacking: Stacking = Stacking.COMMON,
    exclusive_group: str | None = None,
    priority: int = 100,
    best_deal: bool = False,
    **left: Any,
) -> Offer:
    rule = Rule(
        effect=effect,
        scope=scope or Scope(),
        conditions=conditions or Conditions(),
        limits=limits or Limits(),
        stacking=stacking,
        exclusive_group=exclusive_group,
        priority=priority,
        best_deal=best_deal,
    )
    return Offer(key=key, name=f"Offer {key}", rule=rule, **left)


def price(
    cart: Cart,
    *offers: Offer,
    facts: Facts = GUEST,
    now: datetime = NOON,
    best_deal: bool = False,
) -> Pricing:
    return evaluate(cart, facts, offers, now, best_deal=best_deal)


def discounts(pricing: Pricing) -> list[int]:
    """Return the discount of each line, in order."""
    return [line.discount_cents for line in pricing.lines]
