"""What an evaluation says: the price of every line, and what became of every offer."""

from dataclasses import dataclass
from typing import Any

from campaigns.pricing.benefits import Gift, Reward
from campaigns.pricing.cart import NOTHING
from campaigns.pricing.conditions import Check, Situation
from campaigns.pricing.offers import Offer
from campaigns.pricing.reasons import Refusal, plain
from shop.kernel.money import Cents

TRACE_VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """The part of one offer's discount that falls on one line; always positive."""

    offer_key: str
    amount_cents: Cents


@dataclass(frozen=True, kw_only=True, slots=True)
class PricedLine:
    """A line with its discounts; net = subtotal − discount ≥ 0, discount = Σ allocations."""

    position: int
    subtotal_cents: Cents
    allocations: tuple[Allocation, ...] = ()

    @property
    def discount_cents(self) -> Cents:
        """All that comes off the line."""
        return Cents(sum(allocation.amount_cents for allocation in self.allocations))

    @property
    def net_cents(self) -> Cents:
        """What is left to pay for the line."""
        return Cents(self.subtotal_cents - self.discount_cents)


@dataclass(frozen=True, kw_only=True, slots=True)
class AppliedOffer:
    """One offer that was applied, and all it gave; always something.

    `discount_cents` is all that the guest pays less, `delivery_cents` how much of it for delivery.
    """

    key: str
    discount_cents: Cents
    delivery_cents: Cents = NOTHING
    gifts: tuple[Gift, ...] = ()
    rewards: tuple[Reward, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pricing:
    """The result of `evaluate`. Every offer is either in `applied`, in order, or in `refusals`.

    `situation` and `offers` are what was asked, so that the result can explain itself.
    """

    lines: tuple[PricedLine, ...]
    applied: tuple[AppliedOffer, ...]
    refusals: tuple[Refusal, ...]
    situation: Situation
    offers: tuple[Offer, ...]
    delivery_fee_cents: Cents = NOTHING

    @property
    def subtotal_cents(self) -> Cents:
        """The price of the lines before any discount; without the delivery fee."""
        return Cents(sum(line.subtotal_cents for line in self.lines))

    @property
    def delivery_discount_cents(self) -> Cents:
        """What the offers take off the delivery fee."""
        return Cents(sum(applied.delivery_cents for applied in self.applied))

    @property
    def discount_cents(self) -> Cents:
        """All that the offers take off, lines and delivery."""
        return Cents(sum(applied.discount_cents for applied in self.applied))

    @property
    def total_cents(self) -> Cents:
        """What is left to pay, delivery included."""
        return Cents(self.subtotal_cents + self.delivery_fee_cents - self.discount_cents)

    @property
    def gifts(self) -> tuple[Gift, ...]:
        """Everything the guest gets for nothing beside the lines."""
        return tuple(gift for applied in self.applied for gift in applied.gifts)

    @property
    def rewards(self) -> tuple[Reward, ...]:
        """What is to be given once the order is paid: points, coupons."""
        return tuple(reward for applied in self.applied for reward in applied.rewards)

    @property
    def trace(self) -> dict[str, Any]:
        """How each offer fared, condition by condition, ready for JSON; made when asked for.

        It is for staff and for the record: it names the buyer's segments, refusals do not.
        """
        refusals = {refusal.key: refusal for refusal in self.refusals}
        return {
            "version": TRACE_VERSION,
            "now": self.situation.now.isoformat(),
            "local_time": self.situation.cart.local_time.isoformat(),
            "offers": [
                {
                    "key": offer.key,
                    "name": offer.name,
                    "priority": offer.rule.priority,
                    "stacking": str(offer.rule.stacking),
                    "conditions": [_check(check) for check in offer.checks(self.situation)],
                    "effect": self._effect(offer),
                    "refusal": refusals[offer.key].as_json() if offer.key in refusals else None,
                }
                for offer in self.offers
            ],
        }

    def _effect(self, offer: Offer) -> dict[str, Any]:
        gave = next((applied for applied in self.applied if applied.key == offer.key), None)
        lines = [
            {"position": line.position, "amount_cents": allocation.amount_cents}
            for line in self.lines
            for allocation in line.allocations
            if allocation.offer_key == offer.key
        ]
        return {
            "kind": offer.rule.effect.kind,
            "discount_cents": gave.discount_cents if gave else 0,
            "lines": lines,
            "delivery_cents": gave.delivery_cents if gave else 0,
            "gifts": [gift.as_json() for gift in gave.gifts] if gave else [],
            "rewards": [reward.as_json() for reward in gave.rewards] if gave else [],
        }


def _check(check: Check) -> dict[str, Any]:
    return {
        "refuses_with": str(check.reason),
        "passed": check.passed,
        "needed": plain(check.needed),
        "actual": plain(check.actual),
    }
