"""Which of the eligible offers are applied together: by rank, or as the best deal."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import nlargest

from campaigns.pricing.application import Run, beaten, run_of
from campaigns.pricing.basket import Basket
from campaigns.pricing.cart import Cart
from campaigns.pricing.offers import Offer, Stacking
from campaigns.pricing.reasons import Reason, Refusal

MAX_COMBINATIONS = 1024
"""Up to so many combinations of offers all are tried; of more about as many offers are applied."""


def ranked_run(cart: Cart, eligible: Sequence[Offer]) -> Run:
    """Return the run of the first exclusive offer that gives anything, else of all the common ones.

    An exclusive offer that finds nothing to give must not keep others out.
    """
    always = [offer for offer in eligible if offer.rule.stacking is Stacking.ALWAYS]
    common = [offer for offer in eligible if offer.rule.stacking is Stacking.COMMON]
    exclusive = [offer for offer in eligible if offer.rule.stacking is Stacking.EXCLUSIVE]
    futile: dict[str, Refusal] = {}
    for index, candidate in enumerate(exclusive):
        run = run_of(cart, _ranked([*always, candidate]))
        if candidate.key in run.applied:
            out = {
                offer.key: beaten(offer, by=candidate.key)
                for offer in (*common, *exclusive[index + 1 :])
            }
            return replace(run, refused=futile | run.refused | out)
        futile[candidate.key] = run.refused[candidate.key]
    run = run_of(cart, _ranked([*always, *common]))
    return replace(run, refused=futile | run.refused)


def best_run(cart: Cart, eligible: Sequence[Offer]) -> Run:
    """Return the run that takes most off, of all that stacking and groups allow.

    Of equals the one with more offers applied, then the one by rank. Exact up to
    MAX_COMBINATIONS; beyond that the best of those found, which is never less than `ranked_run`
    takes off.
    """
    by_rank = ranked_run(cart, eligible)
    if not eligible:
        return by_rank
    is_exact = _combinations(eligible) <= MAX_COMBINATIONS
    carried_on = max(2, MAX_COMBINATIONS // len(eligible))
    runs = _combined(cart, eligible, MAX_COMBINATIONS if is_exact else carried_on)
    best = max(by_rank, *runs, key=_worth)
    return best if best is by_rank else replace(best, refused=_left_out(best, cart, eligible))


def _worth(run: Run) -> tuple[int, int]:
    return (run.discount_cents, len(run.applied))


def _ranked(offers: Iterable[Offer]) -> list[Offer]:
    return sorted(offers, key=lambda offer: offer.rank)


def _combinations(eligible: Sequence[Offer]) -> int:
    """Return about how many runs there are: of each group one offer or none, of the rest any."""
    chosen = [offer for offer in eligible if offer.rule.stacking is not Stacking.EXCLUSIVE]
    groups = Counter(offer.rule.exclusive_group for offer in chosen)
    optional = sum(
        offer.rule.exclusive_group is None and offer.rule.stacking is Stacking.COMMON
        for offer in chosen
    )
    total: int = 2**optional
    for group, size in groups.items():
        if group is not None:
            total *= size + 1
    return total + len(eligible) - len(chosen)


def _combined(cart: Cart, eligible: Sequence[Offer], width: int) -> list[Run]:
    """Return a run for each combination, or for the best; each beginning is worked out once."""
    always = [offer for offer in eligible if offer.rule.stacking is Stacking.ALWAYS]
    stacking = [offer for offer in eligible if offer.rule.stacking is not Stacking.EXCLUSIVE]
    exclusive = [offer for offer in eligible if offer.rule.stacking is Stacking.EXCLUSIVE]
    runs = _branches(cart, stacking, width)
    for candidate in exclusive:
        runs += _branches(cart, _ranked([*always, candidate]), width)
    return runs


def _branches(cart: Cart, offers: Sequence[Offer], width: int) -> list[Run]:
    runs = [Run(basket=Basket(cart))]
    for offer in offers:
        branches = [branch for run in runs for branch in _with_and_without(run, offer)]
        runs = nlargest(width, branches, key=_worth) if len(branches) > width else branches
    return runs


def _with_and_without(run: Run, offer: Offer) -> list[Run]:
    """Return the run with the offer, and, unless it always stacks or gives nothing, without it."""
    without = run.copy()
    run.apply(offer)
    if offer.key not in run.applied:
        return [run]
    is_optional = (
        offer.rule.stacking is not Stacking.ALWAYS or offer.rule.exclusive_group is not None
    )
    return [run, without] if is_optional else [run]


def _excludes(one: Offer, other: Offer) -> bool:
    """Return whether two offers may not be applied to one order."""
    group = one.rule.exclusive_group
    if group is not None and group == other.rule.exclusive_group:
        return True
    stacking = {one.rule.stacking, other.rule.stacking}
    return Stacking.EXCLUSIVE in stacking and Stacking.ALWAYS not in stacking


def _left_out(run: Run, cart: Cart, eligible: Sequence[Offer]) -> dict[str, Refusal]:
    """Return why each offer that is not applied is not: itself, another one, or a better deal."""
    applied = [offer for offer in eligible if offer.key in run.applied]
    return {
        offer.key: _why_left_out(offer, run, applied, cart)
        for offer in eligible
        if offer.key not in run.applied
    }


def _why_left_out(offer: Offer, run: Run, applied: Sequence[Offer], cart: Cart) -> Refusal:
    alone = run_of(cart, [offer])
    if offer.key in alone.refused:
        return alone.refused[offer.key]
    rival = next((other for other in applied if _excludes(other, offer)), None)
    if rival is not None:
        return beaten(offer, by=rival.key)
    if offer.key in run.refused:
        return run.refused[offer.key]
    return Refusal(key=offer.key, reason=Reason.BETTER_WITHOUT)
