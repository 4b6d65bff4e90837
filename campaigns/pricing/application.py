"""One offer, then several, applied to a basket: within limits and budget, or why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from campaigns.pricing.basket import Amounts, Basket, Pool, Shortfall, Unit, payable, spread
from campaigns.pricing.benefits import Benefit
from campaigns.pricing.cart import Cart
from campaigns.pricing.offers import Limits, Offer
from campaigns.pricing.reasons import Reason, Refusal
from shop.kernel.money import Cents


@dataclass(kw_only=True, slots=True)
class Run:
    """What came of some offers, applied one after another to a fresh basket."""

    basket: Basket
    applied: dict[str, Benefit] = field(default_factory=dict)
    """By key, in order; each gives something."""
    refused: dict[str, Refusal] = field(default_factory=dict)
    winners: dict[str, str] = field(default_factory=dict)
    """By exclusive group, the key of the offer that was applied."""

    @property
    def discount_cents(self) -> Cents:
        """What the guest pays less, goods and delivery together."""
        return Cents(sum(benefit.discount_cents for benefit in self.applied.values()))

    def copy(self) -> "Run":
        """Return a run that goes on from here by itself."""
        return Run(
            basket=self.basket.copy(),
            applied=self.applied.copy(),
            refused=self.refused.copy(),
            winners=self.winners.copy(),
        )

    def apply(self, offer: Offer) -> None:
        """Apply one more offer, or note why it gives nothing."""
        group = offer.rule.exclusive_group
        if group in self.winners:
            self.refused[offer.key] = beaten(offer, by=self.winners[group])
            return
        given = benefit_of(offer, self.basket)
        if isinstance(given, Shortfall):
            self.refused[offer.key] = _short(offer, given)
            return
        self.basket.take(given.amounts, given.delivery_cents)
        self.applied[offer.key] = given
        if group is not None:
            self.winners[group] = offer.key


def run_of(cart: Cart, offers: Iterable[Offer]) -> Run:
    """Return what comes of these offers, applied in this order."""
    run = Run(basket=Basket(cart))
    for offer in offers:
        run.apply(offer)
    return run


def beaten(offer: Offer, *, by: str) -> Refusal:
    """Return the refusal of an offer that another one keeps out."""
    return Refusal(key=offer.key, reason=Reason.NOT_STACKABLE, actual=by)


def benefit_of(offer: Offer, basket: Basket) -> Benefit | Shortfall:
    """Return what the offer gives on the basket as it is; or why it gives nothing."""
    rule = offer.rule
    in_scope = basket.units(rule.scope)
    if not in_scope:
        return Shortfall(reason=Reason.NO_MATCHING_ITEMS)
    units = _limited(payable(in_scope), rule.limits)
    given = rule.effect.give(Pool(units=units, scope=rule.scope, basket=basket))
    if isinstance(given, Shortfall) or not rule.effect.gives_money:
        return given
    return _within_budget(_capped(given, rule.limits), offer)


def _short(offer: Offer, shortfall: Shortfall) -> Refusal:
    return Refusal(
        key=offer.key,
        reason=shortfall.reason,
        needed=shortfall.needed,
        actual=shortfall.actual,
    )


def _limited(units: list[Unit], limits: Limits) -> list[Unit]:
    """Return what the limits let the effect see; units that cannot give use up no limit."""
    if limits.max_items is limits.max_items_per_line is limits.max_lines is None:
        return units
    units = [unit for unit in units if unit.room]
    first = limits.item_order.sort
    if limits.max_items_per_line is not None:
        by_line = groupby(units, key=_position)
        units = [
            unit for _, of_line in by_line for unit in first(of_line)[: limits.max_items_per_line]
        ]
    if limits.max_lines is not None:
        positions = list(dict.fromkeys(_position(unit) for unit in first(units)))
        kept = set(positions[: limits.max_lines])
        units = [unit for unit in units if _position(unit) in kept]
    return units if limits.max_items is None else first(units)[: limits.max_items]


def _position(unit: Unit) -> int:
    return unit.line.position


def _capped(given: Benefit, limits: Limits) -> Benefit:
    most = limits.max_discount_cents
    if most is None or given.discount_cents <= most:
        return given
    if given.delivery_cents:
        return replace(given, delivery_cents=most)
    return replace(given, amounts=spread(most, given.amounts))


def _within_budget(given: Benefit, offer: Offer) -> Benefit | Shortfall:
    total = given.discount_cents
    if not total:
        return Shortfall(reason=Reason.NO_DISCOUNT_LEFT)
    left = offer.budget_left_cents
    if left is not None and total > left:
        return Shortfall(reason=Reason.BUDGET_EXHAUSTED, needed=total, actual=left)
    return given


def by_position(amounts: Amounts) -> Mapping[int, Cents]:
    """Return what comes off each line, lines without anything left out."""
    totals: dict[int, Cents] = {}
    for unit, cents in amounts.items():
        if cents:
            position = unit.line.position
            totals[position] = Cents(totals.get(position, 0) + cents)
    return dict(sorted(totals.items()))
