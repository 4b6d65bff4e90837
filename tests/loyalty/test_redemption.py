"""How much of a point is redeemed in the end, by hand and always."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from loyalty.redemption import MANY_LOTS, Expectation, MonthOfLife, confidence, expectations

UNKNOWN = Expectation(expected=Fraction(1), at_least=Fraction(0))
"""What nobody has lived through counts as redeemed, and at least nothing of it is."""


def month(at_risk: int, spent: int = 0, expired: int = 0, lots: int = 1) -> MonthOfLife:
    return MonthOfLife(at_risk=at_risk, spent=spent, expired=expired, lots=lots)


@st.composite
def months(draw: st.DrawFn) -> MonthOfLife:
    at_risk = draw(st.integers(1, 1000))
    spent = draw(st.integers(0, at_risk))
    return month(at_risk, spent, draw(st.integers(0, at_risk - spent)))


HISTORIES = st.lists(months(), max_size=6).map(lambda found: dict(enumerate(found)))


class TestExpectations:
    def test_follow_points_month_by_month(self) -> None:
        """Of 100 points 40 are spent in the first month; of the rest half, and 10 % expire."""
        history = {0: month(100, spent=40), 1: month(60, spent=30, expired=6)}

        new, old, beyond = expectations(history, ages=3)

        assert new.at_least == Fraction(70, 100)
        assert new.expected == Fraction(94, 100)
        assert (old.at_least, old.expected) == (Fraction(1, 2), Fraction(9, 10))
        assert beyond == UNKNOWN

    def test_without_history_are_prudent(self) -> None:
        (only,) = expectations({}, ages=1)

        assert only == UNKNOWN

    def test_leave_out_what_was_clawed_back(self) -> None:
        """Of 100 points 50 were clawed back; the others were spent in the month after."""
        history = {0: month(100), 1: month(50, spent=50)}

        assert [each.expected for each in expectations(history, ages=2)] == [1, 1]
        assert expectations(history, ages=1)[0].at_least == 1

    @given(history=HISTORIES)
    def test_are_shares_and_in_order(self, history: dict[int, MonthOfLife]) -> None:
        for each in expectations(history, ages=8):
            assert 0 <= each.at_least <= each.expected <= 1


class TestConfidence:
    def test_asks_for_a_whole_life_of_many_lots(self) -> None:
        lived = {age: month(1, lots=MANY_LOTS) for age in range(12)}

        assert confidence(lived, life_months=None) == "high"
        assert confidence(lived, life_months=24) == "medium"
        assert confidence(lived, life_months=25) == "low"
        assert confidence({0: month(1, lots=MANY_LOTS - 1)}, life_months=1) == "low"
