"""Memberships that end: closed by staff, or erased because the person asks for it.

What happened stays, under a public id that leads to nobody; what they had is given up. Locks as in
`merging`.
"""

from datetime import datetime

from django.db import transaction

from campaigns import ad_uploads, attribution, click_reports, referrals, revocations
from loyalty import handovers, points, rewards, stored_value
from loyalty.models import RewardRedemption
from shop import accounts, orders
from shop.models import Member, Order
from shop.storefront import checkout, merging


@transaction.atomic
def close_member(member: Member, *, reason: str, actor: str, now: datetime) -> int:
    """Close a membership for good; return the points that were given up with it.

    Unused rewards are given back, coupons revoked, promises void. The phone may join again, as
    somebody who was a member before.

    Raises:
        accounts.MemberNotSwitchable: closed before.
        merging.OrdersOpen, accounts.MemberBusy, stored_value.StoredValueLeft
    """
    member = accounts.lock([member.pk])[member.pk]
    if member.status == Member.Status.CLOSED:
        raise accounts.MemberNotSwitchable(member=str(member.public_id))
    with accounts.impatience():
        lost = _give_all_up(member, actor=actor, now=now)
        accounts.close(member, reason=reason, actor=actor, now=now)
    return lost


@transaction.atomic
def erase_member(member: Member, *, reason: str, actor: str, now: datetime) -> int:
    """Close a membership and shred who it was; return the points that were given up.

    Orders that wait for payment are cancelled: nobody has to pay to be forgotten.

    Raises:
        accounts.MemberNotSwitchable: erased or merged before.
        accounts.MemberBusy
    """
    member = accounts.lock([member.pk])[member.pk]
    if member.erased_at is not None or member.merged_into_id is not None:
        raise accounts.MemberNotSwitchable(member=str(member.public_id))
    with accounts.impatience():
        lost = 0
        if member.status != Member.Status.CLOSED:
            _cancel_unpaid(member, actor=actor, now=now)
            lost = _give_all_up(member, actor=actor, now=now)
        attribution.forget_visitor(member_id=member.pk)
        ad_uploads.withdraw(member_id=member.pk)
        click_reports.forget_member(member_id=member.pk)
        accounts.erase(member, reason=reason, actor=actor, now=now)
    return lost


def _cancel_unpaid(member: Member, *, actor: str, now: datetime) -> None:
    for order in orders.lock_all_of([member.pk]):
        if order.status == Order.Status.PENDING:
            checkout.cancel_order(number=order.number, actor=actor, now=now)


def _give_all_up(member: Member, *, actor: str, now: datetime) -> int:
    merging.ensure_no_open_orders([member.pk])
    points.lock_accounts([member.pk])
    unused = RewardRedemption.objects.filter(member=member, status=RewardRedemption.Status.ISSUED)
    for code in unused.order_by("pk").values_list("code", flat=True):
        rewards.cancel(code, member_id=member.pk, now=now)
    wallets = points.lock_accounts([member.pk])  # as the rewards left them
    lost = handovers.give_up(wallets, member_id=member.pk, reference=f"end:{member.pk}", now=now)
    stored_value.give_up_gifts(member.pk, actor=actor, now=now)
    revocations.revoke_all(member_id=member.pk, reason="membership ended", actor=actor, now=now)
    referrals.void_waiting(member_id=member.pk)
    return lost
