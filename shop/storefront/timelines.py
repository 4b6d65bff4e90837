"""What happened between a person and the shop, newest first: from the first touch to the farewell.

Memberships that were merged are one person: their histories are one. Writes nothing.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import NotFound

MOST = 100
TEXTS = {
    "joined": _("Joined"),
    "touch": _("Met a link"),
    "order": _("Ordered"),
    "refund": _("Refunded"),
    "points": _("Points"),
    "coupon": _("Coupon received"),
    "coupon_used": _("Coupon used"),
    "reward": _("Reward taken"),
    "friend": _("Brought a friend"),
    "tier": _("Tier changed"),
    "message": _("Message sent"),
    "status": _("Membership changed"),
}
"""Every kind of event, as staff read it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that happened; `details` says what, by the kind."""

    at: datetime
    kind: str
    id: int
    details: dict[str, Any]

    @property
    def cursor(self) -> str:
        """Return the place after this event, for the next page."""
        place = orjson.dumps([self.at.isoformat(), self.kind, self.id])
        return base64.urlsafe_b64encode(place).decode().rstrip("=")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some events, and where the next ones begin; None after the last."""

    events: list[Event]
    next_cursor: str | None


def page(
    member_id: int, *, size: int, after: str = "", store_ids: Collection[int] | None = None
) -> Page:
    """Return a member's events after a cursor, in one statement.

    Of orders and refunds only those of `store_ids` are told; None tells all.

    Raises:
        NotFound: somebody made the cursor up.
    """
    at, kind, event_id = _place(after)
    values: dict[str, Any] = {
        "member": member_id,
        "stores": None if store_ids is None else sorted(store_ids),
        "at": at,
        "kind": kind,
        "id": event_id,
        "size": min(size, MOST) + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TIMELINE_SQL, values)
        found = [
            Event(at=at, kind=kind, id=event_id, details=orjson.loads(details))
            for at, kind, event_id, details in cursor.fetchall()
        ]
    events = found[: min(size, MOST)]
    return Page(events=events, next_cursor=events[-1].cursor if len(found) > len(events) else None)


def _place(cursor: str) -> tuple[str, str, int]:
    if not cursor:
        return "infinity", "", 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, kind, event_id = orjson.loads(text)
        place = datetime.fromisoformat(at).isoformat(), str(kind), int(event_id)
    except (ValueError, TypeError) as error:
        raise NotFound(_("There is no such page.")) from error
    if kind not in TEXTS or not 0 <= place[2] < 2**63:
        raise NotFound(_("There is no such page."))
    return place


def _branch(kind: str, *, rows: str, at: str, row_id: str, details: str) -> str:
    """Return the newest events of one kind; each branch reads no further than a page."""
    return f"""(
        SELECT {at} AS at, '{kind}' AS kind, {row_id}::bigint AS id,
               jsonb_build_object({details}) AS details
        FROM person {rows}
          AND ({at}, '{kind}', {row_id}::bigint)
              < (%(at)s::timestamptz, %(kind)s, %(id)s::bigint)
        ORDER BY {at} DESC, {row_id} DESC LIMIT %(size)s)"""  # noqa: S608 - our own text


_VISIBLE = "(%(stores)s::bigint[] IS NULL OR orders.store_id = ANY(%(stores)s::bigint[]))"
_BRANCHES = [
    _branch(
        "joined",
        rows="""JOIN shop_member member ON member.id = ANY(person.ids)
                JOIN shop_store store ON store.id = member.store_id
                LEFT JOIN campaigns_acquisition origin ON origin.member_id = member.id
                LEFT JOIN campaigns_channel channel ON channel.id = origin.channel_id
                WHERE true""",
        at="member.joined_at",
        row_id="member.id",
        details="'store', store.code, 'channel', channel.code",
    ),
    _branch(
        "touch",
        rows="""JOIN campaigns_acquisition origin
                     ON origin.member_id = ANY(person.ids) AND origin.visitor_id <> ''
                JOIN campaigns_touch touch ON touch.visitor_id = origin.visitor_id
                JOIN campaigns_channellink link ON link.id = touch.link_id
                JOIN campaigns_channel channel ON channel.id = link.channel_id
                WHERE touch.quality = 'counted'""",
        at="touch.occurred_at",
        row_id="touch.id",
        details="'touch', touch.kind, 'link', link.code, 'channel', channel.code",
    ),
    _branch(
        "order",
        rows=f"""JOIN shop_order orders ON orders.member_id = ANY(person.ids)
                 JOIN shop_store store ON store.id = orders.store_id
                 WHERE {_VISIBLE}""",
        at="orders.placed_at",
        row_id="orders.id",
        details="""'order', orders.number, 'store', store.code, 'order_status', orders.status,
                   'total_cents', orders.payable_cents""",
    ),
    _branch(
        "refund",
        rows=f"""JOIN shop_order orders ON orders.member_id = ANY(person.ids)
                 JOIN shop_refund refund ON refund.order_id = orders.id
                 WHERE {_VISIBLE}""",
        at="refund.refunded_at",
        row_id="refund.id",
        details="""'order', orders.number, 'refund', refund.number,
                   'amount_cents', refund.amount_cents""",
    ),
    _branch(
        "points",
        rows="""JOIN loyalty_pointsaccount account
                     ON account.member_id = ANY(person.ids) AND account.wallet = 'points'
                JOIN loyalty_pointsentry entry ON entry.account_id = account.id
                WHERE true""",
        at="entry.occurred_at",
        row_id="entry.id",
        details="""'points_kind', entry.kind, 'points', entry.points,
                   'balance_after', entry.balance_after, 'source', entry.source,
                   'note', entry.note""",
    ),
    _branch(
        "coupon",
        rows="""JOIN campaigns_coupon coupon ON coupon.member_id = ANY(person.ids)
                JOIN campaigns_coupondefinition definition
                     ON definition.id = coupon.definition_id
                WHERE true""",
        at="coupon.issued_at",
        row_id="coupon.id",
        details="""'coupon', coupon.code, 'definition', definition.code,
                   'coupon_status', coupon.status, 'source', coupon.source""",
    ),
    _branch(
        "coupon_used",
        rows="""JOIN campaigns_coupon coupon ON coupon.member_id = ANY(person.ids)
                JOIN campaigns_couponredemption used ON used.coupon_id = coupon.id
                JOIN shop_order orders ON orders.id = used.order_id
                WHERE true""",
        at="used.redeemed_at",
        row_id="used.id",
        details="""'coupon', coupon.code, 'order', orders.number,
                   'discount_cents', used.discount_cents""",
    ),
    _branch(
        "reward",
        rows="""JOIN loyalty_rewardredemption redemption
                     ON redemption.member_id = ANY(person.ids)
                JOIN loyalty_reward reward ON reward.id = redemption.reward_id
                WHERE true""",
        at="redemption.issued_at",
        row_id="redemption.id",
        details="""'reward', reward.code, 'reward_status', redemption.status,
                   'wallet', redemption.wallet, 'points', redemption.points""",
    ),
    _branch(
        "friend",
        rows="""JOIN campaigns_referral referral ON referral.referrer_id = ANY(person.ids)
                WHERE true""",
        at="referral.registered_at",
        row_id="referral.id",
        details="'referral_status', referral.status",
    ),
    _branch(
        "tier",
        rows="""JOIN loyalty_tierchange change ON change.member_id = ANY(person.ids)
                LEFT JOIN loyalty_tier old ON old.id = change.from_tier_id
                JOIN loyalty_tier new ON new.id = change.to_tier_id
                WHERE true""",
        at="change.occurred_at",
        row_id="change.id",
        details="'from', old.code, 'to', new.code, 'reason', change.reason",
    ),
    _branch(
        "message",
        rows="""JOIN shop_message message ON message.member_id = ANY(person.ids)
                WHERE true""",
        at="message.sent_at",
        row_id="message.id",
        details="'template', message.template, 'text', message.text",
    ),
    _branch(
        "status",
        rows="""JOIN shop_memberstatuschange change ON change.member_id = ANY(person.ids)
                WHERE true""",
        at="change.occurred_at",
        row_id="change.id",
        details="'change', change.kind, 'reason', change.reason, 'actor', change.actor",
    ),
]

_TIMELINE_SQL = f"""
WITH person AS MATERIALIZED (
    SELECT array_agg(id) AS ids FROM shop_member
    WHERE id = %(member)s OR merged_into_id = %(member)s
)
SELECT at, kind, id, details::text FROM ({" UNION ALL ".join(_BRANCHES)}) event
ORDER BY at DESC, kind DESC, id DESC LIMIT %(size)s
"""  # noqa: S608 - our own text
