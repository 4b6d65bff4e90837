"""Where a member stands between the tiers, in numbers and in words of both languages."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework import serializers

from loyalty import progress
from loyalty.progress import Ahead, Place, Risk, Rung
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
    def text() -> str:
        words = {
            "what": _amount(ahead.missing, ahead.missing_friends, place, member),
            "tier": _name(ahead.tier),
        }
        if not words["what"]:
            return ""  # a pin holds below what is earned
        if ahead.by is None or not ahead.missing:
            return _("%(what)s more to %(tier)s.") % words
        day = _last_day(ahead.by, member)
        return _("%(what)s more by %(day)s to %(tier)s.") % (words | {"day": day})

    return _shape(ahead.tier, ahead.missing, ahead.missing_friends) | {"by": ahead.by} | _both(text)


def _risk(risk: Risk, place: Place, member: MemberFacts) -> dict[str, Any]:
    def text() -> str:
        return _("Drops to %(tier)s on %(day)s; %(what)s more to stay.") % {
            "tier": _name(risk.tier),
            "day": _day(risk.drops_at, member),
            "what": _amount(risk.missing, risk.missing_friends, place, member),
        }

    shape = _shape(risk.tier, risk.missing, risk.missing_friends)
    return shape | {"drops_at": risk.drops_at} | _both(text)


def _shape(tier: Rung, missing: int, missing_friends: int) -> dict[str, Any]:
    return {
        "tier": tier.code,
        "name_zh": tier.name_zh,
        "name_en": tier.name_en,
        "missing": missing,
        "missing_friends": missing_friends,
    }


def _amount(missing: int, friends: int, place: Place, member: MemberFacts) -> str:
    """Return what is missing as people say it: money, where points are had by spending."""
    parts = []
    if missing and place.basis == "visits":
        parts.append(ngettext("%(n)d visit", "%(n)d visits", missing) % {"n": missing})
    elif missing:
        per_yuan = 100 if place.basis == "spend" else member.rates.qualifying_per_yuan
        yuan = -(-missing // per_yuan) if per_yuan else None
        words = _("¥%(n)d") % {"n": yuan} if yuan else _("%(n)d points") % {"n": missing}
        parts.append(words)
    if friends:
        parts.append(ngettext("%(n)d friend", "%(n)d friends", friends) % {"n": friends})
    return _(" and ").join(parts)


def _last_day(end: datetime, member: MemberFacts) -> str:
    return _day(end - timedelta(microseconds=1), member)


def _day(at: datetime, member: MemberFacts) -> str:
    return date_format(at.astimezone(ZoneInfo(member.timezone)), _("j F Y"))


def _name(tier: Rung) -> str:
    is_chinese = (translation.get_language() or "").startswith("zh")
    return tier.name_zh if is_chinese else tier.name_en


def _both(text: Callable[[], str]) -> dict[str, str]:
    said = {}
    for language, field in (("zh-hans", "text_zh"), ("en", "text_en")):
        with translation.override(language):
            said[field] = text()
    return said
