"""What became of those who joined in a period, from roll-ups. Reads, writes nothing."""

from collections.abc import Mapping

from shop.storefront.reports import rows
from shop.storefront.reports.dimensions import BUCKET, KEYS, NAMED
from shop.storefront.reports.scopes import Scope
from shop.storefront.reports.spending import Place, place
from shop.storefront.rollups.people import LOTS, MARGIN_DAYS, REPEAT_DAYS

ENOUGH = 10_000
"""Of more people than this, medians are those of a sample of about so many."""
FOREVER = 100_000
"""More days than anybody has been a member."""
MARGINS = [f"margin_{days}_cents" for days in MARGIN_DAYS]
COLUMNS = [
    *["joined", "met", "first_order", "second_order", "long_term", "referrer", "friends", "orders"],
    *["revenue_cents", "margin_cents", "buyers_margin_cents", *MARGINS],
    *[f"{what}_{days}" for days in REPEAT_DAYS for what in ("ripe", "repeated")],
    *["seconds_to_join", "seconds_to_first", "seconds_to_second"],
]


def build(scope: Scope) -> dict[Place, dict[str, int]]:
    """Return people and money by place, until now.

    A buyer is ripe after so many whole business days: who could not have come again yet is neither
    among the `repeated_` nor among the `ripe_`.
    """
    sql = _PEOPLE_SQL.format(
        key=KEYS[scope.by],
        named=NAMED.format(row="added"),
        bucket=BUCKET[scope.every].format(day="row.joined_on"),
    )
    return {place(row): row for row in rows.select(sql, scope.values())}


def medians(scope: Scope, *, joined: int) -> dict[str | None, dict[str, float | None]]:
    """Return the median seconds to joining, to the first and second order by key; None: of all.

    Of more than `ENOUGH` people a sample is asked, the same one each time.
    """
    lots = LOTS if joined <= ENOUGH else max(1, LOTS * ENOUGH // joined)
    sql = _MEDIANS_SQL.format(key=KEYS[scope.by], named=NAMED.format(row="member"))
    found = rows.select(sql, {**scope.values(), "lots": lots})
    return {row.pop("key"): row for row in found}


def paybacks(
    scope: Scope, costs: Mapping[Place, int], people: Mapping[Place, Mapping[str, int]]
) -> dict[Place | None, int | None]:
    """Return after how many days the margin of a place covered its cost; None: it has not.

    The place None is all together. What cost nothing is paid back on day 0.
    """
    margins = {where: _margins(row) for where, row in people.items()}
    total = {days: sum(row[days] for row in margins.values()) for days in [*MARGIN_DAYS, FOREVER]}
    asked: dict[Place | None, tuple[int, Mapping[int, int]]] = {
        where: (cost, margins.get(where, {})) for where, cost in costs.items()
    }
    asked[None] = (sum(costs.values()), total)
    horizons = {where: _horizon(cost, known) for where, (cost, known) in asked.items()}
    by_age = _by_age(scope, horizons)
    return {
        where: 0 if cost <= 0 else _day(cost, by_age.get(where, {})) if horizons[where] else None
        for where, (cost, _known) in asked.items()
    }


def payback(cost_cents: int, margins: Mapping[int, int]) -> int | None:
    """Return after how many days the margin covers the cost; None if it does not by the last.

    `margins` are by the day since a member joined, day 0 first. What cost nothing is paid back at
    once.

    >>> payback(1000, {0: 400, 2: 300, 9: 300}), payback(1000, {0: 999}), payback(0, {})
    (9, None, 0)
    """
    if cost_cents <= 0:
        return 0
    return _day(cost_cents, margins) if sum(margins.values()) >= cost_cents else None


def _day(cost_cents: int, margins: Mapping[int, int]) -> int | None:
    covered = 0
    for day, margin in sorted(margins.items()):
        covered += margin
        if covered >= cost_cents:
            return max(day, 0)
    return None


def _margins(row: Mapping[str, int]) -> dict[int, int]:
    kept = {days: row[f"margin_{days}_cents"] for days in MARGIN_DAYS}
    return kept | {FOREVER: row["margin_cents"]}


def _horizon(cost_cents: int, margins: Mapping[int, int]) -> int | None:
    """Return a day by which the cost was certainly covered; None if it is not now."""
    if cost_cents <= 0 or margins.get(FOREVER, 0) < cost_cents:
        return None
    return next(days for days, margin in sorted(margins.items()) if margin >= cost_cents)


def _by_age(
    scope: Scope, horizons: Mapping[Place | None, int | None]
) -> dict[Place | None, dict[int, int]]:
    """Return margins by day since joining, of each place up to the day it asks for."""
    of_all = horizons[None] or 0
    asked = {
        where: longest
        for where, horizon in horizons.items()
        if where is not None and (longest := max(horizon or 0, of_all))
    }
    found: dict[Place | None, dict[int, int]] = {None: {}}
    if not asked:
        return found
    places = list(asked)
    sql = _AGES_SQL.format(
        key=KEYS[scope.by],
        named=NAMED.format(row="origin"),
        bucket=BUCKET[scope.every].format(day="row.joined_on"),
    )
    values = {
        **scope.values(),
        "keys": [key for key, _starts_on in places],
        "starts": [starts_on for _key, starts_on in places],
        "horizons": list(asked.values()),
        "longest": max(asked.values()),
    }
    for row in rows.select(sql, values):
        for where in (places[row["place"] - 1], None):
            ages = found.setdefault(where, {})
            ages[row["age"]] = ages.get(row["age"], 0) + row["margin_cents"]
    return found


_SUMMED = {
    "joined": "joined",
    "met": "met",
    "second_order": "repeated_30",
    "long_term": "long_term",
    "referrer": "referrers",
    "friends": "friends",
    "orders": "orders",
    "revenue_cents": "revenue_cents",
    "margin_cents": "margin_cents",
    **{name: name for name in MARGINS},
    "seconds_to_join": "seconds_to_join",
    "seconds_to_first": "seconds_to_first",
    "seconds_to_second": "seconds_to_second",
}
"""What is only a sum."""
_OF_BUYERS = {"second_order", "long_term", "referrer", "seconds_to_first", "seconds_to_second"}
_IS_BUYER = "row.first_on < %(first_until)s"


def _if_buyer(column: str) -> str:
    return f"CASE WHEN {_IS_BUYER} THEN row.{column} ELSE 0 END"


_MONTH_PART = ", ".join(
    [
        *(f"row.{column} AS {name}" for name, column in _SUMMED.items()),
        "row.buyers AS first_order, row.margin_cents AS buyers_margin_cents",
        *(f"row.buyers AS ripe_{d}, row.repeated_{d} AS repeated_{d}" for d in REPEAT_DAYS),
    ]
)
_DAY_PART = ", ".join(
    [
        *(_if_buyer(c) if name in _OF_BUYERS else f"row.{c}" for name, c in _SUMMED.items()),
        *[_if_buyer("joined"), _if_buyer("margin_cents")],
        *(f"{_if_buyer('joined')}, {_if_buyer(f'repeated_{d}')}" for d in REPEAT_DAYS),
    ]
)
_UNRIPE_PART = ", ".join(
    [
        *["0"] * (len(_SUMMED) + 2),
        *(
            f"CASE WHEN row.first_on >= %(today)s::date - {days} THEN -row.{column} ELSE 0 END"
            for days in REPEAT_DAYS
            for column in ("joined", f"repeated_{days}")
        ),
    ]
)
_SUMS = ", ".join(f"sum(row.{name}) AS {name}" for name in COLUMNS)
_NAMED_SUMS = ", ".join(f"COALESCE(sum(added.{name}), 0)::bigint AS {name}" for name in COLUMNS)
_OF_PERIOD = """
row.joined_on >= %(since)s AND row.joined_on < %(until)s AND row.store_id = ANY(%(stores)s)
"""
_OF_MONTHS = """
row.joined_on >= %(months_since)s AND row.joined_on < %(months_until)s
"""

# Whole months from sums of months, the days before and after from those of days; and whoever bought
# first so lately that they could not have come again yet is taken off. Added up by ids first:
# names are looked up for few rows only.
_PEOPLE_SQL = f"""
WITH row AS (
    SELECT row.joined_on, row.store_id, row.channel_id, row.link_id, {_MONTH_PART}
    FROM storefront_cohortmonth row
    WHERE {_OF_MONTHS} AND row.store_id = ANY(%(stores)s)
    UNION ALL
    SELECT row.joined_on, row.store_id, row.channel_id, row.link_id, {_DAY_PART}
    FROM storefront_cohort row
    WHERE {_OF_PERIOD} AND NOT ({_OF_MONTHS})
    UNION ALL
    SELECT row.joined_on, row.store_id, row.channel_id, row.link_id, {_UNRIPE_PART}
    FROM storefront_cohort row
    WHERE {_OF_PERIOD} AND {_IS_BUYER} AND row.first_on >= %(today)s::date - {max(REPEAT_DAYS)}
),
added AS (
    SELECT {{bucket}} AS starts_on, row.store_id, row.channel_id, row.link_id, {_SUMS}
    FROM row
    GROUP BY 1, 2, 3, 4
)
SELECT {{key}} AS key, added.starts_on, {_NAMED_SUMS}
FROM added {{named}}
GROUP BY 1, 2
"""

# Each origin is asked only for the days that its key and period need. What is told of the whole
# period stands at minus infinity: a day like others, by which rows can be joined.
_AGES_SQL = """
WITH asked AS (
    SELECT key, COALESCE(starts_on, '-infinity') AS starts_on, horizon, place
    FROM unnest(%(keys)s::text[], %(starts)s::date[], %(horizons)s::int[])
         WITH ORDINALITY AS asked (key, starts_on, horizon, place)
),
origin AS (
    SELECT DISTINCT row.store_id, row.channel_id, row.link_id FROM storefront_cohortmonth row
    WHERE row.joined_on >= date_trunc('month', %(since)s::timestamp)::date
      AND row.joined_on < %(until)s AND row.store_id = ANY(%(stores)s)
),
wanted AS MATERIALIZED (
    SELECT asked.*, origin.* FROM origin {named} JOIN asked ON asked.key = {key}
),
month AS MATERIALIZED (
    SELECT row.joined_on, COALESCE({bucket}, '-infinity') AS starts_on
    FROM (SELECT at::date AS joined_on FROM generate_series(
              %(months_since)s::date, %(months_until)s::date - 1, interval '1 month') at) row
),
days AS MATERIALIZED (
    SELECT row.*, COALESCE({bucket}, '-infinity') AS starts_on
    FROM generate_series(%(since)s::date, %(until)s::date - 1, interval '1 day') AS day (at)
    CROSS JOIN LATERAL (
        SELECT cell.joined_on, cell.store_id, cell.channel_id, cell.link_id, cell.age,
               cell.margin_cents
        FROM storefront_cohortday cell
        WHERE cell.joined_on = day.at::date
          AND cell.business_date <= day.at::date + %(longest)s::int
          AND cell.store_id = ANY(%(stores)s)
        OFFSET 0
    ) row
    WHERE NOT (day.at >= %(months_since)s::date AND day.at < %(months_until)s::date)
),
earned AS (
    SELECT wanted.place, ages.age, ages.margin_cents
    FROM month JOIN wanted USING (starts_on)
    CROSS JOIN LATERAL (
        SELECT cell.age, cell.margin_cents FROM storefront_cohortage cell
        WHERE cell.joined_on = month.joined_on AND cell.store_id = wanted.store_id
          AND cell.channel_id = wanted.channel_id AND cell.link_id = wanted.link_id
          AND cell.age <= wanted.horizon
        OFFSET 0
    ) ages
    UNION ALL
    SELECT wanted.place, days.age, days.margin_cents
    FROM days JOIN wanted USING (store_id, channel_id, link_id, starts_on)
    WHERE days.age <= wanted.horizon
)
SELECT place, age, sum(margin_cents)::bigint AS margin_cents FROM earned GROUP BY 1, 2
"""

_MEDIANS_SQL = """
SELECT {key} AS key,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY member.seconds_to_join))::float8
           AS seconds_to_join,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY member.seconds_to_first)
           FILTER (WHERE member.first_on < %(first_until)s))::float8 AS seconds_to_first,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY member.seconds_to_second)
           FILTER (WHERE member.first_on < %(first_until)s))::float8 AS seconds_to_second
FROM storefront_memberrollup member
{named}
WHERE member.joined_on >= %(since)s AND member.joined_on < %(until)s
  AND member.store_id = ANY(%(stores)s) AND member.lot < %(lots)s
GROUP BY GROUPING SETS ((1), ())
"""
