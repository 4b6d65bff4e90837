"""Where a member stands between the tiers, as people say it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.progress import Ahead, Place, Risk, Rung
from shop.storefront.facts import MemberFacts


def ahead_text(ahead: Ahead, *, place: Place, member: MemberFacts) -> str:
    """Return what is missing for the next tier, and until when it counts."""
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


def risk_text(risk: Risk, *, place: Place, member: MemberFacts) -> str:
    """Return when the member drops to which tier, and what keeps the one they have."""
    return _("Drops to %(tier)s on %(day)s; %(what)s more to stay.") % {
        "tier": _name(risk.tier),
        "day": _day(risk.drops_at, member),
        "what": _amount(risk.missing, risk.missing_friends, place, member),
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
