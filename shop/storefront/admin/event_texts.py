"""The events of a member's history in words, in the reader's language."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models.enums import ChoicesType
from django.utils.translation import gettext as _

from campaigns.models import Coupon, Referral, Touch
from loyalty.models import PointsAccount, PointsEntry, RewardRedemption, TierChange
from shop.admin.money import yuan
from shop.models import MemberStatusChange, Order
from shop.storefront.timelines import Event

Details = dict[str, Any]
Parts = Iterable[str | None]


def tell(event: Event) -> str:
    """Return what happened in one line."""
    return " · ".join(part for part in _TELL[event.kind](event.details) if part)


def _label(choices: ChoicesType, value: str) -> str:
    """Return the label of a state; one that is no more is shown as it was stored."""
    return str(dict(choices.choices).get(value, value))


def _points(d: Details) -> Parts:
    kind = _label(PointsEntry.Kind, d["points_kind"])
    balance = _("balance %(points)s") % {"points": d["balance_after"]}
    return f"{d['points']:+d}", kind, balance, d["source"], d["note"]


_TELL: dict[str, Callable[[Details], Parts]] = {
    "joined": lambda d: (d["store"], d["channel"]),
    "touch": lambda d: (_label(Touch.Kind, d["touch"]), d["link"], d["channel"]),
    "order": lambda d: (
        d["order"],
        d["store"],
        yuan(d["total_cents"]),
        _label(Order.Status, d["order_status"]),
    ),
    "refund": lambda d: (d["order"], yuan(d["amount_cents"])),
    "points": _points,
    "coupon": lambda d: (
        d["definition"],
        d["coupon"],
        _label(Coupon.Status, d["coupon_status"]),
    ),
    "coupon_used": lambda d: (d["coupon"], d["order"], yuan(d["discount_cents"])),
    "reward": lambda d: (
        d["reward"],
        f"{d['points']} {_label(PointsAccount.Wallet, d['wallet'])}",
        _label(RewardRedemption.Status, d["reward_status"]),
    ),
    "friend": lambda d: (_label(Referral.Status, d["referral_status"]),),
    "tier": lambda d: (
        f"{d['from']} → {d['to']}" if d["from"] else d["to"],
        _label(TierChange.Reason, d["reason"]),
    ),
    "message": lambda d: (d["text"] or d["template"],),
    "status": lambda d: (_label(MemberStatusChange.Kind, d["change"]), d["reason"]),
}
