"""Member prices of every tier and plan, as the loss guard meets them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from campaigns import loss_guard, pricing
from loyalty import benefits
from loyalty.models import BenefitVersion, Tier
from shop.storefront import member_prices
from shop.storefront.member_prices import MemberPrice


def register() -> None:
    """Tell the loss guard what members pay less."""
    loss_guard.meet(offers)


def offers(*, goods: Collection[tuple[str, str]], now: datetime) -> Sequence[pricing.Offer]:
    """Return what goods, as (product, category), cost less for members of each tier.

    As if every member had every plan; and what is decided for later months is met already now.
    """
    versions = benefits.from_now_on(now.astimezone(timezone.get_default_timezone()).date())
    of_plans = [_price(version) for version in versions if version.benefit.plan_id]
    found = []
    for tier in Tier.objects.order_by("level") if versions else ():
        own = [_price(version) for version in versions if version.benefit.tier_id == tier.pk]
        for offer in member_prices.offers([*own, *of_plans], goods=goods):
            conditions = pricing.Conditions(tiers=frozenset({tier.code}))
            rule = replace(offer.rule, conditions=conditions)
            found.append(replace(offer, key=f"{offer.key}@{tier.code}", rule=rule))
    return found


def _price(version: BenefitVersion) -> MemberPrice:
    return MemberPrice(
        code=f"{version.benefit.code}:{version.pk}",
        amount_cents=version.amount_cents,
        products=frozenset(version.products),
        categories=frozenset(version.categories),
    )
