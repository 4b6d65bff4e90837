"""Every effect by its name in the JSON form. To add one: a class, and its line here."""

from campaigns.pricing.amount_effects import FixedOff, FixedOffEach, PercentOff, UnitPrice
from campaigns.pricing.bundles import BundlePrice
from campaigns.pricing.buy_and_get import BuyXGetY
from campaigns.pricing.drink_effects import FreeDelivery, FreeTopping, FreeUpsize
from campaigns.pricing.effect import Effect
from campaigns.pricing.gift_effects import GiftCoupon, GiftItem, PointsBoost
from campaigns.pricing.tiered_effects import TieredFixedOff, TieredPercentOff
from campaigns.pricing.unit_effects import CheapestFree, FreeItem, NthItemPercent

EFFECTS: dict[str, type[Effect]] = {
    effect.kind: effect
    for effect in (
        PercentOff,
        FixedOff,
        FixedOffEach,
        UnitPrice,
        FreeItem,
        CheapestFree,
        NthItemPercent,
        BuyXGetY,
        BundlePrice,
        TieredPercentOff,
        TieredFixedOff,
        FreeTopping,
        FreeUpsize,
        FreeDelivery,
        GiftItem,
        PointsBoost,
        GiftCoupon,
    )
}
