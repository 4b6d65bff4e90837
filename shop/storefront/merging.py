"""Two memberships of one person become one: everything goes to the one that stays.

Lock order: members → orders → points accounts → coupons → counters. The members' rows come first,
so that nothing new can be written for them; because whoever holds another of these locks may be
waiting for theirs, the flow gives up rather than wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import (
    attribution,
    coupon_handovers,
    limits,
    referrals,
    reservations,
    transfers,
)
from campaigns.models import Referral
from loyalty import adjustments, benefits, handovers, plans, points, promises, stored_value, tiers
from loyalty.lots import Clawback
from loyalty.points import Wallets
from shop import accounts, external_ids, members, orders
from shop.kernel.errors import DomainError
from shop.models import Member, MemberStatusChange, Order
from shop.storefront import facts


class MergeIntoSelf(DomainError):
    """A merge needs two memberships."""

    code = "merge-into-self"
    title = _("A member cannot be merged into themselves.")


class OrdersOpen(DomainError):
    """Orders wait for payment; they have to be paid or cancelled before."""

    code = "orders-open"
    title = _("Orders of this member wait for payment; pay or cancel them first.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """What went from one membership to the other; `points` by wallet, debts negative."""

    source: Member
    target: Member
    points: Mapping[str, int]
    coupons: int
    orders: int


@transaction.atomic
def merge_members(
    source: Member, *, into: Member, reason: str, actor: str, now: datetime
) -> Merged:
    """Move all that `source` has and did to `into`, and close `source` for good; once.

    Points keep their expiry, qualifying points their days. Of where the two came from, and of who
    brought them, the earlier counts; of their tiers, the higher.

    Raises:
        MergeIntoSelf, OrdersOpen, handovers.PointsHeld, stored_value.StoredValueLeft
        members.MemberNotActive: one of them is closed, or the target is frozen.
        accounts.MemberBusy: something is being done for one of them at this moment.
    """
    if source.pk == into.pk:
        raise MergeIntoSelf
    locked = accounts.lock([source.pk, into.pk])
    source, target = locked[source.pk], locked[into.pk]
    if source.status == Member.Status.CLOSED:
        members.ensure_active(source)
    members.ensure_active(target)
    with accounts.impatience():
        ensure_no_open_orders([source.pk, target.pk])
        wallets = _lock_wallets(source, target)
        handovers.ensure_nothing_held(wallets, member_id=source.pk)
        _revoke_own_referrals(source, target, wallets, now=now)
        moved = handovers.hand_over(
            wallets,
            source_id=source.pk,
            target_id=target.pk,
            reference=_reference(source.pk),
            now=now,
        )
        stored_value.ensure_empty(source.pk)
        merged = Merged(
            source=source,
            target=target,
            points=moved,
            orders=orders.hand_over(source_id=source.pk, target_id=target.pk),
            coupons=coupon_handovers.hand_over(
                source_id=source.pk, target_id=target.pk, actor=actor, now=now
            ),
        )
        _hand_over_the_rest(source, target, now=now)
        external_ids.hand_over(source_id=source.pk, target_id=target.pk)
        accounts.merge(source, into=target, reason=reason, actor=actor, now=now)
    return merged


@dataclass(frozen=True, kw_only=True, slots=True)
class PastMerge:
    """A membership that became part of another: which, when and why, and the points it brought.

    `reference` is what the sources of the ledger's entries of it begin with.
    """

    source: Member
    reference: str
    points: Mapping[str, int]
    reason: str
    actor: str
    merged_at: datetime


def merges_into(member: Member) -> list[PastMerge]:
    """Return the memberships that were merged into one, the latest first."""
    brought = handovers.brought_to(member.pk)
    changes = MemberStatusChange.objects.filter(
        kind=MemberStatusChange.Kind.MERGE, member__merged_into=member
    )
    return [
        PastMerge(
            source=change.member,
            reference=_reference(change.member_id),
            points=brought.get(_reference(change.member_id), {}),
            reason=change.reason,
            actor=change.actor,
            merged_at=change.occurred_at,
        )
        for change in changes.select_related("member").order_by("-occurred_at", "-pk")
    ]


def _reference(source_id: int) -> str:
    return f"merge:{source_id}"


def ensure_no_open_orders(member_ids: list[int]) -> None:
    """Lock all orders of these members and check that none waits for payment.

    Raises:
        OrdersOpen
    """
    waiting = [
        order.number
        for order in orders.lock_all_of(member_ids)
        if order.status == Order.Status.PENDING
    ]
    if waiting:
        raise OrdersOpen(orders=waiting)


def _lock_wallets(source: Member, target: Member) -> Wallets:
    wallets = points.lock_accounts([source.pk, target.pk])
    missing = [
        wallet
        for member_id, wallet in wallets.accounts
        if member_id == source.pk and (target.pk, wallet) not in wallets.accounts
    ]
    for wallet in missing:
        points.open_account(target.pk, wallet=wallet)
    return points.lock_accounts([source.pk, target.pk]) if missing else wallets


def _revoke_own_referrals(
    source: Member, target: Member, wallets: Wallets, *, now: datetime
) -> None:
    """Take back what one of the two got for bringing the other."""
    for referral in referrals.between(source.pk, target.pk):
        if referral.status != Referral.Status.QUALIFIED:
            continue
        referrals.revoke(referral)
        for member_id in (source.pk, target.pk):
            promises.revoke(
                wallets.points(member_id),
                source=referrals.source_of(referral),
                now=now,
                policy=Clawback.ALLOW_DEBT,
            )


def _hand_over_the_rest(source: Member, target: Member, *, now: datetime) -> None:
    both = {"source_id": source.pk, "target_id": target.pk}
    transfers.hand_over(**both)
    referrals.hand_over(**both)
    attribution.hand_over(**both)
    reservations.hand_over(**both)
    adjustments.hand_over(**both)
    limits.hand_over(**both)
    plans.hand_over(now=now, **both)
    benefits.hand_over(**both)
    tiers.take_over(source_id=source.pk, target_id=target.pk, now=now)
    known = facts.load(target.pk, now=now)
    tiers.refresh(
        target.pk,
        referral_count=known.qualified_referrals,
        source=_reference(source.pk),
        now=now,
    )
