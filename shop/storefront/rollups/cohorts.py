"""Roll-ups of members who began alike: by day and month of joining, and by day since.

The sums of months are never added up anew from the days: what a day loses is taken off, what it
gets is added, in the same transaction.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from shop.storefront.models import NEVER
from shop.storefront.rollups.people import GOODS, REPEAT_DAYS, WORTH, Origin
from shop.storefront.rollups.rows import add_to, columns, given, month_of, taken


def renew(origins: Collection[Origin]) -> None:
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


def renew_months() -> None:
    """Add up anew all months from their days."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storefront_cohortmonth")
        cursor.execute(_MONTHS_SQL)
        cursor.execute("DELETE FROM storefront_cohortage")
        cursor.execute(_AGES_SQL)


def _by_column(origins: Collection[Origin]) -> dict[str, list[Any]]:
    return {
        "stores": [origin.store_id for origin in origins],
        "joined": [origin.joined_on for origin in origins],
        "channels": [origin.channel_id for origin in origins],
        "links": [origin.link_id for origin in origins],
    }


_COHORT_KEYS = """
unnest(%(stores)s::bigint[], %(joined)s::date[], %(channels)s::bigint[], %(links)s::bigint[])
    AS key (store_id, joined_on, channel_id, link_id)
"""
_SAME_KEY = """
row.joined_on = key.joined_on AND row.store_id = key.store_id
AND row.channel_id = key.channel_id AND row.link_id = key.link_id
"""

COHORT_SUMS = f"""
    count(*) AS joined,
    count(row.seconds_to_join) AS met,
    {", ".join(f"count(*) FILTER (WHERE row.repeated_{d}) AS repeated_{d}" for d in REPEAT_DAYS)},
    count(*) FILTER (WHERE row.is_long_term) AS long_term,
    count(*) FILTER (WHERE row.first_order_id <> 0 AND row.friends > 0) AS referrers,
    sum(row.friends)::bigint AS friends,
    COALESCE(sum(row.seconds_to_join), 0)::bigint AS seconds_to_join,
    COALESCE(sum(row.seconds_to_first), 0)::bigint AS seconds_to_first,
    COALESCE(sum(row.seconds_to_second), 0)::bigint AS seconds_to_second,
    {", ".join(f"sum(row.{name})::bigint AS {name}" for name in WORTH)}
"""
"""What a cohort is of its members' rows."""
COHORT_COLUMNS = [
    *["joined", "met", *(f"repeated_{d}" for d in REPEAT_DAYS), "long_term", "referrers"],
    *["friends", "seconds_to_join", "seconds_to_first", "seconds_to_second", *WORTH],
]
IS_BUYER = f"row.first_on < '{NEVER}'::date"

_MONTH = {
    "joined_on": month_of("row.joined_on"),
    "store_id": "row.store_id",
    "channel_id": "row.channel_id",
    "link_id": "row.link_id",
}
_BUYERS = f"CASE WHEN {IS_BUYER} THEN row.joined ELSE 0 END"


def _to_months(source: str, *, is_taken: bool) -> str:
    sums = (taken if is_taken else given)(COHORT_COLUMNS)
    buyers = f"-({_BUYERS})" if is_taken else _BUYERS
    return add_to(
        "storefront_cohortmonth", keys=_MONTH, sums=sums | {"buyers": buyers}, source=source
    )


def _to_ages(source: str, *, is_taken: bool) -> str:
    return add_to(
        "storefront_cohortage",
        keys=_MONTH | {"age": "row.age"},
        sums=(taken if is_taken else given)(["margin_cents"]),
        source=source,
    )


_FORGET_COHORTS_SQL = f"""
WITH gone AS (
    DELETE FROM storefront_cohort row USING {_COHORT_KEYS} WHERE {_SAME_KEY} RETURNING row.*
)
{_to_months("gone row", is_taken=True)}
"""

_COHORTS_SQL = f"""
WITH made AS (
    INSERT INTO storefront_cohort
           (store_id, joined_on, channel_id, link_id, first_on, {", ".join(COHORT_COLUMNS)})
    SELECT row.store_id, row.joined_on, row.channel_id, row.link_id, row.first_on, {COHORT_SUMS}
    FROM {_COHORT_KEYS} JOIN storefront_memberrollup row ON {_SAME_KEY}
    GROUP BY row.store_id, row.joined_on, row.channel_id, row.link_id, row.first_on
    RETURNING *
)
{_to_months("made row", is_taken=False)}
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
WITH gone AS (
    DELETE FROM storefront_cohortday row USING {_CELL_KEYS}
    WHERE {_SAME_KEY} AND row.business_date = key.business_date
    RETURNING row.*
)
{_to_ages("gone row", is_taken=True)}
"""

_DAYS_SQL = f"""
WITH made AS (
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
    RETURNING *
)
{_to_ages("made row", is_taken=False)}
"""

_MONTHS_SQL = _to_months("storefront_cohort row", is_taken=False)
_AGES_SQL = _to_ages("storefront_cohortday row", is_taken=False)
