"""Stored offers in plain words: their rules, limits and the names of what those speak of."""

from typing import Any

from django.conf import settings
from django.db import connection

from campaigns.models import Channel, CouponDefinition, Promotion
from campaigns.pricing import InvalidRule, Rule, parse_rule
from campaigns.summaries import NO_CAPS, Caps, Names, Text, summarize
from shop.models import Category, Option, Product, Store

AnyOffer = CouponDefinition | Promotion
NAMED: dict[str, Any] = {
    "category": Category,
    "product": Product,
    "option": Option,
    "store": Store,
    "channel": Channel,
    "coupon": CouponDefinition,
}


def load_names() -> Names:
    """Return the names of everything that a rule may speak of, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES_SQL)
        return Names(known={(kind, code): Text(zh=zh, en=en) for kind, code, zh, en in cursor})


# Written once and not composed anew: every answer that shows a coupon asks for it.
_NAMES_SQL = " UNION ALL ".join(
    f"SELECT '{kind}', code, name_zh, name_en FROM {model._meta.db_table}"  # noqa: S608 - of ours
    for kind, model in NAMED.items()
)


def of(offer: AnyOffer, *, names: Names, for_guests: bool = False) -> Text:
    """Return what a stored offer says; guests are not told of budgets and of limits in all.

    A rule that cannot be read says what is wrong with it.
    """
    caps = _guest_caps(offer) if for_guests else caps_of(offer)
    return of_json(offer.rule, names=names, caps=caps)


def of_json(data: Any, *, names: Names, caps: Caps = NO_CAPS) -> Text:
    """Return what a stored rule says; or what is wrong with it."""
    try:
        rule = parse_rule(data)
    except InvalidRule as fault:
        return Text.plain(str(fault))
    return of_rule(rule, names=names, caps=caps)


def of_rule(rule: Rule, *, names: Names, caps: Caps = NO_CAPS) -> Text:
    """Return what a rule says, in the chain's time."""
    return summarize(rule, timezone=settings.TIME_ZONE, names=names, caps=caps)


def caps_of(offer: AnyOffer) -> Caps:
    """Return the limits of an offer; those of a coupon count coupons."""
    if isinstance(offer, Promotion):
        total, per_member = offer.uses_total, offer.uses_per_member
    else:
        total, per_member = offer.total_limit, offer.per_member_limit
    return Caps(
        total=total,
        per_member=per_member,
        per_store=offer.uses_per_store,
        per_day=offer.uses_per_day,
        per_week=offer.uses_per_week,
        per_month=offer.uses_per_month,
        budget_cents=offer.budget_cents,
    )


def _guest_caps(offer: AnyOffer) -> Caps:
    return Caps(per_member=caps_of(offer).per_member)
