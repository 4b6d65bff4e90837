"""What channels cost and brought, per day, week or month: the numbers that budgets are made of.

docs/metrics.md, “Economics”, says what each number means. Reads roll-ups, writes nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from shop.storefront.reports import newcomers, rows, spending, visitors
from shop.storefront.reports.dimensions import BUCKET, KEYS, NAMED
from shop.storefront.reports.ratios import per_person, rate
from shop.storefront.reports.scopes import Scope
from shop.storefront.reports.spending import Place, place
from shop.storefront.rollups.people import REPEAT_DAYS

TOTAL = "total"
PER_MILLE = 1000
SALES = ["orders", "new_buyers", "revenue_cents", "margin_cents", "discount_cents"]
PEOPLE = ["joined", "first_order", "buyers_margin_cents"]
COUNTS = [
    *[*spending.COLUMNS, "reached", "clicked", *SALES, *PEOPLE],
    *[f"{what}_{days}" for days in REPEAT_DAYS for what in ("ripe", "repeated")],
]


@dataclass(frozen=True, kw_only=True, slots=True)
class EconomicsRow:
    """One channel (link, campaign, phase, store, city) in one period.

    Sales are those credited to it that were paid in the period, less refunds given in the period;
    `new_buyers` began with one of them. `ltv_cents`, `payback_days` and `repeat_` are of the
    members who joined in the period, until now. Quotients are None where nothing can be divided by.
    `next_cac_cents` is the CAC of the same key in the period after.
    """

    starts_on: date | None
    key: str | None
    cost_cents: int
    non_cash_cents: int
    impressions: int
    platform_clicks: int
    reached_estimated: int
    reached: int
    clicked: int
    joined: int
    new_buyers: int
    orders: int
    revenue_cents: int
    margin_cents: int
    discount_cents: int
    cpm_cents: int | None
    cpc_cents: int | None
    ctr: float | None
    cvr: float | None
    cac_cents: int | None
    roas: float | None
    roi: float | None
    gross_margin: float | None
    ltv_cents: int | None
    payback_days: int | None
    repeat_7: float | None
    repeat_30: float | None
    repeat_90: float | None
    next_cac_cents: int | None


def build(scope: Scope) -> list[EconomicsRow]:
    """Return the total, then a row per period and key: oldest period first, dearest key first.

    Raises:
        KeyError: there is nothing of that name to tell by.
    """
    people = newcomers.build(scope)
    found = _together(spending.build(scope), visitors.build(scope), people, sold(scope))
    costs = {where: cost_of(row) for where, row in found.items()}
    paid_back = newcomers.paybacks(scope, costs, people)
    total = {name: sum(row[name] for row in found.values()) for name in COUNTS}
    following = dict(_following(found))
    return [
        _row((TOTAL, None), total, paid_back[None], None),
        *(
            _row(where, row, paid_back[where], following.get(where))
            for where, row in sorted(found.items(), key=_order)
        ),
    ]


def cost_of(counts: Mapping[str, int]) -> int:
    """Return what was given for people: money, and what was delivered instead of it."""
    return counts["cost_cents"] + counts["non_cash_cents"]


def _order(at: tuple[Place, Mapping[str, int]]) -> tuple[Any, ...]:
    (key, starts_on), row = at
    return (starts_on or date.min, -cost_of(row), -row["revenue_cents"], key)


def _following(found: Mapping[Place, Mapping[str, int]]) -> Iterator[tuple[Place, int | None]]:
    """Yield the CAC of the next period in which the same key is found."""
    later: dict[str, int | None] = {}
    for (key, starts_on), row in sorted(found.items(), key=_order, reverse=True):
        if key in later:
            yield (key, starts_on), later[key]
        later[key] = per_person(cost_of(row), row["new_buyers"])


def sold(scope: Scope) -> dict[Place, dict[str, int]]:
    """Return what was sold, by the place that has the credit for it."""
    sql = _SALES_SQL.format(
        key=KEYS[scope.by],
        named=NAMED.format(row="row"),
        bucket=BUCKET[scope.every].format(day="row.business_date"),
    )
    return {place(row): row for row in rows.select(sql, scope.values())}


def _together(*parts: Mapping[Place, Mapping[str, Any]]) -> dict[Place, dict[str, int]]:
    """Return all counts by place. Sales have their own margin: later parts win."""
    merged: dict[Place, dict[str, int]] = {}
    for part in parts:
        for where, row in part.items():
            counts = merged.setdefault(where, dict.fromkeys(COUNTS, 0))
            own = COUNTS if part is parts[-1] else [name for name in COUNTS if name not in SALES]
            counts.update({name: row[name] for name in own if name in row})
    return merged


def _row(
    where: Place, counts: Mapping[str, int], payback_days: int | None, next_cac: int | None
) -> EconomicsRow:
    key, starts_on = where
    cost, revenue, margin = cost_of(counts), counts["revenue_cents"], counts["margin_cents"]
    buyers = counts["first_order"]
    shown: dict[str, Any] = {
        name: counts[name] for name in COUNTS if name in EconomicsRow.__slots__
    }
    shown |= {
        f"repeat_{d}": rate(counts[f"repeated_{d}"], counts[f"ripe_{d}"]) for d in REPEAT_DAYS
    }
    return EconomicsRow(
        starts_on=starts_on,
        key=key or None,
        **shown,
        cpm_cents=per_person(cost * PER_MILLE, counts["impressions"]),
        cpc_cents=per_person(cost, counts["platform_clicks"]),
        ctr=rate(counts["platform_clicks"], counts["impressions"]),
        cvr=rate(counts["new_buyers"], counts["clicked"]),
        cac_cents=per_person(cost, counts["new_buyers"]),
        roas=rate(revenue, cost),
        roi=rate(margin - cost, cost),
        gross_margin=rate(margin, revenue),
        ltv_cents=counts["buyers_margin_cents"] // buyers if buyers else None,
        payback_days=payback_days,
        next_cac_cents=next_cac,
    )


_OF_MONTHS = "row.business_date >= %(months_since)s AND row.business_date < %(months_until)s"

_SALES_SQL = f"""
SELECT {{key}} AS key, {{bucket}} AS starts_on, sum(row.orders)::bigint AS orders,
       sum(row.first_orders)::bigint AS new_buyers,
       sum(row.paid_cents - row.refunded_cents)::bigint AS revenue_cents,
       sum(row.paid_cents - row.refunded_cents - row.cost_cents + row.returned_cost_cents)::bigint
           AS margin_cents,
       sum(row.discount_cents)::bigint AS discount_cents
FROM (
    SELECT * FROM storefront_salesmonth row WHERE {_OF_MONTHS}
    UNION ALL
    SELECT * FROM storefront_salesday row
    WHERE row.business_date >= %(since)s AND row.business_date < %(until)s
      AND NOT ({_OF_MONTHS})
) row
{{named}}
WHERE row.store_id = ANY(%(stores)s)
GROUP BY 1, 2
"""
