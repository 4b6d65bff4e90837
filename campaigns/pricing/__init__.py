"""The one evaluator: what a cart costs, with which offers, and why not with others.

Pure Python: no database, no clock, no input or output. docs/pricing.md tells the rules.
"""

from campaigns.pricing.amount_effects import FixedOff, FixedOffEach, PercentOff, UnitPrice
from campaigns.pricing.basket import PercentBase, PriceOrder
from campaigns.pricing.benefits import CouponReward, Gift, PointsReward, Reward
from campaigns.pricing.bundles import BundlePart, BundlePrice
from campaigns.pricing.buy_and_get import BuyXGetY
from campaigns.pricing.cart import GUEST, Cart, CartLine, Facts, InvalidCart, Topping
from campaigns.pricing.choice import MAX_COMBINATIONS
from campaigns.pricing.conditions import Conditions, Hours, Match, Situation, checks
from campaigns.pricing.drink_effects import FreeDelivery, FreeTopping, FreeUpsize
from campaigns.pricing.effect import Effect
from campaigns.pricing.effects import EFFECTS
from campaigns.pricing.evaluation import evaluate
from campaigns.pricing.gift_effects import GiftCoupon, GiftItem, PointsBoost
from campaigns.pricing.offers import Limits, Offer, Rule, Stacking, Uses
from campaigns.pricing.outcome import Allocation, AppliedOffer, PricedLine, Pricing
from campaigns.pricing.reasons import PlainMeasure, Reason, Refusal
from campaigns.pricing.rule_json import offer_rule_to_json, parse_rule
from campaigns.pricing.scopes import Portion, Scope
from campaigns.pricing.tiered_effects import (
    FixedTier,
    Measured,
    PercentTier,
    TieredFixedOff,
    TieredPercentOff,
)
from campaigns.pricing.unit_effects import CheapestFree, FreeItem, NthItemPercent
from campaigns.pricing.validity import InvalidRule

__all__ = [
    "EFFECTS",
    "GUEST",
    "MAX_COMBINATIONS",
    "Allocation",
    "AppliedOffer",
    "BundlePart",
    "BundlePrice",
    "BuyXGetY",
    "Cart",
    "CartLine",
    "CheapestFree",
    "Conditions",
    "CouponReward",
    "Effect",
    "Facts",
    "FixedOff",
    "FixedOffEach",
    "FixedTier",
    "FreeDelivery",
    "FreeItem",
    "FreeTopping",
    "FreeUpsize",
    "Gift",
    "GiftCoupon",
    "GiftItem",
    "Hours",
    "InvalidCart",
    "InvalidRule",
    "Limits",
    "Match",
    "Measured",
    "NthItemPercent",
    "Offer",
    "PercentBase",
    "PercentOff",
    "PercentTier",
    "PlainMeasure",
    "PointsBoost",
    "PointsReward",
    "Portion",
    "PriceOrder",
    "PricedLine",
    "Pricing",
    "Reason",
    "Refusal",
    "Reward",
    "Rule",
    "Scope",
    "Situation",
    "Stacking",
    "TieredFixedOff",
    "TieredPercentOff",
    "Topping",
    "UnitPrice",
    "Uses",
    "checks",
    "evaluate",
    "offer_rule_to_json",
    "parse_rule",
]
