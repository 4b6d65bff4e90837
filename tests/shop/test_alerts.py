"""Alarms: one per cause, seen by somebody, over when the cause is."""

from datetime import timedelta
from typing import Any

import pytest

from shop import alerts
from shop.models import Alert
from tests import make

pytestmark = pytest.mark.django_db

LATER = make.NOON + timedelta(hours=1)


def raised(**changes: Any) -> bool:
    """Say that budget 7 is spent."""
    said: dict[str, Any] = {"subject": "phase:7", "details": {}, "now": make.NOON, **changes}
    return alerts.raise_condition("budget-spent", **said)


class TestCondition:
    def test_is_one_alarm_while_it_holds_and_another_when_it_comes_again(self) -> None:
        seen = [raised(), raised(details={"cost_cents": 9})]
        ended = alerts.clear("budget-spent", subjects=["phase:7", "phase:8"], now=LATER)
        seen.append(raised(now=LATER))

        assert (seen, ended) == ([True, False, True], 1)
        first, second = Alert.objects.order_by("pk")
        assert (first.details, first.resolved_at, second.resolved_at) == (
            {"cost_cents": 9},
            LATER,
            None,
        )

    def test_of_everything_else_is_over(self) -> None:
        raised()
        raised(subject="phase:8")

        alerts.keep_only("budget-spent", subjects=["phase:8"], now=LATER)

        assert [alert.subject for alert in Alert.objects.filter(resolved_at=None)] == ["phase:8"]

    def test_can_be_seen_but_not_resolved_by_staff(self) -> None:
        raised()
        alert = Alert.objects.get()
        office = make.staff(group="Head office")

        seen = office.post(f"/alerts/{alert.pk}/acknowledgement")
        again = make.staff(group="Head office").post(f"/alerts/{alert.pk}/acknowledgement")
        resolved = office.post(f"/alerts/{alert.pk}/resolution")

        assert seen.json()["acknowledged_by"] == again.json()["acknowledged_by"] != ""
        assert (resolved.status_code, resolved.json()["code"]) == (409, "alert-still-holds")


class TestEvent:
    def test_is_one_alarm_for_ever(self) -> None:
        def record() -> bool:
            return alerts.record("orphan", subject="order:1", details={}, now=make.NOON)

        is_new = record()
        alerts.resolve([Alert.objects.get().pk], by="staff:1", now=LATER)

        assert (is_new, record(), Alert.objects.count()) == (True, False, 1)

    def test_is_resolved_by_staff_of_its_store_only(self) -> None:
        store = make.store("SH001")
        alerts.record("orphan", subject="o:1", details={}, now=make.NOON, store_id=store.pk)
        path = f"/alerts/{Alert.objects.get().pk}/resolution"

        other = make.staff("SH002").post(path)
        own = make.staff("SH001").post(path)

        assert (other.status_code, own.status_code) == (404, 200)
        assert own.json()["resolved_at"] is not None

    def test_of_no_store_is_head_offices(self) -> None:
        raised()
        listed = [
            reader.get("/alerts", is_open=True, severity="warning").json()["results"]
            for reader in (make.staff("SH001"), make.staff(group="Head office"))
        ]

        assert [len(alarms) for alarms in listed] == [0, 1]
