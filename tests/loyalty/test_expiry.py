"""Points that are over: found in slices, taken once, lot by lot, and never under a hold."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction

from loyalty import expiry, holds, points
from loyalty.models import PointsAccount, PointsDraw, PointsEntry, PointsHold, PointsLot
from shop.kernel import jobs
from shop.kernel.money import Points
from shop.models import Member
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

SOON = make.NOON + timedelta(days=10)
LATER = make.NOON + timedelta(days=20)


def wallet(who: Member) -> PointsAccount:
    return points.lock_accounts([who.pk]).points(who.pk)


def earn(who: Member, amount: int, *, source: str, days: int | None) -> None:
    expires_at = None if days is None else make.NOON + timedelta(days=days)
    points.earn(
        wallet(who), points=Points(amount), source=source, now=make.NOON, expires_at=expires_at
    )


def expired(who: Member) -> list[tuple[int, int]]:
    entries = PointsEntry.objects.filter(account=wallet(who), kind="expire").order_by("id")
    return list(entries.values_list("points", "balance_after"))


def test_a_run_takes_every_lot_that_is_due_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "SLICE", 2)
    guests = [make.member() for _ in range(3)]
    for who in guests:
        earn(who, 30, source="t:1", days=10)
        earn(who, 20, source="t:2", days=9)
        earn(who, 7, source="t:3", days=11)
    points.spend(wallet(guests[0]), points=Points(25), source="t:4", now=make.NOON)

    job = expiry.start(requested_by="test", now=SOON, key="expire:1")
    jobs.run(job.pk, now=SOON)
    again = expiry.start(requested_by="test", now=SOON, key="expire:2")
    jobs.run(again.pk, now=SOON)

    job.refresh_from_db()
    again.refresh_from_db()
    assert expired(guests[0]) == [(-25, 7)]
    assert expired(guests[1]) == expired(guests[2]) == [(-20, 37), (-30, 7)]
    assert (job.state, job.total, job.result) == ("done", 5, {"entries": 5, "points": 125})
    assert (again.total, again.result) == (0, {})
    assert not suite.check_all(now=SOON).broken


def test_a_run_skips_no_lot_where_their_numbers_get_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expiry, "SLICE", 2)
    guests = [make.member() for _ in range(4)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE loyalty_pointslot ALTER COLUMN id RESTART WITH 9999998")
    for who in guests:
        earn(who, 30, source="t:1", days=10)

    job = expiry.start(requested_by="test", now=SOON)
    jobs.run(job.pk, now=SOON)

    assert [expired(who) for who in guests] == [[(-30, 0)]] * 4


def test_a_run_that_dies_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "SLICE", 1)
    guests = [make.member() for _ in range(3)]
    for who in guests:
        earn(who, 30, source="t:1", days=10)
    job = expiry.start(requested_by="test", now=SOON, key=None)

    with transaction.atomic():
        expiry.expire_slice(job, SOON)
        transaction.set_rollback(True)
    job.refresh_from_db()
    jobs.run(job.pk, now=SOON)

    assert [expired(who) for who in guests] == [[(-30, 0)]] * 3


def test_what_is_held_outlives_its_lot_until_the_hold_ends() -> None:
    guest = make.member()
    earn(guest, 100, source="t:1", days=10)
    holds.take(wallet(guest), points=Points(30), source="order:9", now=make.NOON, expires_at=SOON)

    expiry.expire_accounts([wallet(guest).pk], now=SOON)
    while_held = expired(guest)
    expiry.expire_accounts([wallet(guest).pk], now=SOON)
    holds.expire(PointsHold.objects.get().pk, now=LATER)
    expiry.expire_accounts([wallet(guest).pk], now=LATER)

    assert while_held == [(-70, 30)]
    assert expired(guest) == [(-70, 30), (-30, 0)]
    assert not suite.check_all(now=LATER).broken


def test_held_points_are_spent_though_their_time_is_over() -> None:
    guest = make.member()
    earn(guest, 100, source="t:1", days=10)
    holds.take(wallet(guest), points=Points(30), source="order:9", now=make.NOON)
    expiry.expire_accounts([wallet(guest).pk], now=SOON)

    holds.post(wallet(guest), source="order:9", now=SOON)

    assert wallet(guest).balance == 0
    assert PointsLot.objects.get().remaining == 0


class TestGuards:
    """The database refuses what no flow does: the triggers of lots, draws, holds and promises."""

    @pytest.mark.parametrize(
        "change", [{"remaining": 99}, {"points": 200}, {"expires_at": LATER}, {"expires_at": None}]
    )
    def test_a_lot_is_only_drawn(self, change: dict[str, object]) -> None:
        guest = make.member()
        earn(guest, 100, source="t:1", days=10)
        points.spend(wallet(guest), points=Points(10), source="t:2", now=make.NOON)

        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            PointsLot.objects.update(**change)

    def test_lots_and_draws_stay(self) -> None:
        guest = make.member()
        earn(guest, 100, source="t:1", days=10)
        points.spend(wallet(guest), points=Points(10), source="t:2", now=make.NOON)

        for rows in (PointsDraw.objects.all(), PointsLot.objects.all()):
            with pytest.raises(ProgrammingError, match="delete rows"), transaction.atomic():
                rows._raw_delete(rows.db)

    def test_a_hold_is_resolved_once(self) -> None:
        guest = make.member()
        earn(guest, 100, source="t:1", days=10)
        holds.take(wallet(guest), points=Points(10), source="t:2", now=make.NOON)
        holds.void(wallet(guest), source="t:2", now=make.NOON)

        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            PointsHold.objects.update(state="posted")
