"""Rewards for points: taking one, using it at the till, giving it back. Their only writer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty import points
from loyalty.models import PointsAccount, Reward, RewardRedemption
from shop.kernel import identifiers
from shop.kernel.errors import DomainError, NotFound
from shop.models import Order

Status = RewardRedemption.Status


class RewardNotAvailable(DomainError):
    """The reward is off the catalogue or out of stock."""

    code = "reward-not-available"
    title = _("This reward cannot be had any more.")


class RewardNotUsable(DomainError):
    """The reward was used, returned, has expired, or is another member's."""

    code = "reward-not-usable"
    title = _("This reward code cannot be used.")
    status = HTTPStatus.CONFLICT


@dataclass(frozen=True, kw_only=True, slots=True)
class UsableReward:
    """What pricing needs to know of a reward code."""

    redemption_id: int
    code: str
    name: str
    max_value_cents: int
    source: str


@transaction.atomic
def redeem(reward_code: str, *, member_id: int, now: datetime) -> RewardRedemption:
    """Take a reward: hold its points and hand out the code that the till checks.

    Raises:
        NotFound, RewardNotAvailable
        points.NotEnoughPoints
    """
    reward = Reward.objects.filter(code=reward_code).first()
    if reward is None:
        raise NotFound
    account = points.lock_accounts([member_id]).points(member_id)
    code = "RW" + identifiers.new_code(12)
    hold = points.hold(account, points=reward.cost_points, source=f"reward:{code}", now=now)
    redemption = RewardRedemption.objects.create(
        reward=reward,
        member_id=member_id,
        code=code,
        points=reward.cost_points,
        hold=hold,
        issued_at=now,
        expires_at=now + timedelta(days=reward.valid_days),
    )
    _take_from_stock(reward)
    return redemption


def find_usable(code: str, *, member_id: int, now: datetime) -> UsableReward | None:
    """Return the reward behind a code if this member may use it now."""
    row = (
        RewardRedemption.objects.select_related("reward")
        .filter(code=code, member_id=member_id, status=Status.ISSUED, expires_at__gt=now)
        .filter(order=None)
        .first()
    )
    if row is None:
        return None
    return UsableReward(
        redemption_id=row.pk,
        code=row.code,
        name=row.reward.name,
        max_value_cents=row.reward.max_value_cents,
        source=f"reward:{row.code}",
    )


def attach(code: str, *, order: Order) -> None:
    """Reserve a reward for an unpaid order, so that no second order can count on it.

    Raises:
        RewardNotUsable: used, returned or reserved in the meantime.
    """
    assert order.member_id is not None  # noqa: S101 - quotes refuse rewards without a member
    attached = RewardRedemption.objects.filter(
        code=code, member_id=order.member_id, status=Status.ISSUED, order=None
    ).update(order=order)
    if attached != 1:
        raise RewardNotUsable(reward_code=code)


def detach(order: Order) -> None:
    """Free the reward of an order that was never paid."""
    RewardRedemption.objects.filter(order=order, status=Status.ISSUED).update(order=None)


def use(account: PointsAccount, code: str, *, order: Order, now: datetime) -> None:
    """Use a reward on an order: the held points are spent. The account is locked by the flow.

    A reward that was reserved for this order in time is honoured when the payment comes later.

    Raises:
        RewardNotUsable: used, returned or reserved by another order in the meantime.
    """
    used = (
        RewardRedemption.objects.filter(
            code=code, member_id=account.member_id, status=Status.ISSUED
        )
        .filter(Q(order=None) | Q(order=order))
        .update(status=Status.USED, order=order, resolved_at=now)
    )
    if used != 1:
        raise RewardNotUsable(reward_code=code)
    points.post_hold(account, source=f"reward:{code}", now=now)


def give_back(account: PointsAccount, *, order: Order, refund_source: str, now: datetime) -> None:
    """Return the reward of an order that was refunded whole: its points come back."""
    row = RewardRedemption.objects.filter(order=order, status=Status.USED).first()
    if row is None:
        return
    whole = points.RefundShare(whole=1, before=0, after=1)
    points.reverse_spend(
        account,
        order_source=f"reward:{row.code}",
        refund_source=f"{refund_source}/reward",
        share=whole,
        now=now,
    )
    RewardRedemption.objects.filter(pk=row.pk, status=Status.USED).update(
        status=Status.RETURNED, resolved_at=now
    )


@transaction.atomic
def cancel(code: str, *, member_id: int, now: datetime) -> RewardRedemption:
    """Give an unused reward back: its points are free again, its stock too.

    Raises:
        NotFound, RewardNotUsable
    """
    account = points.lock_accounts([member_id]).points(member_id)
    row = (
        RewardRedemption.objects.select_related("reward")
        .filter(code=code, member_id=member_id)
        .first()
    )
    if row is None:
        raise NotFound
    _free(account, row, to=Status.RETURNED, now=now)
    row.refresh_from_db()
    return row


@transaction.atomic
def expire(redemption_id: int, *, now: datetime) -> bool:
    """Free the points of one reward that nobody used in time; False if it was used after all."""
    row = RewardRedemption.objects.select_related("reward").get(pk=redemption_id)
    account = points.lock_accounts([row.member_id]).points(row.member_id)
    try:
        _free(account, row, to=Status.EXPIRED, now=now)
    except RewardNotUsable:
        return False
    return True


def due_to_expire(*, now: datetime, limit: int) -> list[int]:
    """Return ids of unused rewards whose time is over."""
    due = RewardRedemption.objects.filter(status=Status.ISSUED, expires_at__lte=now, order=None)
    return list(due.order_by("expires_at").values_list("id", flat=True)[:limit])


def _free(account: PointsAccount, row: RewardRedemption, *, to: str, now: datetime) -> None:
    unused = RewardRedemption.objects.filter(pk=row.pk, status=Status.ISSUED, order=None)
    freed = unused.update(status=to, resolved_at=now)
    if freed != 1:
        raise RewardNotUsable(reward_code=row.code)
    points.void_hold(account, source=f"reward:{row.code}", now=now)
    Reward.objects.filter(pk=row.reward_id, stock__isnull=False).update(stock=F("stock") + 1)


def _take_from_stock(reward: Reward) -> None:
    taken = (
        Reward.objects.filter(pk=reward.pk, is_active=True)
        .filter(Q(stock__isnull=True) | Q(stock__gt=0))
        .update(stock=F("stock") - 1)
    )
    if taken != 1:
        raise RewardNotAvailable(reward=reward.code)
