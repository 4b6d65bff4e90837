"""The history of campaigns and their phases. The only module that writes it."""

from datetime import datetime
from typing import Any

from campaigns.models import Campaign, CampaignChange, CampaignPhase, Cause

BEAT = "beat"
"""Who moves phases on by the clock and by their limits."""


def write(
    campaign: Campaign,
    *,
    phase: CampaignPhase | None = None,
    come_from: str,
    to: str,
    cause: Cause,
    actor: str,
    now: datetime,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> CampaignChange:
    """Note one move, in the transaction that makes it."""
    return CampaignChange.objects.create(
        campaign=campaign,
        phase=phase,
        from_status=come_from,
        to_status=to,
        cause=cause,
        reason=reason,
        actor=actor,
        details=details or {},
        occurred_at=now,
    )
