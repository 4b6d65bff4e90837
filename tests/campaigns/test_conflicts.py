"""Happy hours beside each other: where they overlap, and which of them an order gets."""

from datetime import time, timedelta
from typing import Any

import pytest

from campaigns import conflicts
from campaigns.conflicts import DAY, WEEK, Outcome
from campaigns.pricing import Conditions, Hours, Offer, PercentOff, Scope, Stacking
from tests.campaigns.samples import NOON, offer


def hours(starts: int, ends: int, *days: int) -> Hours:
    return Hours(starts=time(starts), ends=time(ends), weekdays=frozenset(days))


def happy(key: str, *windows: Hours, scope: Scope | None = None, **more: Any) -> Offer:
    fields = {"stacking", "exclusive_group", "priority"} & more.keys()
    rule = {name: more.pop(name) for name in fields}
    asked = Conditions(hours=windows, **more)
    return offer(PercentOff(percent_bp=2000), key, conditions=asked, scope=scope, **rule)


def met(one: Offer, other: Offer) -> list[tuple[list[tuple[int, int]], Outcome]]:
    return [(list(c.spans), c.outcome) for c in conflicts.find(one, [other])]


class TestWeek:
    def test_past_midnight_runs_into_the_next_day_and_the_next_week(self) -> None:
        week = conflicts.week_of([hours(22, 2, 7)])
        assert week == [(0, 120), (6 * DAY + 22 * 60, WEEK)]

    def test_equal_times_are_a_whole_day(self) -> None:
        assert conflicts.week_of([hours(0, 0, 2)]) == [(DAY, 2 * DAY)]
        assert conflicts.week_of([hours(0, 0)]) == [(0, WEEK)]

    def test_touching_windows_do_not_overlap(self) -> None:
        one, other = conflicts.week_of([hours(14, 16)]), conflicts.week_of([hours(16, 18)])
        assert conflicts.common(one, other) == []


class TestFind:
    def test_tells_the_stretch_in_which_both_apply(self) -> None:
        one, other = happy("A", hours(14, 17, 1)), happy("B", hours(16, 20))
        assert met(one, other) == [([(16 * 60, 17 * 60)], Outcome.BOTH)]

    @pytest.mark.parametrize(
        ("mine", "theirs", "outcome"),
        [
            ({"priority": 10}, {"priority": 20}, Outcome.FIRST),
            ({"priority": 20}, {"priority": 10}, Outcome.OTHER),
            ({}, {}, Outcome.FIRST),  # of equals the earlier key
        ],
    )
    def test_of_two_exclusive_ones_the_first_by_rank_applies(
        self, mine: dict[str, Any], theirs: dict[str, Any], outcome: Outcome
    ) -> None:
        alone = {"stacking": Stacking.EXCLUSIVE}
        one = happy("A", hours(14, 17), **alone, **mine)
        other = happy("B", hours(14, 17), **alone, **theirs)
        assert met(one, other)[0][1] is outcome

    def test_an_exclusive_one_keeps_a_common_one_out(self) -> None:
        one = happy("A", hours(14, 17), stacking=Stacking.EXCLUSIVE, priority=900)
        other = happy("B", hours(14, 17), priority=1)
        assert met(one, other)[0][1] is Outcome.FIRST
        assert met(other, one)[0][1] is Outcome.OTHER

    def test_of_one_group_the_first_applies(self) -> None:
        one = happy("B", hours(14, 17), exclusive_group="hour")
        other = happy("A", hours(14, 17), exclusive_group="hour")
        assert met(one, other)[0][1] is Outcome.OTHER

    @pytest.mark.parametrize(
        ("mine", "theirs"),
        [
            ({"stores": frozenset({"A"})}, {"stores": frozenset({"B"})}),
            ({"order_types": frozenset({"pickup"})}, {"order_types": frozenset({"delivery"})}),
            ({"ends_at": NOON}, {"starts_at": NOON}),
            (
                {"scope": Scope(categories=frozenset({"tea"}))},
                {"scope": Scope(categories=frozenset({"cake"}))},
            ),
            (
                {"scope": Scope(products=frozenset({"a"}))},
                {"scope": Scope(products=frozenset({"b"}))},
            ),
        ],
    )
    def test_offers_that_never_meet_do_not_conflict(
        self, mine: dict[str, Any], theirs: dict[str, Any]
    ) -> None:
        assert met(happy("A", hours(14, 17), **mine), happy("B", hours(14, 17), **theirs)) == []

    def test_periods_that_overlap_do(self) -> None:
        one = happy("A", hours(14, 17), ends_at=NOON + timedelta(minutes=1))
        assert met(one, happy("B", hours(14, 17), starts_at=NOON)) != []

    def test_an_offer_without_hours_is_no_happy_hour(self) -> None:
        assert met(happy("A", hours(14, 17)), happy("B")) == []
