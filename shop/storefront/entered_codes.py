"""The codes that somebody enters for a basket: the offers behind them, or why there is none."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from campaigns import codes, pricing, wallets
from campaigns.limits import Place
from campaigns.models import Coupon
from campaigns.pricing import Refusal
from loyalty import rewards
from loyalty.rewards import UsableReward
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents
from shop.storefront.baskets import Basket
from shop.storefront.facts import MemberFacts


class MemberRequired(DomainError):
    """Coupons, points and rewards belong to a member, and the basket names none."""

    code = "member-required"
    title = _("Coupons, points and rewards need a member.")


def coupons_of(basket: Basket, member: MemberFacts | None, *, now: datetime) -> dict[str, Coupon]:
    """Return the coupons behind the entered codes: of the wallet, of papers, of words.

    Raises:
        MemberRequired: a guest has a code that is for members, or is none.
        RateLimited
    """
    member_id = member.id if member else None
    found = {c.code: c for c in wallets.load(basket.coupon_codes, member_id=member_id)}
    strange = [code for code in basket.coupon_codes if code not in found]
    if strange:
        more = codes.look_up(
            strange,
            member_id=member_id,
            guesser=basket.guesser,
            now=now,
            timezone=basket.store.timezone,
        )
        found |= {code: coupon for code, coupon in more.items() if coupon.code not in found}
    if member is None and len(found) < len(basket.coupon_codes):
        raise MemberRequired
    return found


def offers_of(
    basket: Basket,
    found: Mapping[str, Coupon],
    member: MemberFacts | None,
    *,
    place: Place,
    now: datetime,
) -> tuple[list[pricing.Offer], list[Refusal]]:
    """Return the offers behind the entered codes, and a refusal for each code without one."""
    member_id = member.id if member else None
    uses = wallets.uses_of(found.values(), place=place)
    offers = []
    refusals = []
    for code in basket.coupon_codes:
        coupon = found.get(code)
        if coupon is None:
            refusals.append(Refusal(key=code, reason="unknown-code"))
        elif (refusal := wallets.why_unusable(coupon, now=now)) is not None:
            refusals.append(replace(refusal, key=code))
        else:
            offer = wallets.offer_of(coupon, uses.get(coupon.definition_id, ()))
            offers.append(replace(offer, key=code))
    if basket.reward_code and member_id is not None:
        reward = rewards.find_usable(basket.reward_code, member_id=member_id, now=now)
        if reward is None:
            refusals.append(Refusal(key=basket.reward_code, reason="unknown-code"))
        else:
            offers.append(reward_offer(reward))
    return offers, refusals


def reward_offer(reward: UsableReward) -> pricing.Offer:
    """Return what the evaluator needs to know of a reward."""
    most = Cents(reward.max_value_cents)
    is_topping = reward.kind == rewards.Kind.TOPPING
    effect: pricing.Effect = (
        pricing.FreeTopping(max_value_cents=most)
        if is_topping
        else pricing.FreeItem(max_value_cents=most)
    )
    rule = pricing.Rule(effect=effect, stacking=pricing.Stacking.ALWAYS, priority=0)
    return pricing.Offer(key=reward.code, name=reward.name, rule=rule)
