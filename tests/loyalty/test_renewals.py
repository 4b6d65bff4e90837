"""Warning of expiry, and longer life for points before or after it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from loyalty import expiry, expiry_warnings, holds, points, renewals
from loyalty.models import LoyaltyProgramme, PointsAccount, PointsEntry
from loyalty.tasks import expire_points, warn_of_expiry
from shop.kernel import jobs, outbox
from shop.kernel.models import Job, OutboxMessage
from shop.kernel.money import Points
from shop.models import Member, Message
from shop.storefront.invariants import suite
from tests import make

pytestmark = pytest.mark.django_db

MIDNIGHT = datetime(2026, 7, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
LATER = datetime(2026, 10, 1, tzinfo=ZoneInfo("Asia/Shanghai"))


def wallet(who: Member) -> PointsAccount:
    return points.lock_accounts([who.pk]).points(who.pk)


def earn(who: Member, amount: int, *, until: datetime | None) -> None:
    source = f"t:{PointsEntry.objects.count()}"
    points.earn(wallet(who), points=Points(amount), source=source, now=make.NOON, expires_at=until)


def open_lots(who: Member) -> list[tuple[int, datetime | None]]:
    lots = wallet(who).lots.filter(remaining__gt=0).order_by("expires_at", "id")
    return [(lot.remaining, lot.expires_at) for lot in lots]


def extend(who: Member, *, source: str = "x:1") -> int:
    return renewals.extend(
        who.pk,
        expiring_by=MIDNIGHT,
        until=LATER,
        source=source,
        reason="come back",
        actor="test",
        now=make.NOON,
    )


def reinstate(who: Member) -> int:
    return renewals.reinstate(
        who.pk,
        expired_since=make.NOON,
        until=LATER,
        reason="come back",
        actor="test",
        now=MIDNIGHT,
    )


class TestWarning:
    def test_is_sent_once_and_says_what_is_lost_after_which_day(self) -> None:
        guest = make.member()
        earn(guest, 30, until=MIDNIGHT)
        earn(guest, 12, until=MIDNIGHT)
        earn(guest, 7, until=LATER)
        earn(guest, 5, until=None)

        for _day in range(2):
            job = expiry_warnings.start(requested_by="test", now=make.NOON)
            jobs.run(job.pk, now=make.NOON)
        outbox.relay(now=make.NOON + timedelta(minutes=1))

        (message,) = Message.objects.filter(template="points.expiring")
        assert "42" in message.text
        assert "2026-06-30" in message.text
        assert (job.kind, Job.objects.get(pk=job.pk).result) == ("points.warn", {"messages": 0})

    def test_comes_in_slices_at_a_pace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(expiry_warnings, "SLICE", 2)
        for _number in range(5):
            earn(make.member(), 30, until=MIDNIGHT)

        job = expiry_warnings.start(requested_by="test", now=make.NOON)
        done = jobs.run(job.pk, now=make.NOON)

        queued = OutboxMessage.objects.filter(topic="points.expiring").order_by("available_at")
        waits = [(row.available_at - make.NOON).total_seconds() for row in queued]
        assert (done.done, done.result) == (5, {"messages": 5})
        assert waits == [0.05, 0.1, 0.15, 0.2, 0.25]


class TestTheClock:
    def test_expires_and_warns_by_itself(self) -> None:
        now = timezone.now()
        guest = make.member(now=now - timedelta(days=9))
        earn(guest, 30, until=now - timedelta(minutes=1))
        earn(guest, 12, until=now + timedelta(days=9))

        for _time in range(2):
            expire_points()
            warn_of_expiry()
            while jobs.advance(now=timezone.now()):
                pass

        assert wallet(guest).balance == 12
        assert OutboxMessage.objects.filter(topic="points.expiring").count() == 1
        assert Job.objects.count() == 2


class TestExtension:
    def test_moves_what_expires_and_nothing_else(self) -> None:
        guest = make.member()
        earn(guest, 30, until=MIDNIGHT)
        earn(guest, 12, until=MIDNIGHT + timedelta(days=1))
        earn(guest, 5, until=None)
        holds.take(wallet(guest), points=Points(10), source="order:1", now=make.NOON)

        moved = extend(guest)

        assert moved == 20
        assert wallet(guest).balance == 47
        assert open_lots(guest) == [
            (10, MIDNIGHT),
            (12, MIDNIGHT + timedelta(days=1)),
            (20, LATER),
            (5, None),
        ]
        holds.void(wallet(guest), source="order:1", now=make.NOON)
        assert not suite.check_all(now=make.NOON).broken

    def test_of_nothing_is_refused(self) -> None:
        guest = make.member()
        earn(guest, 30, until=MIDNIGHT)
        extend(guest)

        with pytest.raises(renewals.NothingToExtend):
            extend(guest, source="x:2")

    def test_must_be_longer(self) -> None:
        with pytest.raises(renewals.ExpiryNotLater):
            renewals.extend(
                make.member().pk,
                expiring_by=LATER,
                until=LATER,
                source="x:1",
                reason="",
                actor="",
                now=make.NOON,
            )


class TestReinstatement:
    def test_gives_back_what_expired_once(self) -> None:
        guest = make.member()
        earn(guest, 30, until=MIDNIGHT)
        earn(guest, 12, until=MIDNIGHT)
        expiry.expire_accounts([wallet(guest).pk], now=MIDNIGHT)

        back = reinstate(guest)

        assert (back, wallet(guest).balance) == (42, 42)
        assert open_lots(guest) == [(30, LATER), (12, LATER)]
        assert not suite.check_all(now=MIDNIGHT).broken
        with pytest.raises(renewals.NothingToReinstate):
            reinstate(guest)

    def test_by_staff_over_http(self) -> None:
        now = timezone.now()
        guest = make.member()
        earn(guest, 30, until=now - timedelta(days=1))
        expiry.expire_accounts([wallet(guest).pk], now=now)
        staff = make.staff("SH001")
        body = {
            "expired_since": f"{now - timedelta(days=2):%F}",
            "last_day": f"{now.astimezone(UTC) + timedelta(days=60):%F}",
            "reason": "come back",
        }

        answer = staff.post(f"/members/{guest.public_id}/points-reinstatements", body)
        again = staff.post(f"/members/{guest.public_id}/points-reinstatements", body)

        assert (answer.status_code, answer.json()["balance"]) == (200, 30)
        assert (again.status_code, again.json()["code"]) == (409, "nothing-to-reinstate")

    @pytest.mark.parametrize(
        ("kind", "first", "last"),
        [
            ("extension", "9999-12-31", "9999-12-31"),
            ("extension", "0001-01-01", "2099-12-31"),
            ("reinstatement", "0001-01-01", "9999-12-31"),
        ],
    )
    def test_is_refused_for_days_beyond_the_calendar(
        self, kind: str, first: str, last: str
    ) -> None:
        bound = "expiring_by" if kind == "extension" else "expired_since"
        body = {bound: first, "last_day": last, "reason": "for ever"}

        path = f"/members/{make.member().public_id}/points-{kind}s"
        answer = make.staff("SH001").post(path, body)

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "far-off")


class TestSecondPerson:
    @pytest.mark.parametrize("kind", ["reinstatement", "extension"])
    def test_agrees_to_more_than_one_may_adjust_alone(self, kind: str) -> None:
        LoyaltyProgramme.objects.update_or_create(pk=1, defaults={"adjustment_limit_points": 20})
        now, guest = timezone.now(), make.member()
        is_over = kind == "reinstatement"
        earn(guest, 30, until=now + timedelta(days=-1 if is_over else 1))
        if is_over:
            expiry.expire_accounts([wallet(guest).pk], now=now)
        day = (now + timedelta(days=-3 if is_over else 3)).date().isoformat()
        body = {
            "expired_since" if is_over else "expiring_by": day,
            "last_day": (now + timedelta(days=60)).date().isoformat(),
            "reason": "come back",
        }
        asker, other = make.staff("SH001"), make.staff("SH001", group="Head office")

        asked = asker.post(f"/members/{guest.public_id}/points-{kind}s", body)
        before = open_lots(guest)
        path = f"/points-adjustments/{asked.json()['id']}/approve"
        own, agreed, again = asker.post(path), other.post(path), other.post(path)

        assert (asked.status_code, asked.json()["state"]) == (202, "pending")
        assert asked.json()["points"] == 30
        assert sum(points for points, _until in before) == (0 if is_over else 30)
        assert own.status_code in {403, 409}
        assert (agreed.status_code, again.json()["code"]) == (200, "adjustment-decided")
        ((left, until),) = open_lots(guest)
        assert left == 30
        assert until is not None
        assert until > now + timedelta(days=59)
        assert not suite.check_all(now=now).broken
