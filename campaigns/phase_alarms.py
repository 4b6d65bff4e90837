"""What staff are told of a phase: that it was paused, or soon will be."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from campaigns.guards import Gauge
from campaigns.models import CampaignPhase, Cause
from shop import alerts

PAUSED = "phase-paused"
NEAR_LIMIT = "phase-near-limit"
BY_LIMIT = {Cause.BUDGET, Cause.DAILY_BUDGET, Cause.CPA, Cause.REDEMPTIONS}


def as_json(gauge: Gauge) -> dict[str, Any]:
    """Return a gauge as history, alarms and problems show it."""
    return {
        "limit": gauge.limit.value,
        "most": gauge.most,
        "value": gauge.value,
        "percent": gauge.percent,
    }


def store_id(phase: CampaignPhase) -> int | None:
    """Return the store of a campaign that runs in one only; others are head office's."""
    stores = list(phase.campaign.stores.values_list("pk", flat=True)[:2])
    return stores[0] if len(stores) == 1 else None


def tell_paused(
    phase: CampaignPhase, cause: Cause, found: Sequence[Gauge], *, now: datetime
) -> None:
    """Tell that a limit has paused a phase; what people pause they know."""
    alerts.clear(NEAR_LIMIT, subjects=[phase.subject], now=now)
    if cause in BY_LIMIT:
        _raise(PAUSED, phase, found, alerts.Severity.CRITICAL, now=now)
    else:
        alerts.clear(PAUSED, subjects=[phase.subject], now=now)


def tell_near(phase: CampaignPhase, near: Sequence[Gauge], *, now: datetime) -> None:
    """Tell which limits are nearly reached, or that none is any more."""
    if near:
        _raise(NEAR_LIMIT, phase, near, alerts.Severity.WARNING, now=now)
    else:
        alerts.clear(NEAR_LIMIT, subjects=[phase.subject], now=now)


def clear(phase: CampaignPhase, *, now: datetime) -> None:
    """Tell that a phase goes on, or is over."""
    for code in (PAUSED, NEAR_LIMIT):
        alerts.clear(code, subjects=[phase.subject], now=now)


def _raise(
    code: str,
    phase: CampaignPhase,
    found: Sequence[Gauge],
    severity: alerts.Severity,
    *,
    now: datetime,
) -> None:
    alerts.raise_condition(
        code,
        subject=phase.subject,
        details={
            "campaign": phase.campaign.code,
            "kind": phase.kind,
            "gauges": [as_json(gauge) for gauge in found],
        },
        now=now,
        severity=severity,
        store_id=store_id(phase),
    )
