"""Roll-ups of visitors: whom each link met on a business day.

A person who comes again counts once in a period, so people cannot be added up over days: whoever
met one link on one day only is a number of that day, the others stay rows of their own. Meetings
outlive the touches they were made of: what is older than the touches kept is never taken away.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from campaigns import months
from campaigns.attribution import TOUCH_KINDS
from shop.storefront.models import NEVER
from shop.storefront.rollups.rows import add_to, columns, given, month_of, taken

Cell = tuple[date, int]
"""A business day and a link."""
ALWAYS = datetime(1, 1, 2, tzinfo=UTC)
COUNTS = ["reached", "clicked"]


def renew(visitors: Collection[str]) -> tuple[set[Cell], list[int]]:
    """Make the meetings of these visitors anew.

    Return the cells that some of them were alone in, and the members that they have become.
    """
    if not visitors:
        return set(), []
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_MONTHS_SQL)
        values: dict[str, Any] = {
            "visitors": sorted(visitors),
            "kept_from": _kept_from(),
            "never": NEVER,
            "timezone": settings.TIME_ZONE,
            "touch_kinds": [str(kind) for kind in TOUCH_KINDS],
        }
        cursor.execute(_CELLS_SQL, values)
        before = set(cursor.fetchall())
        cursor.execute(_FORGET_SQL, values)
        cursor.execute(_MEET_SQL, values)
        cursor.execute(_MEMBERS_SQL, values)
        return before, [member for (member,) in cursor.fetchall()]


def visitors_of(member_ids: Sequence[int]) -> set[str]:
    """Return who these members were before they joined."""
    with connection.cursor() as cursor:
        cursor.execute(_VISITORS_SQL, {"members": list(member_ids)})
        return {visitor for (visitor,) in cursor.fetchall()}


def renew_cells(visitors: Collection[str], *, cells: Collection[Cell]) -> None:
    """Add up anew the days and links on which these visitors met us, and these cells."""
    if not visitors and not cells:
        return
    with connection.cursor() as cursor:
        cursor.execute(_CELLS_SQL, {"visitors": sorted(visitors)})
        before = set(cursor.fetchall())
        cursor.execute(_STAND_SQL, {"visitors": sorted(visitors)})
        cursor.execute(_CELLS_SQL, {"visitors": sorted(visitors)})
        changed = {*cells, *before, *cursor.fetchall()}
        values: dict[str, Any] = columns(changed, ["days", "links"])
        cursor.execute(_FORGET_CELLS_SQL, values)
        cursor.execute(_ADD_CELLS_SQL, values)


def renew_months() -> None:
    """Add up anew all months from their days."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storefront_metoncemonth")
        cursor.execute(_MONTHS_SQL)


def _kept_from() -> datetime:
    """Return since when all touches are kept."""
    return min((month.starts_at for month in months.present()), default=ALWAYS)


# A month that is being dropped waits for this, and this for it.
_KEEP_MONTHS_SQL = "LOCK TABLE campaigns_touch IN ACCESS SHARE MODE"

_CELLS_SQL = """
SELECT DISTINCT business_date, met_link_id FROM storefront_meeting
WHERE visitor_id = ANY(%(visitors)s) AND is_only
"""
_FORGET_SQL = """
DELETE FROM storefront_meeting
WHERE visitor_id = ANY(%(visitors)s) AND met_first_at >= %(kept_from)s
"""

# A link's day is its store's; a link of the whole chain has the day of the back office.
MET_ON = """
((touch.occurred_at AT TIME ZONE COALESCE(store.timezone, {timezone}))
 - COALESCE(store.day_starts_at::interval, interval '0'))::date
"""
MEETINGS_SQL = f"""
SELECT visitor_id, business_date, met_link_id, bool_or(is_clicked) AS is_clicked,
       min(occurred_at) AS met_first_at,
       COALESCE(max(occurred_at) FILTER (WHERE is_clicked), max(occurred_at)) AS met_last_at
FROM (
    SELECT touch.visitor_id, {MET_ON} AS business_date, touch.link_id AS met_link_id,
           touch.occurred_at,
           touch.kind = ANY({{touch_kinds}}) AS is_clicked
    FROM campaigns_touch touch
    JOIN campaigns_channellink link ON link.id = touch.link_id
    LEFT JOIN shop_store store ON store.id = link.store_id
    WHERE touch.quality = 'counted' AND {{which}}
) met
GROUP BY 1, 2, 3
"""
"""Whom each link met on a day, from the touches."""

_MEET_SQL = f"""
INSERT INTO storefront_meeting AS known
       (visitor_id, business_date, met_link_id, is_clicked, met_first_at, met_last_at, is_only,
        store_id, joined_on, channel_id, link_id)
SELECT met.*, false, 0, %(never)s, 0, 0
FROM ({
    MEETINGS_SQL.format(
        timezone="%(timezone)s",
        touch_kinds="%(touch_kinds)s",
        which="touch.visitor_id = ANY(%(visitors)s)",
    )
}) met
ON CONFLICT (visitor_id, business_date, met_link_id) DO UPDATE
SET is_clicked = known.is_clicked OR excluded.is_clicked,
    met_first_at = LEAST(known.met_first_at, excluded.met_first_at),
    met_last_at = CASE WHEN known.is_clicked AND NOT excluded.is_clicked THEN known.met_last_at
                       WHEN excluded.is_clicked AND NOT known.is_clicked THEN excluded.met_last_at
                       ELSE GREATEST(known.met_last_at, excluded.met_last_at) END
"""
_MEMBERS_SQL = """
SELECT member_id FROM campaigns_acquisition
WHERE visitor_id = ANY(%(visitors)s) AND visitor_id <> ''
"""
_VISITORS_SQL = """
SELECT visitor_id FROM campaigns_acquisition
WHERE member_id = ANY(%(members)s) AND visitor_id <> ''
"""

STANDING = ["is_only", "store_id", "joined_on", "channel_id", "link_id"]
STANDING_SQL = f"""
SELECT known.id, count(*) OVER (PARTITION BY known.visitor_id) = 1 AS is_only,
       COALESCE(member.store_id, 0) AS store_id,
       COALESCE(member.joined_on, '{NEVER}'::date) AS joined_on,
       COALESCE(member.channel_id, 0) AS channel_id, COALESCE(member.link_id, 0) AS link_id
FROM storefront_meeting known
LEFT JOIN LATERAL (
    SELECT member.store_id, member.joined_on, member.channel_id, member.link_id
    FROM campaigns_acquisition acquisition
    JOIN storefront_memberrollup member ON member.member_id = acquisition.member_id
    WHERE acquisition.visitor_id = known.visitor_id AND acquisition.visitor_id <> ''
    ORDER BY acquisition.acquired_at, acquisition.member_id LIMIT 1
) member ON true
"""
"""Whether a meeting is the only one of its visitor, and what became of them."""
# Made once: where the planner believes the table empty, it would make it anew for every row.
_STAND_SQL = f"""
WITH now AS MATERIALIZED ({STANDING_SQL} WHERE known.visitor_id = ANY(%(visitors)s))
UPDATE storefront_meeting meeting
SET {", ".join(f"{name} = now.{name}" for name in STANDING)}
FROM now
WHERE now.id = meeting.id AND meeting.visitor_id = ANY(%(visitors)s)
  AND ROW({", ".join(f"meeting.{name}" for name in STANDING)})
      IS DISTINCT FROM ROW({", ".join(f"now.{name}" for name in STANDING)})
"""

_KEYS = "unnest(%(days)s::date[], %(links)s::bigint[]) AS key (business_date, met_link_id)"
CELL = ["business_date", "met_link_id", "store_id", "joined_on", "channel_id", "link_id"]


def _to_months(source: str, *, is_taken: bool) -> str:
    keys = {name: f"row.{name}" for name in CELL}
    keys["business_date"] = month_of("row.business_date")
    keys["joined_on"] = (
        f"CASE WHEN row.joined_on < '{NEVER}'::date THEN {month_of('row.joined_on')}"
        " ELSE row.joined_on END"
    )
    sums = (taken if is_taken else given)(COUNTS)
    return add_to("storefront_metoncemonth", keys=keys, sums=sums, source=source)


_FORGET_CELLS_SQL = f"""
WITH gone AS (
    DELETE FROM storefront_metonceday row USING {_KEYS}
    WHERE row.business_date = key.business_date AND row.met_link_id = key.met_link_id
    RETURNING row.*
)
{_to_months("gone row", is_taken=True)}
"""

MET_ONCE_SQL = f"""
SELECT {", ".join(f"meeting.{name}" for name in CELL)},
       count(*) AS reached, count(*) FILTER (WHERE meeting.is_clicked) AS clicked
FROM {{meetings}}
WHERE meeting.is_only
GROUP BY {", ".join(f"meeting.{name}" for name in CELL)}
"""
"""Who met us once, by day and link, and where they stand if they joined."""

_ADD_CELLS_SQL = f"""
WITH made AS (
    INSERT INTO storefront_metonceday ({", ".join([*CELL, *COUNTS])})
    {
    MET_ONCE_SQL.format(
        meetings=f"{_KEYS} JOIN storefront_meeting meeting"
        " ON meeting.business_date = key.business_date AND meeting.met_link_id = key.met_link_id",
    )
}
    RETURNING *
)
{_to_months("made row", is_taken=False)}
"""
_MONTHS_SQL = _to_months("storefront_metonceday row", is_taken=False)
