"""The loop: what was spent on people, who came, stayed, whom they brought, when it paid back.

docs/metrics.md, “The loop”, says what each number means. Reads roll-ups, writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shop.storefront.reports import newcomers, spending, visitors
from shop.storefront.reports.ratios import per_person, rate
from shop.storefront.reports.scopes import Scope
from shop.storefront.reports.spending import Place
from shop.storefront.rollups.people import REPEAT_DAYS

TOTAL = "total"
PER_MILLE = 1000
SECONDS_PER_HOUR = 3600
COUNTS = [*spending.COLUMNS, "reached", "clicked", *newcomers.COLUMNS]
SHOWN = [
    name
    for name in COUNTS
    if name
    in {
        *spending.COLUMNS,
        "reached",
        "clicked",
        "joined",
        "first_order",
        "second_order",
        "long_term",
        "referrer",
        "friends",
        "orders",
        "revenue_cents",
        "margin_cents",
    }
]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopRow:
    """One channel (link, campaign, phase, store, city) of the period's newcomers, until now.

    People: each is in exactly one row, and each stage from `joined` on is a part of the one before,
    but for `referrer`. Money is in fen, net of refunds; margin is less the cost of goods too.
    Quotients are None where nothing can be divided by. `hours_` are medians, `mean_hours_` means.
    `payback_days`: after so many days of membership the margin had covered the cost; None: not yet.
    """

    key: str | None
    cost_cents: int
    non_cash_cents: int
    impressions: int
    platform_clicks: int
    reached_estimated: int
    reached: int
    clicked: int
    joined: int
    first_order: int
    second_order: int
    long_term: int
    referrer: int
    friends: int
    orders: int
    revenue_cents: int
    margin_cents: int
    cpm_cents: int | None
    cpc_cents: int | None
    ctr: float | None
    click_to_join: float | None
    click_to_buy: float | None
    cac_cents: int | None
    roas: float | None
    roi: float | None
    ltv_cents: int | None
    payback_days: int | None
    repeat_7: float | None
    repeat_30: float | None
    repeat_90: float | None
    hours_to_join: float | None
    hours_to_first: float | None
    hours_to_second: float | None
    mean_hours_to_join: float | None
    mean_hours_to_first: float | None
    mean_hours_to_second: float | None


def build(scope: Scope) -> list[LoopRow]:
    """Return the total and then a row per key, most expensive first.

    Followed are the members who joined at these stores on the business days of the scope, with all
    that they did anywhere until now; counted is what the stores' links cost on these days and whom
    they met. Links of no store count for the whole chain only.

    Raises:
        KeyError: there is nothing of that name to tell by.
    """
    spent, met, people = spending.build(scope), visitors.build(scope), newcomers.build(scope)
    found = _together(spent, met, people)
    paid_back = newcomers.paybacks(
        scope, {place: _cost(row) for place, row in found.items()}, people
    )
    total = {name: sum(row[name] for row in found.values()) for name in COUNTS}
    gaps = newcomers.medians(scope, joined=total["joined"])
    ordered = sorted(
        found.items(), key=lambda at: (-_cost(at[1]), -at[1]["revenue_cents"], at[0][0])
    )
    return [
        _row(TOTAL, total, _hours(total, gaps.get(None, {})), paid_back[None]),
        *(
            _row(key or None, row, _hours(row, gaps.get(key, {})), paid_back[key, None])
            for (key, _whole), row in ordered
        ),
    ]


def _together(*parts: Mapping[Place, Mapping[str, Any]]) -> dict[Place, dict[str, int]]:
    places = {place for part in parts for place in part}
    return {
        place: {
            name: next((part[place][name] for part in parts if name in part.get(place, {})), 0)
            for name in COUNTS
        }
        for place in places
    }


def _cost(counts: Mapping[str, int]) -> int:
    return counts["cost_cents"] + counts["non_cash_cents"]


def _row(
    key: str | None,
    counts: Mapping[str, int],
    hours: Mapping[str, float | None],
    payback_days: int | None,
) -> LoopRow:
    cost, margin = _cost(counts), counts["margin_cents"]
    buyers = counts["first_order"]
    shown: dict[str, Any] = {name: counts[name] for name in SHOWN}
    shown |= hours
    shown |= {
        f"repeat_{d}": rate(counts[f"repeated_{d}"], counts[f"ripe_{d}"]) for d in REPEAT_DAYS
    }
    return LoopRow(
        key=key,
        **shown,
        cpm_cents=per_person(cost * PER_MILLE, counts["impressions"]),
        cpc_cents=per_person(cost, counts["clicked"]),
        ctr=rate(counts["platform_clicks"], counts["impressions"]),
        click_to_join=rate(counts["joined"], counts["clicked"]),
        click_to_buy=rate(buyers, counts["clicked"]),
        cac_cents=per_person(cost, buyers),
        roas=rate(counts["revenue_cents"], cost),
        roi=rate(margin - cost, cost),
        ltv_cents=counts["buyers_margin_cents"] // buyers if buyers else None,
        payback_days=payback_days,
    )


def _hours(counts: Mapping[str, int], gaps: Mapping[str, float | None]) -> dict[str, float | None]:
    return {
        "hours_to_join": _as_hours(gaps.get("seconds_to_join")),
        "hours_to_first": _as_hours(gaps.get("seconds_to_first")),
        "hours_to_second": _as_hours(gaps.get("seconds_to_second")),
        "mean_hours_to_join": _mean(counts["seconds_to_join"], counts["met"]),
        "mean_hours_to_first": _mean(counts["seconds_to_first"], counts["first_order"]),
        "mean_hours_to_second": _mean(counts["seconds_to_second"], counts["second_order"]),
    }


def _mean(seconds: int, people: int) -> float | None:
    return _as_hours(seconds / people) if people else None


def _as_hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / SECONDS_PER_HOUR, 1)
