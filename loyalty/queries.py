"""Reads of loyalty that more than one door needs."""

from django.db.models import Q, QuerySet

from loyalty.models import PointsAccount, PointsEntry, PointsLot, Reward, RewardRedemption


def ledger(member_id: int) -> QuerySet[PointsEntry]:
    """Return the entries of a member's spendable points, each with its lot if it opened one."""
    return PointsEntry.objects.filter(
        account__member_id=member_id, account__wallet=PointsAccount.Wallet.POINTS
    ).select_related("lot")


def open_lots(member_id: int) -> QuerySet[PointsLot]:
    """Return what is left of a member's credits, soonest to expire first; sums to the balance."""
    return PointsLot.objects.filter(
        account__member_id=member_id, account__wallet=PointsAccount.Wallet.POINTS, remaining__gt=0
    ).order_by("expires_at", "id")


def rewards_on_offer() -> QuerySet[Reward]:
    """Return rewards that can be had."""
    return Reward.objects.filter(Q(stock=None) | Q(stock__gt=0), is_active=True)


def redemptions(member_id: int) -> QuerySet[RewardRedemption]:
    """Return the rewards a member took, newest first."""
    return RewardRedemption.objects.filter(member_id=member_id).select_related("reward")
