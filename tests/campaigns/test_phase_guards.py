"""Limits of phases as arithmetic: reached at all of it, near from 80 %, back well below."""

import pytest

from campaigns import guards
from campaigns.guards import Limits, Spent

CPA = Limits(cpa_cents=1_000, cpa_min_joins=10)


@pytest.mark.parametrize(
    ("cost", "joined", "used"),
    [
        (9_999, 9, None),  # too few to judge, and less than ten may cost
        (10_000, 0, 1_000),  # nobody came for what ten may cost
        (10_000, 9, 111),
        (9_990, 10, 99),
        (10_000, 10, 100),
    ],
)
def test_cost_per_member_is_judged_from_a_sample_or_from_its_price(
    cost: int, joined: int, used: int | None
) -> None:
    found = guards.gauges(CPA, Spent(cost_cents=cost, joined=joined))

    assert [gauge.percent for gauge in found] == ([] if used is None else [used])


@pytest.mark.parametrize(
    ("limit", "value", "stops", "is_told", "goes_on"),
    [
        ("budget", 79, False, False, True),
        ("budget", 80, False, True, True),
        ("budget", 99, False, True, True),
        ("budget", 100, True, False, False),
        ("redemptions", 90, False, True, True),
        ("redemptions", 91, False, True, False),
        ("cpa", 90, False, True, True),
        ("cpa", 91, False, True, False),
        ("daily_budget", 101, True, False, False),
    ],
)
def test_a_limit_of_a_hundred(
    limit: str, value: int, stops: bool, is_told: bool, goes_on: bool
) -> None:
    """`goes_on`: whether a phase that this limit has paused resumes at this value by itself."""
    limits, spent = {
        "budget": (Limits(budget_cents=100), Spent(cost_cents=value)),
        "daily_budget": (Limits(daily_budget_cents=100), Spent(cost_today_cents=value)),
        "redemptions": (Limits(redemptions=100), Spent(redemptions=value)),
        "cpa": (Limits(cpa_cents=100, cpa_min_joins=1), Spent(cost_cents=value, joined=1)),
    }[limit]

    found = guards.gauges(limits, spent)

    assert (guards.reached(found) is not None) is stops
    assert bool(guards.near(found)) is is_told
    assert guards.may_go_on(limit, found) is goes_on


def test_no_budget_at_all_is_a_budget_of_nothing() -> None:
    assert guards.reached(guards.gauges(Limits(budget_cents=0), Spent())) is not None
    assert guards.gauges(Limits(), Spent(cost_cents=10**9)) == []
