"""Roll-ups of members, each by themselves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from shop.storefront.models import NEVER

LOTS = 100
LONG_TERM_ORDERS = 4
MARGIN_DAYS = (7, 14, 30, 60, 90, 180, 365)
"""Business days after joining at which margins are kept: they bound the search for a payback."""
REPEAT_DAYS = (7, 30, 90)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where and when a member began: the key of their cohort."""

    store_id: int
    joined_on: date
    channel_id: int
    link_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """What became of members whose roll-ups were made anew.

    `cohorts` had or have one of them. `first_orders` began or ceased to be somebody's first.
    """

    old: Mapping[int, Origin]
    new: Mapping[int, Origin]
    first_orders: Collection[int]

    @property
    def cohorts(self) -> set[Origin]:
        """Return the cohorts that changed."""
        return {*self.old.values(), *self.new.values()}

    @property
    def shifted(self) -> list[int]:
        """Return the members who are new, or belong to another cohort than before."""
        return [member for member in self.new if self.new[member] != self.old.get(member)]


def renew(member_ids: Sequence[int]) -> Moved:
    """Make the rows of these members anew."""
    values: dict[str, Any] = {"members": list(member_ids), "never": NEVER, "lots": LOTS}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_SQL, values)
        old = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_MEMBERS_SQL, values)
        new = {row[0]: row[1:] for row in cursor.fetchall()}
    firsts = {key: {row[-1] for row in rows.values()} for key, rows in (("old", old), ("new", new))}
    return Moved(
        old={member: _origin(row) for member, row in old.items()},
        new={member: _origin(row) for member, row in new.items()},
        first_orders=(firsts["old"] ^ firsts["new"]) - {0},
    )


def _origin(row: Sequence[Any]) -> Origin:
    return Origin(store_id=row[0], joined_on=row[1], channel_id=row[2], link_id=row[3])


_KNOWN_SQL = """
SELECT member_id, store_id, joined_on, channel_id, link_id, first_order_id
FROM storefront_memberrollup WHERE member_id = ANY(%(members)s)
"""

BUSINESS_DATE = "(({moment} AT TIME ZONE {store}.timezone) - {store}.day_starts_at::interval)::date"
"""As Store.business_date: store time, less what the day starts after midnight."""
JOINED_ON = BUSINESS_DATE.format(moment="member.joined_at", store="store")
GOODS = """
    SELECT COALESCE(sum(line.unit_cost_cents * (line.quantity - line.refunded_quantity)), 0)
               AS cost_cents
    FROM shop_orderline line WHERE line.order_id = orders.id
"""
"""What the goods of an order cost that were kept."""
_MARGINS = ", ".join(
    f"COALESCE(sum(margin_cents) FILTER (WHERE age <= {days}), 0) AS margin_{days}_cents"
    for days in MARGIN_DAYS
)
_REPEATED = ", ".join(
    f"COALESCE(bool_or(nth = 2 AND paid_at <= first_at + interval '{days} days'), false)"
    f" AS repeated_{days}"
    for days in REPEAT_DAYS
)

WORTH = ["orders", "revenue_cents", "margin_cents", *(f"margin_{d}_cents" for d in MARGIN_DAYS)]
_BOUGHT = ", ".join(f"COALESCE(buyers.{name}, 0) AS {name}" for name in WORTH)

STANDING_SQL = f"""
wanted AS (
    SELECT member.id AS member_id, member.store_id, member.joined_at, {JOINED_ON} AS joined_on,
           acquisition.channel_id, COALESCE(acquisition.last_link_id, 0) AS link_id,
           floor(extract(epoch FROM acquisition.acquired_at - (
               SELECT min(meeting.met_first_at) FROM storefront_meeting meeting
               WHERE meeting.visitor_id = acquisition.visitor_id
                 AND meeting.met_first_at <= acquisition.acquired_at)))::bigint AS seconds_to_join
    FROM shop_member member
    JOIN campaigns_acquisition acquisition ON acquisition.member_id = member.id
    JOIN shop_store store ON store.id = member.store_id
    WHERE member.id = ANY(%(members)s)
),
bought AS (
    SELECT wanted.member_id, orders.id, orders.paid_at,
           orders.business_date, orders.business_date - wanted.joined_on AS age,
           orders.paid_cents - orders.refunded_cents AS revenue_cents,
           orders.paid_cents - orders.refunded_cents - goods.cost_cents AS margin_cents,
           row_number() OVER person AS nth, first_value(orders.paid_at) OVER person AS first_at
    FROM wanted
    JOIN shop_order orders ON orders.member_id = wanted.member_id
    CROSS JOIN LATERAL ({GOODS}) goods
    WHERE orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
    WINDOW person AS (PARTITION BY orders.member_id ORDER BY orders.paid_at, orders.id)
),
buyers AS (
    SELECT member_id, min(first_at) AS first_at, min(paid_at) FILTER (WHERE nth = 2) AS second_at,
           min(id) FILTER (WHERE nth = 1) AS first_order_id,
           min(business_date) FILTER (WHERE nth = 1) AS first_on,
           count(*) AS orders, sum(revenue_cents) AS revenue_cents,
           sum(margin_cents) AS margin_cents, {_MARGINS}, {_REPEATED},
           count(*) FILTER (WHERE paid_at < first_at + interval '90 days') AS early_orders
    FROM bought GROUP BY member_id
),
standing AS (
    SELECT wanted.*, wanted.member_id %% %(lots)s AS lot,
           COALESCE(buyers.first_order_id, 0) AS first_order_id,
           COALESCE(buyers.first_on, %(never)s) AS first_on,
           COALESCE(buyers.repeated_7, false) AS repeated_7,
           COALESCE(buyers.repeated_30, false) AS repeated_30,
           COALESCE(buyers.repeated_90, false) AS repeated_90,
           COALESCE(buyers.repeated_30 AND (
               buyers.early_orders >= {LONG_TERM_ORDERS} OR tier.level >= 2), false)
               AS is_long_term,
           (SELECT count(*) FROM campaigns_referral referral
            WHERE referral.referrer_id = wanted.member_id AND referral.status = 'qualified')
               AS friends,
           floor(extract(epoch FROM buyers.first_at - wanted.joined_at))::bigint
               AS seconds_to_first,
           CASE WHEN buyers.repeated_30
                THEN floor(extract(epoch FROM buyers.second_at - buyers.first_at))::bigint
           END AS seconds_to_second,
           {_BOUGHT}
    FROM wanted
    LEFT JOIN buyers ON buyers.member_id = wanted.member_id
    LEFT JOIN loyalty_membership membership ON membership.member_id = wanted.member_id
    LEFT JOIN loyalty_tier tier ON tier.id = membership.tier_id
)
"""
"""The roll-up of the members in `%(members)s`, from the facts."""

MEMBER_COLUMNS = [
    *["member_id", "store_id", "joined_on", "channel_id", "link_id", "lot", "first_order_id"],
    *["first_on", "repeated_7", "repeated_30", "repeated_90", "is_long_term", "friends"],
    *["seconds_to_join", "seconds_to_first", "seconds_to_second", *WORTH],
]

_MEMBERS_SQL = f"""
WITH {STANDING_SQL}
INSERT INTO storefront_memberrollup ({", ".join(MEMBER_COLUMNS)})
SELECT {", ".join(MEMBER_COLUMNS)} FROM standing
ON CONFLICT (member_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in MEMBER_COLUMNS[1:])}
RETURNING member_id, store_id, joined_on, channel_id, link_id, first_order_id
"""
