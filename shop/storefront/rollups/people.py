"""Roll-ups of members: each by themselves, by cohort, and by cohort and day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from shop.storefront.models import NEVER
from shop.storefront.rollups.rows import columns

LOTS = 100
LONG_TERM_ORDERS = 4
MARGIN_DAYS = (7, 30, 90, 180, 365)
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


def renew_cohorts(origins: Collection[Origin]) -> None:
    """Add up anew the members of these cohorts."""
    values = _by_column(origins)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_COHORTS_SQL, values)
        cursor.execute(_COHORTS_SQL, values)


def renew_days(pairs: Collection[tuple[int, Origin]], *, order_ids: Sequence[int] | None) -> None:
    """Add up anew, by day, what cohorts bought on the days of these members' orders.

    `pairs` are members with a cohort they are or were in; `order_ids` restricts the days to those
    of these orders, None stands for all of a member's.
    """
    values: dict[str, Any] = {
        **_by_column([origin for _member, origin in pairs]),
        "members": [member for member, _origin in pairs],
        "orders": order_ids,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CELLS_SQL, values)
        cells = columns(cursor.fetchall(), ["stores", "joined", "channels", "links", "days"])
        cursor.execute(_FORGET_DAYS_SQL, cells)
        cursor.execute(_DAYS_SQL, cells)


def _origin(row: Sequence[Any]) -> Origin:
    return Origin(store_id=row[0], joined_on=row[1], channel_id=row[2], link_id=row[3])


def _by_column(origins: Collection[Origin]) -> dict[str, list[Any]]:
    return {
        "stores": [origin.store_id for origin in origins],
        "joined": [origin.joined_on for origin in origins],
        "channels": [origin.channel_id for origin in origins],
        "links": [origin.link_id for origin in origins],
    }


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
           acquisition.channel_id, COALESCE(acquisition.last_link_id, 0) AS link_id
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
    *["seconds_to_first", "seconds_to_second", *WORTH],
]

_MEMBERS_SQL = f"""
WITH {STANDING_SQL}
INSERT INTO storefront_memberrollup ({", ".join(MEMBER_COLUMNS)})
SELECT {", ".join(MEMBER_COLUMNS)} FROM standing
ON CONFLICT (member_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in MEMBER_COLUMNS[1:])}
RETURNING member_id, store_id, joined_on, channel_id, link_id, first_order_id
"""

_COHORT_KEYS = """
unnest(%(stores)s::bigint[], %(joined)s::date[], %(channels)s::bigint[], %(links)s::bigint[])
    AS key (store_id, joined_on, channel_id, link_id)
"""
_SAME_KEY = """
row.joined_on = key.joined_on AND row.store_id = key.store_id
AND row.channel_id = key.channel_id AND row.link_id = key.link_id
"""
_FORGET_COHORTS_SQL = f"DELETE FROM storefront_cohort row USING {_COHORT_KEYS} WHERE {_SAME_KEY}"

COHORT_SUMS = f"""
    count(*) AS joined,
    {", ".join(f"count(*) FILTER (WHERE row.repeated_{d}) AS repeated_{d}" for d in REPEAT_DAYS)},
    count(*) FILTER (WHERE row.is_long_term) AS long_term,
    count(*) FILTER (WHERE row.first_order_id <> 0 AND row.friends > 0) AS referrers,
    sum(row.friends)::bigint AS friends,
    COALESCE(sum(row.seconds_to_first), 0)::bigint AS seconds_to_first,
    COALESCE(sum(row.seconds_to_second), 0)::bigint AS seconds_to_second,
    {", ".join(f"sum(row.{name})::bigint AS {name}" for name in WORTH)}
"""
"""What a cohort is of its members' rows."""
COHORT_COLUMNS = [
    *["joined", *(f"repeated_{d}" for d in REPEAT_DAYS), "long_term", "referrers", "friends"],
    *["seconds_to_first", "seconds_to_second", *WORTH],
]

_COHORTS_SQL = f"""
INSERT INTO storefront_cohort
       (store_id, joined_on, channel_id, link_id, first_on, {", ".join(COHORT_COLUMNS)})
SELECT row.store_id, row.joined_on, row.channel_id, row.link_id, row.first_on, {COHORT_SUMS}
FROM {_COHORT_KEYS} JOIN storefront_memberrollup row ON {_SAME_KEY}
GROUP BY row.store_id, row.joined_on, row.channel_id, row.link_id, row.first_on
"""

# The orders of a merged member went over to the other; their days are those to look at.
_CELLS_SQL = """
SELECT DISTINCT pair.store_id, pair.joined_on, pair.channel_id, pair.link_id, orders.business_date
FROM unnest(%(members)s::bigint[], %(stores)s::bigint[], %(joined)s::date[], %(channels)s::bigint[],
            %(links)s::bigint[]) AS pair (member_id, store_id, joined_on, channel_id, link_id)
JOIN shop_member member ON member.id = pair.member_id
JOIN shop_order orders ON orders.member_id = COALESCE(member.merged_into_id, member.id)
WHERE orders.paid_at IS NOT NULL
  AND (%(orders)s::bigint[] IS NULL OR orders.id = ANY(%(orders)s::bigint[]))
"""
_CELL_KEYS = """
unnest(%(stores)s::bigint[], %(joined)s::date[], %(channels)s::bigint[], %(links)s::bigint[],
       %(days)s::date[]) AS key (store_id, joined_on, channel_id, link_id, business_date)
"""
_FORGET_DAYS_SQL = f"""
DELETE FROM storefront_cohortday row USING {_CELL_KEYS}
WHERE {_SAME_KEY} AND row.business_date = key.business_date
"""

_DAYS_SQL = f"""
INSERT INTO storefront_cohortday
       (store_id, joined_on, channel_id, link_id, business_date, age, orders, revenue_cents,
        margin_cents)
SELECT key.store_id, key.joined_on, key.channel_id, key.link_id, key.business_date,
       key.business_date - key.joined_on, count(*),
       sum(orders.paid_cents - orders.refunded_cents),
       sum(orders.paid_cents - orders.refunded_cents - goods.cost_cents)
FROM {_CELL_KEYS}
JOIN storefront_memberrollup row ON {_SAME_KEY}
JOIN shop_order orders ON orders.member_id = row.member_id
     AND orders.business_date = key.business_date
CROSS JOIN LATERAL ({GOODS}) goods
WHERE orders.paid_at IS NOT NULL AND orders.status <> 'refunded'
GROUP BY key.store_id, key.joined_on, key.channel_id, key.link_id, key.business_date
"""
