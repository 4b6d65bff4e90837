"""What points will cost, counted by hand, and that it agrees with the ledger."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from django.db import transaction

from loyalty import liability, points
from loyalty.models import LiabilitySnapshot, PointsEntry
from shop.kernel.money import Points
from shop.models import Member
from shop.refunds import RefundRequest
from shop.storefront import refunds
from shop.storefront.tasks import keep_liability
from tests import make

pytestmark = pytest.mark.django_db

MONTH = timedelta(days=30)
LATER = make.NOON + 3 * MONTH


@transaction.atomic
def spend(who: Member, amount: int, *, after: timedelta) -> None:
    account = points.lock_accounts([who.pk]).points(who.pk)
    now = make.NOON + after
    points.spend(account, points=Points(amount), source=f"test:{after}", now=now)


def measured() -> liability.Liability:
    return liability.measure(now=LATER, points_per_yuan=50)


class TestLiability:
    def test_values_outstanding_points_by_their_age(self) -> None:
        """200 given in June, half spent at once: so at least half of new points will be.

        100 of June are left, three months old, and 60 were given yesterday: ¥2 and ¥1.20 at 2 fen.
        """
        regular, newcomer = make.member(), make.member()
        make.give_points(regular, 200)
        spend(regular, 100, after=timedelta(days=1))
        make.give_points(newcomer, 60, now=LATER - timedelta(days=1))

        found = measured()

        assert [(row.age_months, row.points, row.cost_cents) for row in found.ages] == [
            (0, 60, 120),
            (3, 100, 200),
        ]
        assert found.ages[0].at_least == Fraction(1, 2)
        assert (found.outstanding, found.cost_cents, found.difference) == (160, 320, 0)
        assert (found.confidence, found.observed_months) == ("low", 3)

    def test_shows_debt_apart(self) -> None:
        guest = make.member()
        order = make.paid(who=guest, now=make.NOON).order
        spend(guest, 12, after=timedelta(hours=1))
        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON
        )

        found = measured()

        assert (found.outstanding, found.debt, found.difference) == (0, 12, 0)

    def test_of_nothing_is_nothing(self) -> None:
        found = measured()

        assert (found.outstanding, found.cost_cents, found.ages) == (0, 0, [])

    def test_tells_when_wallets_and_ledger_disagree(self) -> None:
        guest = make.member()
        make.give_points(guest, 100)
        guest.points_accounts.filter(wallet="points").update(balance=70)

        assert measured().difference == 30 + 30


class TestRollForward:
    def test_leads_from_month_to_month_to_the_balance(self) -> None:
        guest = make.member()
        order = make.paid(who=guest, now=make.NOON).order
        make.give_points(guest, 100)
        spend(guest, 30, after=MONTH)
        refunds.refund_order(
            number=order.number, request=RefundRequest(), actor="test", now=make.NOON + 2 * MONTH
        )

        rows = liability.roll_forward(now=LATER)

        assert [
            (row.month, row.opening, row.earned, row.used, row.clawed_back, row.adjusted)
            for row in rows
        ] == [
            (date(2026, 6, 1), 0, 12, 0, 0, 100),
            (date(2026, 7, 1), 112, 0, -30, 0, 0),
            (date(2026, 8, 1), 82, 0, 0, -12, 0),
            (date(2026, 9, 1), 70, 0, 0, 0, 0),
        ]
        assert [row.closing for row in rows] == [112, 82, 70, 70]

    def test_has_a_place_for_every_kind_of_entry(self) -> None:
        assert set(PointsEntry.Kind.values) <= set(liability.MOVEMENTS)
        assert set(liability.MOVEMENTS.values()) == set(liability.COLUMNS)

    def test_before_the_first_entry_is_empty(self) -> None:
        assert liability.roll_forward(now=make.NOON) == []


class TestSnapshots:
    def test_are_kept_once_a_day(self) -> None:
        keep_liability()
        make.give_points(make.member(), 100)
        keep_liability()

        (row,) = LiabilitySnapshot.objects.all()
        assert (row.outstanding, row.difference) == (0, 0)


class TestReport:
    def test_is_for_who_sees_the_whole_chain(self) -> None:
        make.give_points(make.member(), 100)

        body = make.report_reader().get("/reports/points-liability").json()

        assert (body["outstanding"], body["cost_cents"], body["difference"]) == (100, 200, 0)
        assert body["ages"][0]["expected_redemption"] == 1
        assert make.report_reader("SH001").get("/reports/points-liability").status_code == 403

    def test_is_csv_by_month(self) -> None:
        make.give_points(make.member(), 100)

        answer = make.report_reader().get("/reports/points-liability", format="csv")

        head, *lines = answer.content.decode().splitlines()
        assert head.lstrip("\ufeff").startswith("month,opening,earned")
        assert lines[0].startswith("2026-06-01,0,0,0,0,0,100,100")
