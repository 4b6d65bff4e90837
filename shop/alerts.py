"""Alarms: what a person has to look at, and what became of it. The only module that writes them.

An event is recorded once, ever, and stays open until somebody has dealt with it. A condition is
raised as often as it is found to hold, which is one alarm, and cleared when it does not hold any
more; then it may come again. Whatever `code` names is told apart by `subject`, such as "phase:7".
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from shop.kernel.errors import DomainError
from shop.kernel.principals import Principal, scope
from shop.models import Alert

Severity = Alert.Severity


class AlertStillHolds(DomainError):
    """A condition is over when it does not hold any more; until then it can only be seen."""

    code = "alert-still-holds"
    title = _("This alarm goes away by itself as soon as its cause does.")


def record(
    code: str,
    *,
    subject: str,
    details: dict[str, Any],
    now: datetime,
    severity: Severity = Severity.WARNING,
    store_id: int | None = None,
) -> bool:
    """Record an event once per (code, subject), ever; tell whether it is new."""
    _alert, is_new = Alert.objects.get_or_create(
        code=code,
        subject=subject,
        is_condition=False,
        defaults={
            "details": details,
            "raised_at": now,
            "severity": severity,
            "store_id": store_id,
        },
    )
    return is_new


def raise_condition(
    code: str,
    *,
    subject: str,
    details: dict[str, Any],
    now: datetime,
    severity: Severity = Severity.WARNING,
    store_id: int | None = None,
) -> bool:
    """Say that a condition holds; tell whether it did not before.

    While it is open, only its details and severity follow what is found.
    """
    latest = {"details": details, "severity": severity}
    if _open(code, [subject]).update(**latest):
        return False
    try:
        with transaction.atomic():
            Alert.objects.create(
                code=code,
                subject=subject,
                is_condition=True,
                raised_at=now,
                store_id=store_id,
                **latest,
            )
    except IntegrityError:  # another run has just said so
        return False
    return True


def clear(code: str, *, subjects: Collection[str], now: datetime) -> int:
    """Say that a condition does not hold any more of these; return how many alarms that ends."""
    return _open(code, subjects).update(resolved_at=now)


def keep_only(code: str, *, subjects: Collection[str], now: datetime) -> int:
    """End the open alarms of a condition of everything but these; return how many."""
    others = Alert.objects.filter(code=code, is_condition=True, resolved_at=None)
    return others.exclude(subject__in=subjects).update(resolved_at=now)


def acknowledge(alert_ids: Collection[int], *, by: str, now: datetime) -> int:
    """Note who has seen open alarms first; return how many nobody had seen before."""
    unseen = Alert.objects.filter(id__in=alert_ids, resolved_at=None, acknowledged_at=None)
    return unseen.update(acknowledged_at=now, acknowledged_by=by)


@transaction.atomic
def resolve(alert_ids: Collection[int], *, by: str, now: datetime) -> int:
    """Mark events as dealt with; return how many were still open.

    Raises:
        AlertStillHolds: one of them is a condition that holds.
    """
    still_open = Alert.objects.filter(id__in=alert_ids, resolved_at=None)
    if still_open.filter(is_condition=True).exists():
        raise AlertStillHolds
    acknowledge(alert_ids, by=by, now=now)
    return still_open.update(resolved_at=now)


def visible(principal: Principal) -> QuerySet[Alert]:
    """Return the alarms of the caller's stores; those of no store are head office's."""
    return scope(Alert.objects.all(), principal, store="store_id")


def _open(code: str, subjects: Collection[str]) -> QuerySet[Alert]:
    return Alert.objects.filter(
        code=code, subject__in=subjects, is_condition=True, resolved_at=None
    )
