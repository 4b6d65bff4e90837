"""The one evaluator: which offers apply to a cart, in which order, and what each gives."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from campaigns.pricing.application import Run, by_position
from campaigns.pricing.cart import Cart, Facts
from campaigns.pricing.choice import best_run, ranked_run
from campaigns.pricing.conditions import Check, Situation
from campaigns.pricing.offers import Offer
from campaigns.pricing.outcome import Allocation, AppliedOffer, PricedLine, Pricing
from campaigns.pricing.reasons import Reason, Refusal, plain
from shop.kernel.money import Cents

PRIVATE = frozenset({Reason.SEGMENT_MISMATCH})
"""Reasons whose measures are for the trace only: the shop's view of a member is not theirs."""


def evaluate(
    cart: Cart, facts: Facts, offers: Sequence[Offer], now: datetime, *, best_deal: bool = False
) -> Pricing:
    """Return what the cart costs this buyer with these offers at this moment.

    Pure: the same arguments give the same result, in whatever order lines and offers come. The
    best deal is looked for when one of the eligible offers asks for it, or the caller does.

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
        if (check := _first_failed(offer, situation)) is not None
    }
    eligible = [offer for offer in ranked if offer.key not in failed]
    is_choosy = best_deal or any(offer.rule.best_deal for offer in eligible)
    run = best_run(cart, eligible) if is_choosy else ranked_run(cart, eligible)

    refused = failed | run.refused
    return Pricing(
        lines=_priced_lines(cart, run),
        delivery_fee_cents=cart.delivery_fee_cents,
        applied=tuple(
            AppliedOffer(
                key=key,
                discount_cents=given.discount_cents,
                delivery_cents=given.delivery_cents,
                gifts=given.gifts,
                rewards=given.rewards,
            )
            for key, given in run.applied.items()
        ),
        refusals=tuple(refused[offer.key] for offer in ranked if offer.key in refused),
        situation=situation,
        offers=tuple(ranked),
    )


def _first_failed(offer: Offer, situation: Situation) -> Check | None:
    for check in offer.checks(situation):
        if not check.passed:
            return check
    return None


def _refusal(offer: Offer, check: Check) -> Refusal:
    if check.reason in PRIVATE:
        return Refusal(key=offer.key, reason=check.reason)
    needed, actual = plain(check.needed), plain(check.actual)
    return Refusal(key=offer.key, reason=check.reason, needed=needed, actual=actual)


def _priced_lines(cart: Cart, run: Run) -> tuple[PricedLine, ...]:
    by_offer: Mapping[str, Mapping[int, Cents]] = {
        key: by_position(given.amounts) for key, given in run.applied.items()
    }
    return tuple(
        PricedLine(
            position=line.position,
            subtotal_cents=line.subtotal_cents,
            allocations=tuple(
                Allocation(offer_key=key, amount_cents=by_line[line.position])
                for key, by_line in by_offer.items()
                if line.position in by_line
            ),
        )
        for line in cart.lines
    )
