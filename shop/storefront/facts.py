"""What the flows and the pricing rules may know about a member, read in one statement."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.pricing import Facts
from loyalty.earning import Rates
from loyalty.lifetimes import Expires, Lifetime, Waiting, Waits
from loyalty.lots import Clawback
from shop.kernel import crypto
from shop.kernel.errors import NotFound
from shop.kernel.money import Points
from shop.members import MemberNotActive
from shop.models import Member


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberFacts:
    """A member as they stand now: points, tier, orders, where they came from."""

    id: int
    public_id: UUID
    status: str
    name: str
    phone_last4: str
    birthday: date | None
    joined_at: datetime
    store: str
    balance: Points
    held: Points
    tier: str
    tier_name_zh: str
    tier_name_en: str
    tier_percent: int
    channel: str | None
    order_count: int
    qualified_referrals: int
    waiting_referrer_id: int | None
    coupons_available: int
    rates: Rates
    window_days: int
    clawback: Clawback
    lifetime: Lifetime
    waiting: Waiting

    @property
    def available(self) -> Points:
        """Return the points that may be spent now."""
        return Points(max(self.balance - self.held, 0))

    @property
    def row(self) -> Member:
        """Return the member's row with its ids alone; what else is asked of it is loaded then."""
        return Member.from_db(connection.alias, ["id", "public_id"], [self.id, self.public_id])

    def for_pricing(self, *, now: datetime) -> Facts:
        """Return the part that pricing rules may ask about."""
        return Facts(
            member=str(self.public_id),
            order_count=self.order_count,
            tier=self.tier,
            acquisition_channel=self.channel,
            birthday=self.birthday,
            segments=frozenset(),
            days_since_joined=(now - self.joined_at).days,
        )


def load(member_id: int, *, now: datetime) -> MemberFacts:
    """Return the facts of a member by internal id, whatever their status."""
    facts = _select("member.id = %(value)s", member_id, now=now)
    assert facts is not None  # noqa: S101 - foreign keys protect members
    return facts


def find(public_id: UUID, *, now: datetime) -> MemberFacts:
    """Return the facts of an active member.

    Raises:
        NotFound, MemberNotActive
    """
    return _active(_select("member.public_id = %(value)s", public_id, now=now))


def find_by_id(member_id: int, *, now: datetime) -> MemberFacts:
    """Return the facts of an active member by internal id.

    Raises:
        NotFound, MemberNotActive
    """
    return _active(_select("member.id = %(value)s", member_id, now=now))


def find_by_phone(phone: str, *, now: datetime) -> MemberFacts:
    """Return the facts of the active member with this E.164 phone.

    Raises:
        NotFound, MemberNotActive
    """
    return _active(
        _select(
            "member.phone_hash = %(value)s AND member.status <> 'closed'",
            crypto.lookup_hash(phone),
            now=now,
        )
    )


def _active(facts: MemberFacts | None) -> MemberFacts:
    if facts is None:
        raise NotFound
    if facts.status != "active":
        raise MemberNotActive(member=str(facts.public_id), member_status=facts.status)
    return facts


def _select(condition: str, value: Any, *, now: datetime) -> MemberFacts | None:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS_SQL.format(condition=condition), {"value": value, "now": now})
        row = cursor.fetchone()
        names = [column.name for column in cursor.description or []]
    if row is None:
        return None
    values = dict(zip(names, row, strict=True))
    rates = Rates(**{name: values.pop(name) for name in Rates.__dataclass_fields__})
    lifetime = Lifetime(
        expires=Expires(values.pop("expires")),
        count=values.pop("live_count"),
        last_day=values.pop("last_day"),
    )
    waiting = Waiting(waits=Waits(values.pop("waits")), days=values.pop("wait_days"))
    values["clawback"] = Clawback(values["clawback"])
    return MemberFacts(**values, rates=rates, lifetime=lifetime, waiting=waiting)


_FACTS_SQL = """
SELECT member.id, member.public_id, member.status, member.name, member.phone_last4,
       member.birthday, member.joined_at, store.code AS store,
       account.balance, account.held,
       tier.code AS tier, tier.name_zh AS tier_name_zh, tier.name_en AS tier_name_en,
       tier.points_rate_percent AS tier_percent, channel.code AS channel,
       (SELECT count(*) FROM loyalty_visit visit
        WHERE visit.member_id = member.id AND visit.reversed_at IS NULL) AS order_count,
       (SELECT count(*) FROM campaigns_referral referral
        WHERE referral.referrer_id = member.id AND referral.status = 'qualified'
          AND referral.qualified_at > %(now)s::timestamptz - make_interval(
              days => COALESCE(programme.qualifying_window_days, 365))) AS qualified_referrals,
       (SELECT referral.referrer_id FROM campaigns_referral referral
        WHERE referral.referee_id = member.id AND referral.status = 'registered'
       ) AS waiting_referrer_id,
       (SELECT count(*) FROM campaigns_coupon coupon
        WHERE coupon.member_id = member.id AND coupon.status = 'available'
          AND coupon.expires_at > %(now)s) AS coupons_available,
       COALESCE(programme.points_per_yuan, 1) AS points_per_yuan,
       COALESCE(programme.qualifying_per_yuan, 1) AS qualifying_per_yuan,
       COALESCE(programme.points_per_redeemed_yuan, 50) AS points_per_redeemed_yuan,
       COALESCE(programme.min_points_per_order, 50) AS min_points_per_order,
       COALESCE(programme.max_points_share_percent, 50) AS max_points_share_percent,
       COALESCE(programme.qualifying_window_days, 365) AS window_days,
       COALESCE(programme.clawback, 'allow_debt') AS clawback,
       COALESCE(programme.points_expire, 'year_end') AS expires,
       COALESCE(programme.points_live_count, 1) AS live_count,
       programme.points_last_day AS last_day,
       COALESCE(programme.points_wait_for, 'nothing') AS waits,
       COALESCE(programme.points_wait_days, 0) AS wait_days
FROM shop_member member
JOIN shop_store store ON store.id = member.store_id
JOIN loyalty_pointsaccount account ON account.member_id = member.id AND account.wallet = 'points'
JOIN loyalty_membership membership ON membership.member_id = member.id
JOIN loyalty_tier tier ON tier.id = membership.tier_id
LEFT JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
LEFT JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
WHERE {condition}
"""
