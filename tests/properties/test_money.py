"""Properties of money: whatever is split, the parts are the whole."""

from hypothesis import given
from hypothesis import strategies as st

from loyalty.reversals import RefundShare
from shop.kernel.money import MAX_CENTS, Cents, basis_points_of, share_of, split_cents

amounts = st.integers(min_value=0, max_value=int(MAX_CENTS)).map(Cents)
weights = st.lists(st.integers(min_value=0, max_value=10**9), max_size=30)


class TestSplitCents:
    """Peer bugs 29, 33: shares that miss a cent, or go below zero."""

    @given(total=amounts, weights=weights)
    def test_parts_sum_to_the_total_exactly(self, total: Cents, weights: list[int]) -> None:
        parts = split_cents(total, weights)

        assert sum(parts) == (total if any(weights) else 0)
        assert len(parts) == len(weights)
        assert min(parts, default=0) >= 0

    @given(weights=weights, share=st.integers(min_value=0, max_value=100))
    def test_no_part_of_a_discount_exceeds_its_line(self, weights: list[int], share: int) -> None:
        total = Cents(sum(weights) * share // 100)

        parts = split_cents(total, weights)

        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))

    @given(total=amounts, weights=weights)
    def test_each_part_is_within_one_cent_of_its_due(
        self, total: Cents, weights: list[int]
    ) -> None:
        whole = sum(weights)
        parts = split_cents(total, weights)

        for part, weight in zip(parts, weights, strict=True):
            assert not whole or abs(part * whole - total * weight) < whole

    @given(total=amounts, weights=weights, data=st.data())
    def test_the_order_of_lines_moves_no_more_than_the_odd_cents(
        self, total: Cents, weights: list[int], data: st.DataObject
    ) -> None:
        shuffled = data.draw(st.permutations(weights))

        parts = sorted(zip(weights, split_cents(total, weights), strict=True))
        again = sorted(zip(shuffled, split_cents(total, shuffled), strict=True))

        assert parts == again


class TestShareOf:
    @given(whole=amounts, steps=st.lists(st.integers(min_value=0, max_value=50), min_size=1))
    def test_steps_add_up_to_the_whole(self, whole: Cents, steps: list[int]) -> None:
        of = sum(steps)
        done, given_back = 0, 0
        for step in steps:
            before = share_of(whole, part=done, of=of)
            done += step
            given_back += share_of(whole, part=done, of=of) - before

        assert given_back == (whole if of else 0)

    @given(whole=amounts, of=st.integers(min_value=1, max_value=10**6), data=st.data())
    def test_never_falls_as_the_part_grows(
        self, whole: Cents, of: int, data: st.DataObject
    ) -> None:
        less, more = sorted(data.draw(st.tuples(*[st.integers(min_value=0, max_value=of)] * 2)))

        assert 0 <= share_of(whole, part=less, of=of) <= share_of(whole, part=more, of=of) <= whole


class TestRefundShare:
    """Peer bugs 24, 25: any sequence of refunds moves as many points as one whole refund."""

    @given(
        points=st.integers(min_value=0, max_value=10**9),
        parts=st.lists(st.integers(min_value=1, max_value=10**6), min_size=1, max_size=20),
    )
    def test_parts_move_as_many_points_as_the_whole(self, points: int, parts: list[int]) -> None:
        whole = sum(parts)
        before, moved = 0, 0
        for part in parts:
            step = RefundShare(whole=whole, before=before, after=before + part).of(points)
            assert step >= 0
            before, moved = before + part, moved + step

        assert moved == points == RefundShare(whole=whole, before=0, after=whole).of(points)


class TestBasisPointsOf:
    @given(amount=amounts, share=st.integers(min_value=0, max_value=10_000))
    def test_a_share_and_its_rest_are_the_whole_within_a_cent(
        self, amount: Cents, share: int
    ) -> None:
        parts = basis_points_of(amount, share) + basis_points_of(amount, 10_000 - share)

        assert 0 <= basis_points_of(amount, share) <= amount
        assert amount <= parts <= amount + 1
