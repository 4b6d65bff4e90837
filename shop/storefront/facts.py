"""What the flows and the pricing rules may know about a member, read in one statement."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from campaigns.pricing import Facts
from loyalty import benefits, earning_programme, standing
from loyalty.earning import Rates
from loyalty.lifetimes import Expires, Lifetime, Waiting, Waits
from loyalty.lots import Clawback
from loyalty.order_points import ProgrammeRule
from loyalty.progress import Place, Rung
from shop.kernel import crypto, rows, versions
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
    joined_before: bool
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
    referrer_since: datetime | None
    """Since when friends count for who brought this member, while that is to be rewarded."""
    coupons_available: int
    rates: Rates
    clawback: Clawback
    lifetime: Lifetime
    waiting: Waiting
    timezone: str
    place: Place | None = None
    """Where they stand between the tiers; read only where it is shown."""
    stamps: Points | None = None
    """The stamps that may be spent now; read with the place."""
    earning_rules_json: str | None = None
    """The earning rules that run; parsed only where points are worked out."""
    prices_json: str | None = None
    """What the member pays less by tier or plan; parsed only where something is priced."""
    menu_version: int | None = None
    promotions_version: int | None = None
    """Of which copies may serve along with these facts."""

    @property
    def earning_rules(self) -> tuple[ProgrammeRule, ...]:
        """Return the rules by which points are earned beside the base rate."""
        return earning_programme.parse(self.earning_rules_json)

    @property
    def available(self) -> Points:
        """Return the points that may be spent now."""
        return Points(max(self.balance - self.held, 0))

    @property
    def row(self) -> Member:
        """Return the member's row with its ids alone; what else is asked of it is loaded then."""
        return Member.from_db(connection.alias, ["id", "public_id"], [self.id, self.public_id])

    def for_pricing(self, *, now: datetime) -> Facts:
        """Return the part that pricing rules may ask about.

        Who was a member before is no newcomer: their first order here is not their first.
        """
        return Facts(
            member=str(self.public_id),
            order_count=max(self.order_count, int(self.joined_before)),
            tier=self.tier,
            acquisition_channel=self.channel,
            birthday=self.birthday,
            segments=frozenset(),
            days_since_joined=(now - self.joined_at).days,
        )


def load(member_id: int, *, now: datetime, with_place: bool = False) -> MemberFacts:
    """Return the facts of a member by internal id, whatever their status."""
    facts = _select("member.id = %(value)s", member_id, now=now, with_place=with_place)
    assert facts is not None  # noqa: S101 - foreign keys protect members
    return facts


def find(public_id: UUID, *, now: datetime, with_place: bool = False) -> MemberFacts:
    """Return the facts of an active member.

    Raises:
        NotFound, MemberNotActive
    """
    return _active(
        _select("member.public_id = %(value)s", public_id, now=now, with_place=with_place)
    )


def find_by_id(member_id: int, *, now: datetime) -> MemberFacts:
    """Return the facts of an active member by internal id, with their place.

    Raises:
        NotFound, MemberNotActive
    """
    return _active(_select("member.id = %(value)s", member_id, now=now, with_place=True))


def find_by_phone(phone: str, *, now: datetime) -> MemberFacts:
    """Return the facts of the active member with this E.164 phone, with their place.

    Raises:
        NotFound, MemberNotActive
    """
    return _active(
        _select(
            "member.phone_hash = %(value)s AND member.status <> 'closed'",
            crypto.lookup_hash(phone),
            now=now,
            with_place=True,
        )
    )


def _active(facts: MemberFacts | None) -> MemberFacts:
    if facts is None:
        raise NotFound
    if facts.status != "active":
        raise MemberNotActive(member=str(facts.public_id), member_status=facts.status)
    return facts


def _select(
    condition: str, value: Any, *, now: datetime, with_place: bool = False
) -> MemberFacts | None:
    sql = _sql(condition, with_place=with_place)
    found = rows.select_dicts(sql, {"value": value, "now": now})
    if not found:
        return None
    (values,) = found
    rates = Rates(**{name: values.pop(name) for name in Rates.__dataclass_fields__})
    lifetime = Lifetime(
        expires=Expires(values.pop("expires")),
        count=values.pop("live_count"),
        last_day=values.pop("last_day"),
    )
    waiting = Waiting(waits=Waits(values.pop("waits")), days=values.pop("wait_days"))
    values["clawback"] = Clawback(values["clawback"])
    if with_place:
        values["place"] = _place(orjson.loads(values["place"]))
    return MemberFacts(**values, rates=rates, lifetime=lifetime, waiting=waiting)


@cache
def _sql(condition: str, *, with_place: bool) -> str:
    return _FACTS_SQL.format(condition=condition, place=_PLACE_SQL if with_place else "")


def _place(found: dict[str, Any]) -> Place:
    unit = standing.UNITS[standing.Basis(found["basis"])]
    rungs = [Rung(**rung | {"minimum": rung["minimum"] * unit}) for rung in found.pop("rungs")]
    moments: dict[str, Any] = {
        name: datetime.fromisoformat(found.pop(name)) if found[name] else found.pop(name)
        for name in ("window_ends_at", "kept_until", "pinned_until")
    }
    return Place(**found, **moments, rungs=rungs)


_NOW = "%(now)s::timestamptz"
_SINCE = standing.window_start(_NOW)
_REFERRERS_SINCE = standing.window_start(_NOW, member="bringer", store="home")
_SINCE_THEN = f"""COALESCE({standing.window_before("membership.kept_until")}, {_SINCE})"""
_PLACE_SQL = f""", COALESCE((
    SELECT GREATEST(card.balance - card.held, 0) FROM loyalty_pointsaccount card
    WHERE card.member_id = member.id AND card.wallet = 'stamps'), 0) AS stamps, (
    SELECT jsonb_build_object(
        'rungs', (SELECT jsonb_agg(jsonb_build_object(
                      'code', rung.code, 'level', rung.level, 'name_zh', rung.name_zh,
                      'name_en', rung.name_en, 'minimum', rung.min_qualifying_points,
                      'friends', rung.min_referrals) ORDER BY rung.level)
                  FROM loyalty_tier rung),
        'level', tier.level,
        'basis', COALESCE(programme.qualifying_basis, 'points'),
        'amount', collected.found->'amount', 'amount_then', collected.found->'amount_then',
        'friends', brought.friends, 'friends_then', brought.friends_then,
        'window_ends_at', CASE COALESCE(programme.qualifying_window, 'rolling')
            WHEN 'rolling' THEN (collected.found->>'oldest')::timestamptz
                + make_interval(days => COALESCE(programme.qualifying_window_days, 365))
            ELSE {standing.window_end(_NOW)} END,
        'kept_until', membership.kept_until,
        'grace_days', COALESCE(programme.tier_grace_days, 30),
        'downgrade', COALESCE(programme.tier_downgrade, 'one_level'),
        'pinned_until', (SELECT pin.until FROM loyalty_tierpin pin
                         WHERE pin.member_id = member.id AND pin.ended_at IS NULL)
    )::text
    FROM (SELECT {_SINCE} AS since, {_SINCE_THEN} AS since_then OFFSET 0) clock
    CROSS JOIN LATERAL (
        SELECT {standing.collected_since("clock.since", "clock.since_then")} AS found OFFSET 0
    ) collected
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE friend.qualified_at >= clock.since) AS friends,
               count(*) FILTER (WHERE friend.qualified_at >= clock.since_then) AS friends_then
        FROM campaigns_referral friend
        WHERE friend.referrer_id = member.id AND friend.status = 'qualified'
    ) brought
) AS place"""
_EARNING_RULES = earning_programme.rules_sql("member.id")
_FACTS_SQL = f"""
SELECT member.id, member.public_id, member.status, member.name, member.phone_last4,
       member.birthday, member.joined_at, member.joined_before, store.code AS store,
       store.timezone,
       account.balance, account.held,
       tier.code AS tier, tier.name_zh AS tier_name_zh, tier.name_en AS tier_name_en,
       GREATEST(tier.points_rate_percent, {benefits.POINTS_PERCENT_SQL}) AS tier_percent,
       channel.code AS channel,
       (SELECT count(*) FROM loyalty_visit visit
        WHERE visit.member_id = member.id AND visit.reversed_at IS NULL) AS order_count,
       (SELECT count(*) FROM campaigns_referral referral
        WHERE referral.referrer_id = member.id AND referral.status = 'qualified'
          AND referral.qualified_at >= {_SINCE}) AS qualified_referrals,
       waiting.referrer_id AS waiting_referrer_id, waiting.since AS referrer_since,
       (SELECT count(*) FROM campaigns_coupon coupon
        WHERE coupon.member_id = member.id AND coupon.status = 'available'
          AND coupon.expires_at > %(now)s) AS coupons_available,
       COALESCE(programme.points_per_yuan, 1) AS points_per_yuan,
       COALESCE(programme.qualifying_per_yuan, 1) AS qualifying_per_yuan,
       COALESCE(programme.points_per_redeemed_yuan, 50) AS points_per_redeemed_yuan,
       COALESCE(programme.min_points_per_order, 50) AS min_points_per_order,
       COALESCE(programme.max_points_share_percent, 50) AS max_points_share_percent,
       COALESCE(programme.clawback, 'allow_debt') AS clawback,
       COALESCE(programme.points_expire, 'year_end') AS expires,
       COALESCE(programme.points_live_count, 1) AS live_count,
       programme.points_last_day AS last_day,
       COALESCE(programme.points_wait_for, 'nothing') AS waits,
       COALESCE(programme.points_wait_days, 0) AS wait_days,
       {_EARNING_RULES} AS earning_rules_json, {benefits.PRICES_SQL} AS prices_json,
       {versions.sql_of("menu")} AS menu_version,
       {versions.sql_of("promotions")} AS promotions_version
       {{place}}
FROM shop_member member
JOIN shop_store store ON store.id = member.store_id
JOIN loyalty_pointsaccount account ON account.member_id = member.id AND account.wallet = 'points'
JOIN loyalty_membership membership ON membership.member_id = member.id
JOIN loyalty_tier tier ON tier.id = membership.tier_id
LEFT JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
LEFT JOIN campaigns_channel channel ON channel.id = acquisition.channel_id
LEFT JOIN loyalty_loyaltyprogramme programme ON programme.id = 1
LEFT JOIN LATERAL (
    SELECT referral.referrer_id, {_REFERRERS_SINCE} AS since
    FROM campaigns_referral referral
    JOIN shop_member bringer ON bringer.id = referral.referrer_id
    JOIN shop_store home ON home.id = bringer.store_id
    WHERE referral.referee_id = member.id AND referral.status = 'registered'
) waiting ON true
WHERE {{condition}}
"""
