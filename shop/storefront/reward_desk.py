"""Rewards whose stories need coupons too: taking one, and giving the points of a used one back."""

from datetime import datetime

from django.db import transaction

from campaigns import coupons, revocations
from campaigns.models import Coupon
from loyalty import points, rewards
from loyalty.models import RewardRedemption


@transaction.atomic
def take(reward_code: str, *, member_id: int, now: datetime) -> RewardRedemption:
    """Take a reward for points; a coupon goes into the wallet at once, and its points are spent.

    Raises: as `rewards.redeem` and, for a coupon, `coupons.give`.
    """
    row = rewards.redeem(reward_code, member_id=member_id, now=now)
    if row.reward.kind == rewards.Kind.COUPON:
        coupon = coupons.give(row.reward.coupon, member_id=member_id, source=row.source, now=now)
        account = rewards.account_of(points.lock_accounts([member_id]), row)
        rewards.hand_out(
            account, row, store_id=None, actor="coupon", coupon_code=coupon.code, now=now
        )
        row.refresh_from_db()
    return row


@transaction.atomic
def refund(
    code: str, *, reason: str, actor: str, is_restocked: bool, now: datetime
) -> RewardRedemption:
    """Give the points of a used reward back; a coupon must be unused in its owner's wallet.

    Raises:
        NotFound, rewards.RewardNotUsable, revocations.CouponNotRevocable
    """
    row = rewards.find(code)
    account = rewards.account_of(points.lock_accounts([row.member_id]), row)
    rewards.refund(account, row, reason=reason, actor=actor, is_restocked=is_restocked, now=now)
    if row.coupon_code:
        coupon = Coupon.objects.select_for_update(no_key=True).get(code=row.coupon_code)
        if coupon.status != Coupon.Status.AVAILABLE:
            raise revocations.CouponNotRevocable(coupon=coupon.code, coupon_status=coupon.status)
        revocations.revoke(coupon, reason=reason, actor=actor, now=now)
    row.refresh_from_db()
    return row
