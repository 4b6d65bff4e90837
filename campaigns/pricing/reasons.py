"""Why an offer does not apply: the codes that tills show, and the amounts that go with them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Measure = int | str | datetime | frozenset[str] | None
"""What was needed or found: cents, units, days, a moment, a code, or some codes."""
PlainMeasure = int | str | list[str] | None


def plain(measure: Measure) -> PlainMeasure:
    """Return a measure as JSON knows it: moments in ISO 8601, codes in a sorted list."""
    if isinstance(measure, datetime):
        return measure.isoformat()
    return sorted(measure) if isinstance(measure, frozenset) else measure


class Reason(StrEnum):
    """Why an offer was refused; part of the API, so codes are never renamed."""

    NOT_STARTED = "not-started"
    EXPIRED = "expired"
    USAGE_LIMIT_REACHED = "usage-limit-reached"
    PER_MEMBER_LIMIT_REACHED = "per-member-limit-reached"
    STORE_LIMIT_REACHED = "store-limit-reached"
    DAILY_LIMIT_REACHED = "daily-limit-reached"
    WEEKLY_LIMIT_REACHED = "weekly-limit-reached"
    MONTHLY_LIMIT_REACHED = "monthly-limit-reached"
    BUDGET_EXHAUSTED = "budget-exhausted"
    MEMBERS_ONLY = "members-only"
    TIER_MISMATCH = "tier-mismatch"
    SEGMENT_MISMATCH = "segment-mismatch"
    CHANNEL_MISMATCH = "channel-mismatch"
    NOT_FIRST_ORDER = "not-first-order"
    NTH_ORDER_MISMATCH = "nth-order-mismatch"
    NOT_BIRTHDAY = "not-birthday"
    NOT_BIRTHDAY_MONTH = "not-birthday-month"
    JOINED_TOO_LONG_AGO = "joined-too-long-ago"
    WRONG_STORE = "wrong-store"
    WRONG_CITY = "wrong-city"
    WRONG_ORDER_TYPE = "wrong-order-type"
    WRONG_PAYMENT_METHOD = "wrong-payment-method"
    OUTSIDE_HOURS = "outside-hours"
    REQUIRED_ITEM_MISSING = "required-item-missing"
    EXCLUDED_ITEM_PRESENT = "excluded-item-present"
    MIN_SPEND_NOT_MET = "min-spend-not-met"
    MAX_SPEND_EXCEEDED = "max-spend-exceeded"
    MIN_QTY_NOT_MET = "min-qty-not-met"
    MIN_PRODUCTS_NOT_MET = "min-products-not-met"
    NO_MATCHING_ITEMS = "no-matching-items"
    NO_DISCOUNT_LEFT = "no-discount-left"
    NOT_STACKABLE = "not-stackable"
    BETTER_WITHOUT = "better-without"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """One offer that was not applied, and what is missing."""

    key: str
    reason: str
    needed: PlainMeasure = None
    actual: PlainMeasure = None

    @property
    def short(self) -> int | None:
        """How much is missing, in the unit of the reason; None where nothing can be added."""
        if isinstance(self.needed, int) and isinstance(self.actual, int):
            return self.needed - self.actual if self.needed > self.actual else None
        return None

    def as_json(self) -> dict[str, PlainMeasure]:
        """Return the refusal as JSON knows it, but for the key."""
        return {
            "reason": str(self.reason),
            "needed": self.needed,
            "actual": self.actual,
            "short": self.short,
        }
