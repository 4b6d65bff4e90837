"""The earning rules of the programme as they stand for a member, and what they gave.

The only module that writes gains. Caps over time are kept under the lock of the member's wallets:
what was given so far is read and added to while nobody else can give that member points.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import orjson
from django.db import connection

from loyalty.models import EarningGain
from loyalty.order_points import ProgrammeRule

Part = tuple[str, int]
"""A rule by its key, and the points or stamps that it gave."""

_HAD_SQL = """
(SELECT jsonb_object_agg(COALESCE(gain.day::text, ''), gain.points)
 FROM (SELECT business_date AS day, COALESCE(sum(points), 0)::bigint AS points
       FROM loyalty_earninggain
       WHERE rule_id = rule.id AND member_id = {member} AND returned_at IS NULL
       GROUP BY GROUPING SETS ((), (business_date))
       HAVING business_date IS NULL OR business_date >= %(now)s::date - 2) gain)
"""


def rules_sql(member: str) -> str:
    """Return an expression for the running rules, as JSON text, with what the member has had.

    `member` is the expression of the member's id; %(now)s is the moment.
    """
    return f"""
(SELECT jsonb_agg(to_jsonb(rule) || jsonb_build_object('had',
            CASE WHEN rule.max_points_per_day IS NOT NULL
                   OR rule.max_points_per_member IS NOT NULL
            THEN {_HAD_SQL.format(member=member)} END) ORDER BY rule.id)::text
 FROM loyalty_earningrule rule
 WHERE rule.is_active AND (rule.starts_at IS NULL OR rule.starts_at <= %(now)s)
   AND (rule.ends_at IS NULL OR rule.ends_at > %(now)s))
"""  # noqa: S608 - our own expressions


def parse(text: str | None) -> tuple[ProgrammeRule, ...]:
    """Return the rules behind what `rules_sql` found."""
    return tuple(map(ProgrammeRule.from_json, orjson.loads(text))) if text else ()


def rules_for(member_id: int, *, now: datetime) -> tuple[ProgrammeRule, ...]:
    """Return the rules that run, with what this member has had by those that are capped."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {rules_sql('%(member)s')}",
            {"member": member_id, "now": now},
        )
        (text,) = cursor.fetchone()
    return parse(text)


def needs_lock(rules: Iterable[ProgrammeRule], parts: Iterable[Part]) -> bool:
    """Tell whether what rules give depends on what the member had before."""
    given = {key for key, _points in parts}
    return any(rule.is_capped_over_time and rule.key in given for rule in rules)


def refreshed(
    rules: Sequence[ProgrammeRule], *, member_id: int, now: datetime
) -> list[ProgrammeRule]:
    """Return the same rules with what the member has had by now; the wallets are locked."""
    had = {rule.key: rule.had for rule in rules_for(member_id, now=now)}
    return [replace(rule, had=had.get(rule.key, rule.had)) for rule in rules]


def record(
    parts: Iterable[Part], *, member_id: int, source: str, business_date: date, now: datetime
) -> None:
    """Keep what each rule gave for an order or an event; once per rule and source."""
    gave = {key: points for key, points in parts if key}
    if gave:
        with connection.cursor() as cursor:
            cursor.execute(
                _RECORD_SQL,
                _record_parameters(gave)
                | {"member": member_id, "source": source, "day": business_date, "now": now},
            )


def _record_parameters(gave: dict[str, int]) -> dict[str, Any]:
    return {"codes": list(gave), "points": list(gave.values())}


_RECORD_SQL = """
INSERT INTO loyalty_earninggain (rule_id, member_id, source, points, business_date, given_at)
SELECT rule.id, %(member)s, %(source)s, given.points, %(day)s, %(now)s
FROM unnest(%(codes)s::text[], %(points)s::bigint[]) AS given (code, points)
JOIN loyalty_earningrule rule ON rule.code = given.code
"""


def release(source: str, *, now: datetime) -> None:
    """Give the room under caps back that an order took which was never paid."""
    EarningGain.objects.filter(source=source, returned_at=None).update(returned_at=now)
