"""Why an offer was refused, in words: what is needed and what there is, and what is nearly there.

The evaluator answers in codes and numbers; these are the sentences for guests and staff. They say
nothing that the refusal does not hold, so what a refusal keeps to itself stays there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.pricing import Pricing, Reason, Refusal
from shop.kernel.money import Cents

CART_REASONS = frozenset(
    {
        Reason.REQUIRED_ITEM_MISSING,
        Reason.MIN_SPEND_NOT_MET,
        Reason.MIN_QTY_NOT_MET,
        Reason.MIN_PRODUCTS_NOT_MET,
    }
)
"""What a guest can mend by putting more into the cart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NearMiss:
    """An offer that more in the cart would bring; `short` is fen, units or products by `reason`."""

    key: str
    offer: str
    reason: Reason
    short: int
    hint: str


def near_misses(pricing: Pricing, *, most: int | None = None) -> list[NearMiss]:
    """Return the refused offers that only the cart stands in the way of; the nearest first.

    Money comes before units, since a guest can see how far away it is. `most` is how many at most.
    """
    missed = [
        (refusal.reason != Reason.MIN_SPEND_NOT_MET, short, refusal.key, refusal)
        for refusal in pricing.refusals
        if refusal.reason in CART_REASONS and (short := refusal.short) is not None
    ]
    nearest = sorted(missed, key=lambda miss: miss[:3])[:most]
    names = {offer.key: offer.name for offer in pricing.offers}
    return [
        NearMiss(
            key=key,
            offer=names[key],
            reason=Reason(refusal.reason),
            short=short,
            hint=hint(refusal, offer=names[key]),
        )
        for _is_units, short, key, refusal in nearest
    ]


def hint(refusal: Refusal, *, offer: str) -> str:
    """Return what the guest can add to the cart to get the offer; nothing when that is no help.

    >>> hint(
    ...     Refusal(key="A", reason=Reason.MIN_SPEND_NOT_MET, needed=2500, actual=2100),
    ...     offer="Free topping",
    ... )
    'Spend ¥4 more for “Free topping”.'
    """
    short = refusal.short
    if short is None or refusal.reason not in CART_REASONS:
        return ""
    if refusal.reason == Reason.MIN_SPEND_NOT_MET:
        return _("Spend %(amount)s more for “%(offer)s”.") % {
            "amount": money(short),
            "offer": offer,
        }
    if refusal.reason == Reason.MIN_PRODUCTS_NOT_MET:
        return ngettext(
            "Add %(count)d other product for “%(offer)s”.",
            "Add %(count)d other products for “%(offer)s”.",
            short,
        ) % {"count": short, "offer": offer}
    if refusal.reason == Reason.REQUIRED_ITEM_MISSING:
        return ngettext(
            "Add %(count)d item that “%(offer)s” asks for.",
            "Add %(count)d items that “%(offer)s” asks for.",
            short,
        ) % {"count": short, "offer": offer}
    return ngettext(
        "Add %(count)d more item for “%(offer)s”.",
        "Add %(count)d more items for “%(offer)s”.",
        short,
    ) % {"count": short, "offer": offer}


def explain(refusal: Refusal, *, local_time: datetime) -> str:
    """Return why an offer was refused, in one sentence; moments are told in the store's time."""
    tell = SENTENCES.get(refusal.reason)
    return tell(refusal, local_time) if tell else _("This offer cannot be used now.")


def money(cents: int) -> str:
    """Return an amount as guests read it.

    >>> money(400), money(1250)
    ('¥4', '¥12.50')
    """
    yuan, fen = divmod(Cents(cents), 100)
    return f"¥{yuan:,}.{fen:02d}" if fen else f"¥{yuan:,}"


Tell = Callable[[Refusal, datetime], str]


def _spend(refusal: Refusal, _local: datetime) -> str:
    return _("%(short)s short: needs %(needed)s, there is %(actual)s.") % {
        "short": money(refusal.short or 0),
        "needed": money(_number(refusal.needed)),
        "actual": money(_number(refusal.actual)),
    }


def _too_much(refusal: Refusal, _local: datetime) -> str:
    return _("Only for carts of up to %(needed)s; this one is %(actual)s.") % {
        "needed": money(_number(refusal.needed)),
        "actual": money(_number(refusal.actual)),
    }


def _items(refusal: Refusal, _local: datetime) -> str:
    return _("Needs %(needed)d items, there are %(actual)d.") % {
        "needed": _number(refusal.needed),
        "actual": _number(refusal.actual),
    }


def _products(refusal: Refusal, _local: datetime) -> str:
    return _("Needs %(needed)d different products, there are %(actual)d.") % {
        "needed": _number(refusal.needed),
        "actual": _number(refusal.actual),
    }


def _starts(refusal: Refusal, local: datetime) -> str:
    return _("Starts at %(moment)s.") % {"moment": _moment(refusal.needed, local)}


def _ended(refusal: Refusal, local: datetime) -> str:
    if refusal.needed is None:
        return _("Expired.")
    return _("Ended at %(moment)s.") % {"moment": _moment(refusal.needed, local)}


def _nth(refusal: Refusal, _local: datetime) -> str:
    return _("It is for order number %(needed)d; this is number %(actual)d.") % {
        "needed": _number(refusal.needed),
        "actual": _number(refusal.actual),
    }


def _just(sentence: Callable[[], str]) -> Tell:
    """Return what says the same whatever was needed."""
    return lambda _refusal, _local: sentence()


def _budget(refusal: Refusal, _local: datetime) -> str:
    left = _number(refusal.actual)
    if left <= 0:
        return _("Its budget is spent.")
    return _("Its budget has %(actual)s left; this would take %(needed)s.") % {
        "actual": money(left),
        "needed": money(_number(refusal.needed)),
    }


def _used(sentence: Callable[[], str]) -> Tell:
    """Return what tells how often it was used, of how often it may be."""
    return lambda refusal, _local: (
        sentence() % {"needed": _number(refusal.needed), "actual": _number(refusal.actual)}
    )


def _number(measure: object) -> int:
    return measure if isinstance(measure, int) else 0


def _moment(measure: object, local: datetime) -> str:
    """Return a moment as the guest's clock shows it: the time alone when it is today."""
    moment = datetime.fromisoformat(str(measure)).astimezone(local.tzinfo)
    return f"{moment:%H:%M}" if moment.date() == local.date() else f"{moment:%Y-%m-%d %H:%M}"


SENTENCES: Mapping[str, Tell] = {
    Reason.NOT_STARTED: _starts,
    Reason.EXPIRED: _ended,
    Reason.OUTSIDE_HOURS: _starts,
    Reason.USAGE_LIMIT_REACHED: _used(lambda: _("Used %(actual)d of %(needed)d.")),
    Reason.PER_MEMBER_LIMIT_REACHED: _used(lambda: _("You used %(actual)d of %(needed)d.")),
    Reason.STORE_LIMIT_REACHED: _used(lambda: _("This store used %(actual)d of %(needed)d.")),
    Reason.DAILY_LIMIT_REACHED: _used(lambda: _("Used %(actual)d of %(needed)d today.")),
    Reason.WEEKLY_LIMIT_REACHED: _used(lambda: _("Used %(actual)d of %(needed)d this week.")),
    Reason.MONTHLY_LIMIT_REACHED: _used(lambda: _("Used %(actual)d of %(needed)d this month.")),
    Reason.BUDGET_EXHAUSTED: _budget,
    Reason.MEMBERS_ONLY: _just(lambda: _("It is for members.")),
    Reason.TIER_MISMATCH: _just(lambda: _("It is for members of another tier.")),
    Reason.SEGMENT_MISMATCH: _just(lambda: _("It is not for you.")),
    Reason.CHANNEL_MISMATCH: _just(lambda: _("It is for members who came another way.")),
    Reason.NOT_FIRST_ORDER: _just(lambda: _("It is for the first order.")),
    Reason.NTH_ORDER_MISMATCH: _nth,
    Reason.NOT_BIRTHDAY: _just(lambda: _("It is for your birthday.")),
    Reason.NOT_BIRTHDAY_MONTH: _just(lambda: _("It is for the month of your birthday.")),
    Reason.JOINED_TOO_LONG_AGO: _just(lambda: _("It is for new members.")),
    Reason.WRONG_STORE: _just(lambda: _("It is for other stores.")),
    Reason.WRONG_CITY: _just(lambda: _("It is for other cities.")),
    Reason.WRONG_ORDER_TYPE: _just(lambda: _("It is for another way to get the drinks.")),
    Reason.WRONG_PAYMENT_METHOD: _just(lambda: _("It is for another way to pay.")),
    Reason.REQUIRED_ITEM_MISSING: _just(lambda: _("An item that it asks for is missing.")),
    Reason.EXCLUDED_ITEM_PRESENT: _just(lambda: _("It cannot be used with an item of this cart.")),
    Reason.MIN_SPEND_NOT_MET: _spend,
    Reason.MAX_SPEND_EXCEEDED: _too_much,
    Reason.MIN_QTY_NOT_MET: _items,
    Reason.MIN_PRODUCTS_NOT_MET: _products,
    Reason.NO_MATCHING_ITEMS: _just(lambda: _("No item of this cart belongs to it.")),
    Reason.NO_DISCOUNT_LEFT: _just(lambda: _("There is nothing left to take it off.")),
    Reason.NOT_STACKABLE: _just(lambda: _("It cannot be combined with another offer.")),
    Reason.BETTER_WITHOUT: _just(lambda: _("The other offers save more without it.")),
    "unknown-code": _just(lambda: _("There is no such code, or it is not yours.")),
    "belongs-to-another-member": _just(lambda: _("It is in another member's wallet.")),
    "disabled": _just(lambda: _("It is stopped at the moment.")),
    "held-by-another-order": _just(lambda: _("An unpaid order of yours holds it.")),
}
