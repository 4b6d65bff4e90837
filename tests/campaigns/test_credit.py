"""Attribution models by hand, and what holds for all of them."""

from datetime import timedelta
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import credit
from campaigns.credit import JourneyPath

DAY = timedelta(days=1)
CHANNELS = st.sampled_from(["flyer", "douyin", "kol", "search", "direct"])
WAYS = st.lists(CHANNELS, min_size=1, max_size=6).map(tuple)
COUNTS = st.integers(0, 50).map(Fraction)
PATHS = st.lists(
    st.builds(JourneyPath, channels=WAYS, conversions=COUNTS, nulls=COUNTS), min_size=1, max_size=8
)


def shares(model: str, *channels: str) -> dict[str, Fraction]:
    return credit.SINGLE[model](channels)


class TestSharesByHand:
    def test_last_non_direct_looks_past_who_simply_came(self) -> None:
        assert shares("last_non_direct", "flyer", "douyin", "direct") == {"douyin": 1}
        assert shares("last_non_direct", "direct", "organic") == {"organic": 1}

    def test_position_of_two_halves(self) -> None:
        assert shares("position", "flyer", "douyin") == {
            "flyer": Fraction(1, 2),
            "douyin": Fraction(1, 2),
        }

    def test_position_of_four_gives_a_tenth_to_each_between(self) -> None:
        assert shares("position", "a", "b", "c", "d") == {
            "a": Fraction(2, 5),
            "b": Fraction(1, 10),
            "c": Fraction(1, 10),
            "d": Fraction(2, 5),
        }

    def test_a_channel_met_twice_gets_both_shares(self) -> None:
        assert shares("linear", "a", "b", "a") == {"a": Fraction(2, 3), "b": Fraction(1, 3)}

    def test_time_decay_halves_with_each_step_back(self) -> None:
        assert shares("time_decay", "a", "b", "c") == {
            "a": Fraction(1, 7),
            "b": Fraction(2, 7),
            "c": Fraction(4, 7),
        }

    def test_time_decay_halves_with_each_week_where_times_are_known(self) -> None:
        found = credit.time_decay(["a", "b"], ages=[10 * DAY, 3 * DAY])

        assert found == {"a": Fraction(1, 3), "b": Fraction(2, 3)}

    def test_time_decay_bears_touches_of_long_ago(self) -> None:
        found = credit.time_decay(["a", "b"], ages=[36500 * DAY, 36500 * DAY])

        assert found == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


class TestAllModels:
    @pytest.mark.parametrize("model", credit.SINGLE)
    @given(way=WAYS)
    def test_divide_one_conversion_into_exactly_one(self, model: str, way: tuple[str, ...]) -> None:
        found = credit.SINGLE[model](way)

        assert sum(found.values()) == 1
        assert min(found.values()) > 0
        assert set(found) <= set(way)

    @pytest.mark.parametrize("model", credit.MODELS)
    @given(paths=PATHS)
    def test_credit_every_conversion_and_no_more(
        self, model: str, paths: list[JourneyPath]
    ) -> None:
        found = credit.attribute(paths, model)

        total = sum(path.conversions for path in paths)
        assert sum(found.conversions.values()) == pytest.approx(float(total))
        assert min(found.conversions.values()) >= -1e-9
        assert set(found.conversions) == {c for path in paths for c in path.channels}

    @pytest.mark.parametrize("model", credit.MODELS)
    @given(paths=PATHS)
    def test_do_not_depend_on_the_order_of_rows(self, model: str, paths: list[JourneyPath]) -> None:
        forth = credit.attribute(paths, model).conversions
        back = credit.attribute(paths[::-1], model).conversions

        assert forth == pytest.approx(back)


class TestMarkov:
    @given(paths=PATHS)
    def test_removal_effects_are_shares(self, paths: list[JourneyPath]) -> None:
        effects = credit.attribute(paths, "markov").removal_effects

        assert effects is not None
        assert all(-1e-9 <= effect <= 1 + 1e-9 for effect in effects.values())

    def test_meeting_a_channel_twice_in_a_row_changes_nothing(self) -> None:
        once = [JourneyPath(channels=("a", "b"), conversions=Fraction(2), nulls=Fraction(1))]
        again = [JourneyPath(channels=("a", "a", "b"), conversions=Fraction(2), nulls=Fraction(1))]

        assert credit.markov(once) == credit.markov(again)


class TestShapley:
    @given(paths=PATHS)
    def test_is_the_mean_of_what_a_channel_adds_over_every_order(
        self, paths: list[JourneyPath]
    ) -> None:
        channels = sorted({c for path in paths for c in path.channels})

        def worth(some: frozenset[str]) -> Fraction:
            return sum((p.conversions for p in paths if set(p.channels) <= some), Fraction(0))

        totals = dict.fromkeys(channels, Fraction(0))
        orders = list(permutations(channels))
        for order in orders:
            for place, channel in enumerate(order):
                before = frozenset(order[:place])
                totals[channel] += worth(before | {channel}) - worth(before)

        found = credit.attribute(paths, "shapley").conversions
        assert found == pytest.approx({c: float(t / len(orders)) for c, t in totals.items()})
