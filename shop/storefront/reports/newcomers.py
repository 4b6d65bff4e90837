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
    *["joined", "first_order", "second_order", "long_term", "referrer", "friends", "orders"],
    *["revenue_cents", "margin_cents", "buyers_margin_cents", *MARGINS],
    *[f"{what}_{days}" for days in REPEAT_DAYS for what in ("ripe", "repeated")],
    *["seconds_to_first", "seconds_to_second"],
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
    """Return the median seconds to the first and second order by key; None stands for all.

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
    longest = max((days for days in horizons.values() if days is not None), default=0)
    by_age = _by_age(scope, longest) if longest else {}
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


def _by_age(scope: Scope, longest: int) -> dict[Place | None, dict[int, int]]:
    """Return margins by day since joining, up to the longest anybody asks for."""
    sql = _AGES_SQL.format(
        key=KEYS[scope.by],
        named=NAMED.format(row="added"),
        bucket=BUCKET[scope.every].format(day="row.joined_on"),
    )
    found: dict[Place | None, dict[int, int]] = {None: {}}
    for row in rows.select(sql, {**scope.values(), "longest": longest}):
        for where in (place(row), None):
            ages = found.setdefault(where, {})
            ages[row["age"]] = ages.get(row["age"], 0) + row["margin_cents"]
    return found


_IS_BUYER = "row.first_on < %(first_until)s"
_SUMMED = ", ".join(
    [
        "sum(row.joined) AS joined",
        f"sum(row.joined) FILTER (WHERE {_IS_BUYER}) AS first_order",
        f"sum(row.repeated_30) FILTER (WHERE {_IS_BUYER}) AS second_order",
        f"sum(row.long_term) FILTER (WHERE {_IS_BUYER}) AS long_term",
        f"sum(row.referrers) FILTER (WHERE {_IS_BUYER}) AS referrer",
        f"sum(row.margin_cents) FILTER (WHERE {_IS_BUYER}) AS buyers_margin_cents",
        *(
            f"sum(row.{name}) AS {name}"
            for name in ("friends", "orders", "revenue_cents", "margin_cents", *MARGINS)
        ),
        *(
            f"sum(row.{what}) FILTER (WHERE {_IS_BUYER}"
            f" AND row.first_on < %(today)s::date - {days}) AS {name}_{days}"
            for days in REPEAT_DAYS
            for name, what in (("ripe", "joined"), ("repeated", f"repeated_{days}"))
        ),
        f"sum(row.seconds_to_first) FILTER (WHERE {_IS_BUYER}) AS seconds_to_first",
        f"sum(row.seconds_to_second) FILTER (WHERE {_IS_BUYER}) AS seconds_to_second",
    ]
)
_NAMED_SUMS = ", ".join(f"COALESCE(sum(added.{name}), 0)::bigint AS {name}" for name in COLUMNS)
_OF_PERIOD = """
row.joined_on >= %(since)s AND row.joined_on < %(until)s AND row.store_id = ANY(%(stores)s)
"""

# Added up by ids first: names are looked up for few rows only.
_PEOPLE_SQL = f"""
WITH added AS (
    SELECT {{bucket}} AS starts_on, row.store_id, row.channel_id, row.link_id, {_SUMMED}
    FROM storefront_cohort row
    WHERE {_OF_PERIOD}
    GROUP BY 1, 2, 3, 4
)
SELECT {{key}} AS key, added.starts_on, {_NAMED_SUMS}
FROM added {{named}}
GROUP BY 1, 2
"""

_AGES_SQL = f"""
WITH added AS (
    SELECT {{bucket}} AS starts_on, row.store_id, row.channel_id, row.link_id, row.age,
           sum(row.margin_cents) AS margin_cents
    FROM storefront_cohortday row
    WHERE {_OF_PERIOD} AND row.age <= %(longest)s
    GROUP BY 1, 2, 3, 4, 5
)
SELECT {{key}} AS key, added.starts_on, added.age, sum(added.margin_cents)::bigint AS margin_cents
FROM added {{named}}
GROUP BY 1, 2, 3
"""

_MEDIANS_SQL = """
SELECT {key} AS key,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY member.seconds_to_first))::float8
           AS seconds_to_first,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY member.seconds_to_second))::float8
           AS seconds_to_second
FROM storefront_memberrollup member
{named}
WHERE member.joined_on >= %(since)s AND member.joined_on < %(until)s
  AND member.store_id = ANY(%(stores)s) AND member.lot < %(lots)s
  AND member.first_on < %(first_until)s
GROUP BY GROUPING SETS ((1), ())
"""
