"""Reads of loyalty that more than one door needs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from loyalty.models import (
    MoneyEntry,
    PointsAccount,
    PointsEntry,
    PointsLot,
    Reward,
    RewardRedemption,
)


def ledger(member_id: int, *, wallet: str, former: UUID | None = None) -> QuerySet[PointsEntry]:
    """Return the entries of one of a member's wallets, each with its lot if it opened one.

    With `former` those of a membership that was merged into theirs.
    """
    whose = (
        Q(account__member_id=member_id)
        if former is None
        else Q(account__member__public_id=former, account__member__merged_into_id=member_id)
    )
    return PointsEntry.objects.filter(whose, account__wallet=wallet).select_related("lot")


def money_ledger(member_id: int) -> QuerySet[MoneyEntry]:
    """Return the entries of a member's stored value, principal and gifts together."""
    return MoneyEntry.objects.filter(account__member_id=member_id).select_related("account")


def points_by_expiry(member_id: int) -> list[dict[str, Any]]:
    """Return what is left of a member's points per moment of expiry, soonest first, never last.

    Without debt it sums to the balance.
    """
    lots = PointsLot.objects.filter(
        account__member_id=member_id, account__wallet=PointsAccount.Wallet.POINTS, remaining__gt=0
    )
    by_expiry = lots.values("expires_at").annotate(total=Sum("remaining"))
    return [
        {"expires_at": row["expires_at"], "remaining": row["total"]}
        for row in by_expiry.order_by(F("expires_at").asc(nulls_last=True))
    ]


def rewards_on_offer(*, now: datetime) -> QuerySet[Reward]:
    """Return rewards that can be had now."""
    return Reward.objects.filter(
        Q(stock=None) | Q(stock__gt=0),
        Q(starts_at=None) | Q(starts_at__lte=now),
        Q(ends_at=None) | Q(ends_at__gt=now),
        is_active=True,
    ).select_related("min_tier")


def redemptions(member_id: int) -> QuerySet[RewardRedemption]:
    """Return the rewards a member took, newest first."""
    return RewardRedemption.objects.filter(member_id=member_id).select_related("reward", "order")
