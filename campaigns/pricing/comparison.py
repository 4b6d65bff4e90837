"""What an offer changes beside every choice of others, each beginning worked out once."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from campaigns.pricing.application import Run
from campaigns.pricing.basket import Basket
from campaigns.pricing.cart import Cart, Facts
from campaigns.pricing.choice import excludes
from campaigns.pricing.conditions import Situation
from campaigns.pricing.offers import Offer

Pair = tuple[Run, Run]
"""What comes of some offers with another one, and without it."""


def compare(
    cart: Cart, facts: Facts, candidate: Offer, others: Sequence[Offer], now: datetime
) -> list[Pair]:
    """Return what comes of every choice of the others with the candidate, and without.

    As `evaluate` says it of the same offers, by rank. Choices in which one offer keeps out another,
    or gives nothing either way, come to the same as smaller ones and are left out.
    """
    situation = Situation(cart=cart, facts=facts, now=now)
    is_open = {
        offer.key: all(check.passed for check in offer.checks(situation))
        for offer in (candidate, *others)
    }
    if not is_open[candidate.key]:
        return []
    offers = {offer.key: offer for offer in (candidate, *others) if is_open[offer.key]}
    nothing = Run(basket=Basket(cart))
    pairs: list[Pair] = [(nothing, nothing)]
    for offer in sorted(offers.values(), key=lambda offer: offer.rank):
        if offer is candidate:
            pairs = [(_and(run, offer), run) for run, _same in pairs]
            continue
        pairs += [
            longer
            for pair in pairs
            if not any(excludes(offers[key], offer) for key in _chosen(pair, candidate))
            for longer in _longer(pair, offer)
        ]
    return pairs


def _chosen(pair: Pair, candidate: Offer) -> set[str]:
    return {key for run in pair for key in run.applied if key != candidate.key}


def _longer(pair: Pair, offer: Offer) -> Iterator[Pair]:
    """Yield the pair with one more offer, unless that gives nothing either way."""
    with_it, without = pair
    more = _and(with_it, offer)
    fewer = more if without is with_it else _and(without, offer)
    if offer.key in more.applied or offer.key in fewer.applied:
        yield (more, fewer)


def _and(run: Run, offer: Offer) -> Run:
    longer = run.copy()
    longer.apply(offer)
    return longer
