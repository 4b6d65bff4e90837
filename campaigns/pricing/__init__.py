"""The one evaluator: what a cart costs, with which offers, and why not with others.

Pure Python: no database, no clock, no input or output. docs/pricing.md tells the rules.
"""

from campaigns.pricing.amount_effects import FixedOff, FixedOffEach, PercentOff, UnitPrice
from campaigns.pricing.basket import PriceOrder
from campaigns.pricing.bundles import BundlePart, BundlePrice
from campaigns.pricing.cart import GUEST, Cart, CartLine, Facts, InvalidCart
from campaigns.pricing.conditions import Conditions, Hours
from campaigns.pricing.effect import Effect
from campaigns.pricing.effects import EFFECTS
from campaigns.pricing.evaluation import evaluate
from campaigns.pricing.offers import Limits, Offer, Rule, Stacking
from campaigns.pricing.outcome import Allocation, AppliedOffer, PricedLine, Pricing
from campaigns.pricing.reasons import Reason, Refusal
from campaigns.pricing.rule_json import offer_rule_to_json, parse_rule
from campaigns.pricing.scopes import Portion, Scope
from campaigns.pricing.tiered_effects import (
    FixedTier,
    Measured,
    PercentTier,
    TieredFixedOff,
    TieredPercentOff,
)
from campaigns.pricing.unit_effects import BuyXGetY, CheapestFree, FreeItem, NthItemPercent
from campaigns.pricing.validity import InvalidRule

__all__ = [
    "EFFECTS",
    "GUEST",
    "Allocation",
    "AppliedOffer",
    "BundlePart",
    "BundlePrice",
    "BuyXGetY",
    "Cart",
    "CartLine",
    "CheapestFree",
    "Conditions",
    "Effect",
    "Facts",
    "FixedOff",
    "FixedOffEach",
    "FixedTier",
    "FreeItem",
    "Hours",
    "InvalidCart",
    "InvalidRule",
    "Limits",
    "Measured",
    "NthItemPercent",
    "Offer",
    "PercentOff",
    "PercentTier",
    "Portion",
    "PriceOrder",
    "PricedLine",
    "Pricing",
    "Reason",
    "Refusal",
    "Rule",
    "Scope",
    "Stacking",
    "TieredFixedOff",
    "TieredPercentOff",
    "UnitPrice",
    "evaluate",
    "offer_rule_to_json",
    "parse_rule",
]
