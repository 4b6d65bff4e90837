"""Rules and offers: an effect, where it falls, when it applies, and how far it goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from campaigns.pricing.basket import PriceOrder
from campaigns.pricing.conditions import NO_CONDITIONS, Check, Conditions, Situation, checks
from campaigns.pricing.effect import Effect
from campaigns.pricing.reasons import Reason
from campaigns.pricing.scopes import ALL, Portion, Scope
from campaigns.pricing.validity import require, require_at_least
from shop.kernel.money import Cents


class Stacking(StrEnum):
    """With which other offers an offer may be applied to one order."""

    ALWAYS = "always"
    """With every other, an exclusive one included: a reward that was paid for with points."""
    COMMON = "common"
    """With other common offers."""
    EXCLUSIVE = "exclusive"
    """With no other but those that stack always."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How far one application goes.

    `max_items` lets the effect see only so many units of the cart, `max_items_per_line` only so
    many of each line, `max_lines` only so many lines; in `item_order`, the cheapest first.
    """

    max_discount_cents: Cents | None = None
    max_items: int | None = None
    max_items_per_line: int | None = None
    max_lines: int | None = None
    item_order: PriceOrder = PriceOrder.CHEAPEST_FIRST

    def __post_init__(self) -> None:
        require_at_least(
            1,
            {
                "max_discount_cents": self.max_discount_cents,
                "max_items": self.max_items,
                "max_items_per_line": self.max_items_per_line,
                "max_lines": self.max_lines,
            },
        )


NO_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What a manager writes. Of two rules the one with the lower `priority` goes first.

    Of the offers with the same `exclusive_group` only the first that gives anything is applied:
    with one group for all coupons, an order takes one coupon. With `best_deal` the guest gets, of
    all combinations that stacking and groups allow, the one that takes most off.
    """

    effect: Effect
    scope: Scope = ALL
    conditions: Conditions = NO_CONDITIONS
    limits: Limits = NO_LIMITS
    stacking: Stacking = Stacking.COMMON
    exclusive_group: str | None = None
    priority: int = 100
    best_deal: bool = False

    def __post_init__(self) -> None:
        effect = self.effect
        for limit in ("max_items", "max_items_per_line", "max_lines"):
            require(
                not effect.chooses_units or getattr(self.limits, limit) is None,
                f"limits/{limit}",
                "not-applicable",
                f"{effect.kind} says itself which units it is about",
            )
        require(
            effect.gives_money or self.limits.max_discount_cents is None,
            "limits/max_discount_cents",
            "not-applicable",
            f"{effect.kind} takes nothing off",
        )
        require(
            not effect.chooses_portion or self.scope.portion is Portion.WHOLE,
            "scope/portion",
            "not-applicable",
            f"{effect.kind} says itself which part of the price it is about",
        )

    @property
    def scopes(self) -> Iterator[Scope]:
        """Every scope that the rule asks of a line, of its conditions and its effect too."""
        asked = (self.scope, self.conditions.contains, self.conditions.scope)
        yield from (scope for scope in asked if scope is not None)
        yield from self.effect.scopes


@dataclass(frozen=True, kw_only=True, slots=True)
class Uses:
    """How often an offer was used within one of its limits, and how often it may be.

    `reason` says which limit: in all, by this member, at this store, today, this week, this month.
    """

    reason: Reason
    used: int
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A rule put to one cart: under a coupon's, a reward's or a campaign's key.

    The caller counts its uses, for each limit that it has, and what is left of its budget in
    cents; None is no budget.
    """

    key: str
    name: str
    rule: Rule
    uses: tuple[Uses, ...] = ()
    budget_left_cents: Cents | None = None

    @property
    def rank(self) -> tuple[int, str]:
        """Where the offer stands among others: by priority, then by key."""
        return (self.rule.priority, self.key)

    def checks(self, situation: Situation) -> Iterator[Check]:
        """Yield the answer to everything that is asked before the effect: limits, conditions."""
        for limit in self.uses:
            yield Check(limit.reason, limit.used < limit.most, limit.most, limit.used)
        if (left := self.budget_left_cents) is not None:
            yield Check(Reason.BUDGET_EXHAUSTED, left > 0, 1, left)
        yield from checks(self.rule.conditions, situation)
