"""Where a member stands between the tiers, in numbers and in words of both languages."""

from collections.abc import Callable
from typing import Any

from django.utils import translation
from rest_framework import serializers

from loyalty import progress
from loyalty.progress import Ahead, Place, Risk, Rung
from shop.storefront import standing_texts
from shop.storefront.facts import MemberFacts


class NextTierOut(serializers.Serializer[Any]):
    """What is missing for the next tier; `missing` is in the unit of `basis`."""

    tier = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    missing = serializers.IntegerField()
    missing_friends = serializers.IntegerField()
    by = serializers.DateTimeField(
        allow_null=True, help_text="When what was collected begins to count no more."
    )
    text_zh = serializers.CharField()
    text_en = serializers.CharField()


class TierRiskOut(serializers.Serializer[Any]):
    """When the member drops to which tier, if nothing more comes."""

    tier = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    missing = serializers.IntegerField()
    missing_friends = serializers.IntegerField()
    drops_at = serializers.DateTimeField()
    text_zh = serializers.CharField()
    text_en = serializers.CharField()


class StandingOut(serializers.Serializer[Any]):
    """Where a member stands: qualifying points, money in cents, or visits, as `basis` says."""

    basis = serializers.ChoiceField(choices=["points", "spend", "visits"])
    amount = serializers.IntegerField()
    friends = serializers.IntegerField(help_text="Friends brought who have bought.")
    kept_until = serializers.DateTimeField(allow_null=True)
    pinned_until = serializers.DateTimeField(allow_null=True)
    next = NextTierOut(allow_null=True)
    risk = TierRiskOut(allow_null=True)


def standing_of(member: MemberFacts) -> dict[str, Any] | None:
    """Return what `StandingOut` shows of a member."""
    place = member.place
    if place is None:
        return None
    ahead, risk = progress.ahead_of(place), progress.risk_of(place)
    return {
        "basis": place.basis,
        "amount": place.amount,
        "friends": place.friends,
        "kept_until": place.kept_until,
        "pinned_until": place.pinned_until,
        "next": _next(ahead, place, member) if ahead else None,
        "risk": _risk(risk, place, member) if risk else None,
    }


def _next(ahead: Ahead, place: Place, member: MemberFacts) -> dict[str, Any]:
    return (
        _shape(ahead.tier, ahead.missing, ahead.missing_friends)
        | {"by": ahead.by}
        | _both(lambda: standing_texts.ahead_text(ahead, place=place, member=member))
    )


def _risk(risk: Risk, place: Place, member: MemberFacts) -> dict[str, Any]:
    shape = _shape(risk.tier, risk.missing, risk.missing_friends)
    return (
        shape
        | {"drops_at": risk.drops_at}
        | _both(lambda: standing_texts.risk_text(risk, place=place, member=member))
    )


def _shape(tier: Rung, missing: int, missing_friends: int) -> dict[str, Any]:
    return {
        "tier": tier.code,
        "name_zh": tier.name_zh,
        "name_en": tier.name_en,
        "missing": missing,
        "missing_friends": missing_friends,
    }


def _both(text: Callable[[], str]) -> dict[str, str]:
    said = {}
    for language, field in (("zh-hans", "text_zh"), ("en", "text_en")):
        with translation.override(language):
            said[field] = text()
    return said
