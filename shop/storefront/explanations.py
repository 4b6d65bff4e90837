"""Why a basket costs what it costs, offer by offer: all of it for staff, their own for members."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns import hints, wallets
from campaigns.pricing import Refusal
from shop.kernel.money import Cents
from shop.storefront import quotes
from shop.storefront.baskets import Basket
from shop.storefront.quotes import Quote

SOMEBODY_ELSES = "belongs-to-another-member"
"""What only staff are told: to everybody else such a code is unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """The total, and every offer that was looked at with what became of it, as JSON."""

    total_cents: Cents
    offers: list[dict[str, Any]]


def explain(basket: Basket, *, sees_all: bool, now: datetime) -> Explanation:
    """Explain the price of a basket. Writes nothing.

    Who does not see all is told nothing of codes that are not theirs, and no conditions: those may
    name what the shop thinks of a member.

    Raises: as `quotes.quote`.
    """
    quote = quotes.quote(basket, now=now)
    elsewhere = dict(_elsewhere(quote)) if sees_all else {}
    return Explanation(
        total_cents=quote.total_cents,
        offers=[_told(each, quote, elsewhere, sees_all) for each in quote.trace["offers"]],
    )


def _told(
    offer: dict[str, Any],
    quote: Quote,
    elsewhere: dict[str, Refusal],
    sees_all: bool,  # noqa: FBT001 - private
) -> dict[str, Any]:
    key = offer["key"]
    found = next((each for each in quote.all_refusals if each.key == key), None)
    refusal = elsewhere.get(key, found)
    local_time = quote.pricing.situation.cart.local_time
    told = {name: part for name, part in offer.items() if sees_all or name != "conditions"}
    return told | {
        "refusal": refusal.as_json() if refusal else None,
        "hint": hints.explain(refusal, local_time=local_time) if refusal else "",
    }


def _elsewhere(quote: Quote) -> Iterator[tuple[str, Refusal]]:
    """Yield the refusals of unknown codes that are in another member's wallet."""
    unknown = [each.key for each in quote.refusals if each.reason == "unknown-code"]
    asked = str(quote.member.public_id) if quote.member else None
    for code, owner in wallets.owners(unknown).items():
        yield (
            code,
            Refusal(key=code, reason=SOMEBODY_ELSES, needed=str(owner), actual=asked),
        )
