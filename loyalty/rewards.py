"""Rewards for points or stamps: taking, using, giving them back. Their only writer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty import holds, points, reversals
from loyalty.models import Membership, PointsAccount, Reward, RewardRedemption
from loyalty.points import Wallets
from shop.kernel import identifiers
from shop.kernel.errors import DomainError, NotFound
from shop.models import Order

Kind = Reward.Kind
Status = RewardRedemption.Status
ON_ORDERS = {Kind.DRINK, Kind.TOPPING}


class RewardNotAvailable(DomainError):
    """The reward is off the catalogue, out of its time or out of stock; `reason` says which."""

    code = "reward-not-available"
    title = _("This reward cannot be had any more.")


class RewardTierTooLow(DomainError):
    """The reward is for members of a higher tier."""

    code = "reward-tier-too-low"
    title = _("This reward is for members of a higher tier.")


class RewardLimitReached(DomainError):
    """The member has had the reward as often as one may."""

    code = "reward-limit-reached"
    title = _("This reward has been taken as often as one may.")


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
    kind: str = Kind.DRINK


@transaction.atomic
def redeem(reward_code: str, *, member_id: int, now: datetime) -> RewardRedemption:
    """Take a reward: hold its points and hand out the code that the till checks.

    Raises:
        NotFound, RewardNotAvailable, RewardTierTooLow, RewardLimitReached
        points.NotEnoughPoints
    """
    reward = Reward.objects.select_related("min_tier").filter(code=reward_code).first()
    if reward is None:
        raise NotFound
    _ensure_on_offer(reward, now=now)
    account = points.lock_accounts([member_id]).accounts.get((member_id, reward.wallet))
    if account is None:  # of stamps: the first of them opens the wallet
        raise points.NotEnoughPoints(needed_points=reward.cost_points, available_points=0)
    _ensure_tier(reward, member_id=member_id)
    slot = _next_slot(reward, member_id=member_id)
    code = "RW" + identifiers.new_code(12)
    hold_id = holds.take(account, points=reward.cost_points, source=f"reward:{code}", now=now)
    redemption = RewardRedemption.objects.create(
        reward=reward,
        member_id=member_id,
        code=code,
        wallet=reward.wallet,
        points=reward.cost_points,
        hold_id=hold_id,
        slot=slot,
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
        .filter(order=None, reward__kind__in=ON_ORDERS)
        .first()
    )
    return usable(row) if row is not None else None


def usable(row: RewardRedemption) -> UsableReward:
    """Return what pricing needs to know of a redemption, loaded with its reward."""
    return UsableReward(
        redemption_id=row.pk,
        code=row.code,
        name=row.reward.name,
        max_value_cents=row.reward.max_value_cents,
        source=row.source,
        kind=row.reward.kind,
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


def account_of(wallets: Wallets, row: RewardRedemption) -> PointsAccount:
    """Return the locked account that a redemption is paid from."""
    return wallets.accounts[row.member_id, row.wallet]


def use(wallets: Wallets, code: str, *, order: Order, now: datetime) -> None:
    """Use a reward on an order: the held points are spent. The wallets are locked by the flow.

    A reward that was reserved for this order in time is honoured when the payment comes later.

    Raises:
        RewardNotUsable: used, returned or reserved by another order in the meantime.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _USE_SQL, {"code": code, "member": order.member_id, "order": order.pk, "now": now}
        )
        used = cursor.fetchone()
    if used is None:
        raise RewardNotUsable(reward_code=code)
    holds.post(wallets.accounts[used], source=f"reward:{code}", now=now)


_USE_SQL = """
UPDATE loyalty_rewardredemption SET status = 'used', order_id = %(order)s, resolved_at = %(now)s
WHERE code = %(code)s AND member_id = %(member)s AND status = 'issued'
  AND (order_id IS NULL OR order_id = %(order)s)
RETURNING member_id, wallet
"""


def hand_out(
    account: PointsAccount,
    row: RewardRedemption,
    *,
    store_id: int | None,
    actor: str,
    now: datetime,
    coupon_code: str = "",
) -> None:
    """Give a reward that needs no order: its points are spent. The account is locked by the flow.

    Raises:
        RewardNotUsable: used, returned or expired in the meantime, or to be used on an order.
    """
    if row.reward.kind in ON_ORDERS:
        raise RewardNotUsable(reward_code=row.code, reason="use-on-an-order")
    given = RewardRedemption.objects.filter(
        pk=row.pk, status=Status.ISSUED, expires_at__gt=now
    ).update(
        status=Status.USED,
        store=store_id,
        handed_out_by=actor,
        coupon_code=coupon_code,
        resolved_at=now,
    )
    if given != 1:
        raise RewardNotUsable(reward_code=row.code)
    holds.post(account, source=row.source, now=now)


@transaction.atomic
def hand_out_goods(code: str, *, store_id: int, actor: str, now: datetime) -> RewardRedemption:
    """Hand out goods at the counter for their code, once.

    Raises:
        NotFound, RewardNotUsable
    """
    row = find(code)
    account = account_of(points.lock_accounts([row.member_id]), row)
    hand_out(account, row, store_id=store_id, actor=actor, now=now)
    row.refresh_from_db()
    return row


def find(code: str) -> RewardRedemption:
    """Return a redemption with its reward, order and member.

    Raises:
        NotFound
    """
    rows = RewardRedemption.objects.select_related("reward", "order", "member")
    row = rows.filter(code=code).first()
    if row is None:
        raise NotFound
    return row


def refund(
    account: PointsAccount,
    row: RewardRedemption,
    *,
    reason: str,
    actor: str,
    is_restocked: bool,
    now: datetime,
) -> None:
    """Give the points of a used reward back by hand, each part with the expiry that it had.

    The account is locked by the flow.

    Raises:
        RewardNotUsable: it is not used, or was given back in the meantime.
    """
    returned = RewardRedemption.objects.filter(pk=row.pk, status=Status.USED).update(
        status=Status.RETURNED,
        slot=None,
        refunded_by=actor,
        refund_reason=reason,
        resolved_at=now,
    )
    if returned != 1:
        raise RewardNotUsable(reward_code=row.code)
    reversals.reverse_spend(
        account,
        order_source=row.source,
        refund_source=f"reward-refund:{row.code}",
        share=reversals.RefundShare(whole=1, before=0, after=1),
        now=now,
    )
    if is_restocked:
        _put_into_stock(row.reward_id)


def give_back(wallets: Wallets, *, order: Order, refund_source: str, now: datetime) -> None:
    """Return the reward of an order that was refunded whole: its points come back."""
    row = RewardRedemption.objects.filter(order=order, status=Status.USED).first()
    if row is None:
        return
    whole = reversals.RefundShare(whole=1, before=0, after=1)
    reversals.reverse_spend(
        account_of(wallets, row),
        order_source=f"reward:{row.code}",
        refund_source=f"{refund_source}/reward",
        share=whole,
        now=now,
    )
    RewardRedemption.objects.filter(pk=row.pk, status=Status.USED).update(
        status=Status.RETURNED, slot=None, resolved_at=now
    )


@transaction.atomic
def cancel(code: str, *, member_id: int, now: datetime) -> RewardRedemption:
    """Give an unused reward back: its points are free again, its stock too.

    Raises:
        NotFound, RewardNotUsable
    """
    wallets = points.lock_accounts([member_id])
    row = (
        RewardRedemption.objects.select_related("reward")
        .filter(code=code, member_id=member_id)
        .first()
    )
    if row is None:
        raise NotFound
    _free(account_of(wallets, row), row, to=Status.RETURNED, now=now)
    row.refresh_from_db()
    return row


@transaction.atomic
def expire(redemption_id: int, *, now: datetime) -> bool:
    """Free the points of one reward that nobody used in time; False if it was used after all."""
    row = RewardRedemption.objects.select_related("reward").get(pk=redemption_id)
    account = account_of(points.lock_accounts([row.member_id]), row)
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
    freed = unused.update(status=to, slot=None, resolved_at=now)
    if freed != 1:
        raise RewardNotUsable(reward_code=row.code)
    holds.void(account, source=f"reward:{row.code}", now=now)
    _put_into_stock(row.reward_id)


def _ensure_on_offer(reward: Reward, *, now: datetime) -> None:
    if reward.starts_at is not None and now < reward.starts_at:
        raise RewardNotAvailable(
            reward=reward.code, reason="not-yet", starts_at=reward.starts_at.isoformat()
        )
    if reward.ends_at is not None and now >= reward.ends_at:
        raise RewardNotAvailable(
            reward=reward.code, reason="over", ended_at=reward.ends_at.isoformat()
        )


def _ensure_tier(reward: Reward, *, member_id: int) -> None:
    if reward.min_tier is None:
        return
    tier = Membership.objects.select_related("tier").get(member_id=member_id).tier
    if tier.level < reward.min_tier.level:
        raise RewardTierTooLow(
            reward=reward.code, needed_tier=reward.min_tier.code, actual_tier=tier.code
        )


def _next_slot(reward: Reward, *, member_id: int) -> int | None:
    """Return the member's first free slot of a limited reward; the wallets' lock is held.

    Raises:
        RewardLimitReached
    """
    limit = reward.limit_per_member
    if limit is None:
        return None
    mine = RewardRedemption.objects.filter(reward=reward, member_id=member_id)
    taken = set(mine.exclude(slot=None).values_list("slot", flat=True))
    free = next((slot for slot in range(1, limit + 1) if slot not in taken), None)
    if free is None or mine.filter(status__in=[Status.ISSUED, Status.USED]).count() >= limit:
        raise RewardLimitReached(reward=reward.code, limit=limit)
    return free


def _put_into_stock(reward_id: int) -> None:
    Reward.objects.filter(pk=reward_id, stock__isnull=False).update(stock=F("stock") + 1)


def _take_from_stock(reward: Reward) -> None:
    taken = (
        Reward.objects.filter(pk=reward.pk, is_active=True)
        .filter(Q(stock__isnull=True) | Q(stock__gt=0))
        .update(stock=F("stock") - 1)
    )
    if taken != 1:
        reward.refresh_from_db(fields=["is_active"])
        reason = "out-of-stock" if reward.is_active else "off-the-list"
        raise RewardNotAvailable(reward=reward.code, reason=reason)
