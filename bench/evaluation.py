"""How long the evaluator takes for many offers and lines, beside one bare pass over both.

The floor asks for each offer and line whether they belong together and sums up what does: less is
not possible without an index, and nothing is priced by it yet.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from campaigns import pricing
from campaigns.pricing import Cart, CartLine, Conditions, Effect, Offer, Rule, Scope
from shop.kernel.money import Cents

OFFERS = 200
LINES = 30
REPEATS = 15
CATEGORIES = ["milk", "fruit", "cheese", "pure"]
NOW = datetime(2026, 6, 1, 7, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """CPU milliseconds of one evaluation, and of the floor measured beside it."""

    name: str
    cpu_ms: float
    floor_ms: float

    @property
    def ratio(self) -> float:
        """How many floors it costs."""
        return round(self.cpu_ms / self.floor_ms, 1)


def measure() -> list[Timing]:
    """Time the evaluator with few, some and all of the offers applicable, and the best deal."""
    cart = _cart()
    timings = []
    for applicable, best_deal in ((5, False), (20, False), (OFFERS, False), (10, True)):
        offers = [_offer(number, is_met=number < applicable) for number in range(OFFERS)]
        name = f"{OFFERS} offers, {applicable} met{', best deal' if best_deal else ''}"
        timings.append(_compare(name, cart, offers, best_deal=best_deal))
    return timings


def _compare(name: str, cart: Cart, offers: list[Offer], *, best_deal: bool) -> Timing:
    """Time both in turns, so that noise meets both; medians count."""
    ours, floors = [], []
    for _repeat in range(REPEATS):
        ours.append(
            _cpu_ms(lambda: pricing.evaluate(cart, pricing.GUEST, offers, NOW, best_deal=best_deal))
        )
        floors.append(_cpu_ms(lambda: _bare_pass(cart, offers)))
    return Timing(name=name, cpu_ms=round(median(ours), 2), floor_ms=round(median(floors), 2))


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _bare_pass(cart: Cart, offers: list[Offer]) -> list[int]:
    return [
        sum(
            line.unit_price_cents * line.quantity
            for line in cart.lines
            if line.category in offer.rule.scope.categories
        )
        for offer in offers
    ]


def _cart() -> Cart:
    return Cart(
        lines=tuple(
            CartLine(
                position=number,
                product=f"P{number % 20:02d}",
                category=CATEGORIES[number % len(CATEGORIES)],
                sku=f"P{number % 20:02d}-L",
                unit_price_cents=Cents(1000 + 100 * (number % 9)),
                quantity=1 + number % 3,
            )
            for number in range(1, LINES + 1)
        ),
        store="S1",
        city="上海",
        order_type="pickup",
        local_time=datetime(2026, 6, 1, 15, tzinfo=UTC),
    )


def _offer(number: int, *, is_met: bool) -> Offer:
    effects: list[Effect] = [
        pricing.PercentOff(percent_bp=300 + number),
        pricing.FixedOff(amount_cents=Cents(100 + number)),
        pricing.NthItemPercent(nth=2, percent_bp=5000),
        pricing.BuyXGetY(buy_quantity=2, get_quantity=1),
    ]
    threshold = Cents(1000 if is_met else 10_000_000)
    rule = Rule(
        effect=effects[number % len(effects)],
        scope=Scope(categories=frozenset({CATEGORIES[number // 4 % len(CATEGORIES)]})),
        conditions=Conditions(min_spend_cents=threshold, stores=frozenset({"S1", "S2"})),
    )
    return Offer(key=f"offer-{number:03d}", name=f"Offer {number}", rule=rule)
