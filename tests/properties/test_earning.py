"""Properties of the earning rules: points follow money paid, and pay for no more than agreed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from loyalty import earning
from loyalty.earning import Rates
from loyalty.lifetimes import Lifetime
from shop.kernel.money import MAX_CENTS, Cents, Points

amounts = st.integers(min_value=0, max_value=int(MAX_CENTS)).map(Cents)
points = st.integers(min_value=0, max_value=10**9).map(Points)
percents = st.integers(min_value=0, max_value=500)
rates = st.builds(
    Rates,
    points_per_yuan=st.integers(min_value=0, max_value=100),
    qualifying_per_yuan=st.integers(min_value=0, max_value=100),
    points_per_redeemed_yuan=st.integers(min_value=1, max_value=1000),
    min_points_per_order=st.integers(min_value=0, max_value=1000),
    max_points_share_percent=st.integers(min_value=0, max_value=100),
)


class TestPointsFor:
    """Peer bug 23: points are earned on what was paid, not on what was discounted."""

    @given(less=amounts, more=amounts, rates=rates, percent=percents)
    def test_more_money_never_earns_less(
        self, less: Cents, more: Cents, rates: Rates, percent: int
    ) -> None:
        low, high = sorted([less, more])

        earned = earning.points_for(low, rates=rates, tier_percent=percent)
        earned_more = earning.points_for(high, rates=rates, tier_percent=percent)

        assert 0 <= earned <= earned_more

    @given(parts=st.lists(amounts, max_size=10), rates=rates)
    def test_splitting_a_purchase_earns_no_more(self, parts: list[Cents], rates: Rates) -> None:
        together = earning.points_for(Cents(sum(parts)), rates=rates)

        assert sum(earning.points_for(part, rates=rates) for part in parts) <= together

    @given(amount=amounts, rates=rates)
    def test_no_tier_changes_what_qualifies(self, amount: Cents, rates: Rates) -> None:
        qualifying = earning.qualifying_points_for(amount, rates=rates)

        assert qualifying * 100 <= amount * rates.qualifying_per_yuan < (qualifying + 1) * 100


class TestPointsDiscount:
    """Peer bugs 15, 28, 29."""

    @given(requested=points, available=points, payable=amounts, rates=rates)
    def test_takes_no_more_than_asked_had_or_allowed(
        self, requested: Points, available: Points, payable: Cents, rates: Rates
    ) -> None:
        taken, cents = earning.points_discount(
            requested, available=available, payable_cents=payable, rates=rates
        )

        assert 0 <= taken <= min(requested, available)
        assert 0 <= cents * 100 <= payable * rates.max_points_share_percent
        assert taken == 0 or taken >= rates.min_points_per_order

    @given(requested=points, available=points, payable=amounts, rates=rates)
    def test_a_point_pays_its_price_or_stays(
        self, requested: Points, available: Points, payable: Cents, rates: Rates
    ) -> None:
        taken, cents = earning.points_discount(
            requested, available=available, payable_cents=payable, rates=rates
        )

        assert cents * rates.points_per_redeemed_yuan == taken * 100


class TestExpiryOf:
    @given(
        earned_at=st.datetimes(
            min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - made aware by the strategy
            max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - made aware by the strategy
            timezones=st.just(UTC),
        ),
        zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"]),
    )
    def test_points_live_one_to_two_years_to_a_new_year_of_the_store(
        self, earned_at: datetime, zone: str
    ) -> None:
        expires = Lifetime().ends_at(earned_at, timezone=zone)
        assert expires is not None
        local = expires.astimezone(ZoneInfo(zone))

        assert 365 <= (expires - earned_at).days <= 732
        assert (local.month, local.day, local.hour, local.minute) == (1, 1, 0, 0)
