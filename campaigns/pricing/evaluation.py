"""The one evaluator: which offers apply to a cart, in which order, and what each takes off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from campaigns.pricing.basket import (
    Amounts,
    Basket,
    Pool,
    Shortfall,
    Unit,
    cheapest_first,
    payable,
    spread,
)
from campaigns.pricing.cart import Cart, Facts
from campaigns.pricing.conditions import Check, Situation
from campaigns.pricing.offers import Limits, Offer, Stacking
from campaigns.pricing.outcome import Allocation, AppliedOffer, PricedLine, Pricing
from campaigns.pricing.reasons import Reason, Refusal, plain
from shop.kernel.money import Cents

PRIVATE = frozenset({Reason.SEGMENT_MISMATCH})
"""Reasons whose measures are for the trace only: the shop's view of a member is not theirs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Some offers applied to a fresh basket, one after another."""

    applied: dict[str, Mapping[int, Cents]]
    """By key, in order: the cents off each line, by position; all positive."""
    refused: dict[str, Refusal]


def evaluate(cart: Cart, facts: Facts, offers: Sequence[Offer], now: datetime) -> Pricing:
    """Return what the cart costs this buyer with these offers at this moment.

    Pure: the same arguments give the same result, in whatever order lines and offers come.

    Raises:
        ValueError: two offers have the same key.
    """
    ranked = sorted(offers, key=lambda offer: offer.rank)
    if len({offer.key for offer in ranked}) < len(ranked):
        raise ValueError("two offers have the same key")

    situation = Situation(cart=cart, facts=facts, now=now)
    failed = {
        offer.key: _refusal(offer, check)
        for offer in ranked
        if (check := next((c for c in offer.checks(situation) if not c.passed), None))
    }
    run = _best_run(cart, [offer for offer in ranked if offer.key not in failed])

    refused = failed | run.refused
    return Pricing(
        lines=_priced_lines(cart, run),
        applied=tuple(
            AppliedOffer(key=key, discount_cents=Cents(sum(by_line.values())))
            for key, by_line in run.applied.items()
        ),
        refusals=tuple(refused[offer.key] for offer in ranked if offer.key in refused),
        situation=situation,
        offers=tuple(ranked),
    )


def _refusal(offer: Offer, check: Check) -> Refusal:
    if check.reason in PRIVATE:
        return Refusal(key=offer.key, reason=check.reason)
    needed, actual = plain(check.needed), plain(check.actual)
    return Refusal(key=offer.key, reason=check.reason, needed=needed, actual=actual)


def _best_run(cart: Cart, eligible: Sequence[Offer]) -> Run:
    """Return the run of the first exclusive offer that gives anything, else of all the common ones.

    An exclusive offer that finds nothing to discount must not keep others out.
    """
    always = [offer for offer in eligible if offer.rule.stacking is Stacking.ALWAYS]
    common = [offer for offer in eligible if offer.rule.stacking is Stacking.COMMON]
    exclusive = [offer for offer in eligible if offer.rule.stacking is Stacking.EXCLUSIVE]
    futile: dict[str, Refusal] = {}
    for index, candidate in enumerate(exclusive):
        run = _run(cart, sorted([*always, candidate], key=lambda offer: offer.rank))
        if candidate.key in run.applied:
            beaten = [*common, *exclusive[index + 1 :]]
            return replace(run, refused=futile | run.refused | _beaten(beaten, by=candidate))
        futile[candidate.key] = run.refused[candidate.key]
    run = _run(cart, sorted([*always, *common], key=lambda offer: offer.rank))
    return replace(run, refused=futile | run.refused)


def _beaten(offers: Iterable[Offer], *, by: Offer) -> dict[str, Refusal]:
    return {
        offer.key: Refusal(key=offer.key, reason=Reason.NOT_STACKABLE, actual=by.key)
        for offer in offers
    }


def _run(cart: Cart, offers: Iterable[Offer]) -> Run:
    basket = Basket(cart)
    run = Run(applied={}, refused={})
    winners: dict[str, Offer] = {}
    for offer in offers:
        group = offer.rule.exclusive_group
        if group in winners:
            run.refused.update(_beaten([offer], by=winners[group]))
            continue
        amounts = _amounts(offer, basket)
        if isinstance(amounts, Shortfall):
            run.refused[offer.key] = _short(offer, amounts)
            continue
        basket.take(amounts)
        run.applied[offer.key] = _by_position(amounts)
        if group is not None:
            winners[group] = offer
    return run


def _short(offer: Offer, shortfall: Shortfall) -> Refusal:
    return Refusal(
        key=offer.key,
        reason=shortfall.reason,
        needed=shortfall.needed,
        actual=shortfall.actual,
    )


def _amounts(offer: Offer, basket: Basket) -> Amounts | Shortfall:
    """Return what the offer takes off each unit, within its limits; or why it gives nothing."""
    rule = offer.rule
    in_scope = basket.units(rule.scope)
    if not in_scope:
        return Shortfall(reason=Reason.NO_MATCHING_ITEMS)
    units = _limited(payable(in_scope), rule.limits)
    if not units:
        return Shortfall(reason=Reason.NO_DISCOUNT_LEFT)
    amounts = rule.effect.discount(Pool(units=units, scope=rule.scope, basket=basket))
    if isinstance(amounts, Shortfall):
        return amounts
    return _within_budget(_capped(amounts, rule.limits), offer)


def _limited(units: list[Unit], limits: Limits) -> list[Unit]:
    if limits.max_items_per_line is not None:
        by_line = groupby(units, key=lambda unit: unit.line.position)
        units = [
            unit
            for _, of_line in by_line
            for unit in cheapest_first(of_line)[: limits.max_items_per_line]
        ]
    if limits.max_items is not None:
        units = cheapest_first(units)[: limits.max_items]
    return units


def _capped(amounts: Amounts, limits: Limits) -> Amounts:
    if limits.max_discount_cents is None:
        return amounts
    return spread(limits.max_discount_cents, amounts)


def _within_budget(amounts: Amounts, offer: Offer) -> Amounts | Shortfall:
    total = sum(amounts.values())
    if not total:
        return Shortfall(reason=Reason.NO_DISCOUNT_LEFT)
    left = offer.budget_left_cents
    if left is not None and total > left:
        return Shortfall(reason=Reason.BUDGET_EXHAUSTED, needed=total, actual=left)
    return amounts


def _by_position(amounts: Amounts) -> dict[int, Cents]:
    by_position: dict[int, Cents] = {}
    for unit, cents in amounts.items():
        if cents:
            so_far = by_position.get(unit.line.position, 0)
            by_position[unit.line.position] = Cents(so_far + cents)
    return dict(sorted(by_position.items()))


def _priced_lines(cart: Cart, run: Run) -> tuple[PricedLine, ...]:
    return tuple(
        PricedLine(
            position=line.position,
            subtotal_cents=line.subtotal_cents,
            allocations=tuple(
                Allocation(offer_key=key, amount_cents=by_line[line.position])
                for key, by_line in run.applied.items()
                if line.position in by_line
            ),
        )
        for line in cart.lines
    )
