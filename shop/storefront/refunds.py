"""Giving money back, and undoing in proportion everything that the payment did."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, Sum

from campaigns import (
    attribution,
    promotions,
    redemptions,
    referrals,
    revocations,
    vouchers,
)
from campaigns.models import Referral
from loyalty import earning_events, points, prepaid, promises, reversals, rewards, tiers, visits
from loyalty.lots import Clawback
from loyalty.points import Wallets
from loyalty.reversals import RefundShare
from loyalty.tiers import Lost
from shop import orders, refunds
from shop.kernel import outbox
from shop.kernel.money import Cents, Points, split_cents
from shop.models import Order, Payment, Refund
from shop.refunds import RefundRequest
from shop.storefront import facts, returns
from shop.storefront.facts import MemberFacts

SANDBOX, VOUCHER = Payment.Method.SANDBOX, Payment.Method.VOUCHER


@transaction.atomic
def refund_order(*, number: str, request: RefundRequest, actor: str, now: datetime) -> Refund:
    """Refund an order by pieces, by amount or whole. Rows are added, none is taken back.

    Points follow the money in proportion, as differences of two rounded shares, so that any
    sequence of partial refunds ends where one whole refund would. Coupon, reward, visit and
    referral come back only when the order is refunded whole. Pieces may give back less than they
    cost where the rest would not have got its discount by itself, until that comes back too.

    Raises:
        NotFound
        refunds.OrderNotRefundable, refunds.RefundTooLarge
    """
    order = orders.lock(number)
    refunded_before, earning_before = order.refunded_cents, refunds.refunded_earning_cents(order)
    refund = refunds.give_back(
        order,
        request,
        actor=actor,
        now=now,
        kept_back_cents=returns.kept_back(order, request.quantities, now=now),
    )
    is_whole = order.status == Order.Status.REFUNDED

    if order.member_id is not None:
        payer = facts.load(order.member_id, now=now)
        referral = referrals.qualified_by(order) if is_whole else None
        wallets = _lock_wallets(payer, referral)
        spent = _share(order.paid_cents, refunded_before, order.refunded_cents, is_whole)
        earned = _share(
            order.earning_cents, earning_before, refunds.refunded_earning_cents(order), is_whole
        )
        lost_points = _return_points(
            order, refund, payer, wallets, earned=earned, spent=spent, now=now
        )
        if is_whole:
            visits.reverse(order, now=now)
            if referral is not None:
                _revoke_referral(referral, refund, payer, wallets, now=now)
        tiers.refresh(
            payer.id,
            referral_count=payer.qualified_referrals,
            source=refund.source,
            now=now,
            lost=Lost(points=lost_points, cents=refund.amount_cents, visits=1 if is_whole else 0),
        )
        attribution.unconvert(
            order, amount_cents=refund.amount_cents, refund_source=refund.source, now=now
        )
    paid = _traceable_payments(order)
    _return_stored_value(order, refund, paid, actor=actor, now=now)
    if is_whole:
        redemptions.return_after_refund(order, now=now)
        revocations.revoke_reward(order, now=now)
        promotions.release(order, now=now)
        if refund.voucher_cents or any(payment.method == VOUCHER for payment in paid):
            vouchers.return_after_refund(order, now=now)
    _send_money_back(order, refund, [p for p in paid if p.method == SANDBOX], now=now)
    outbox.add(
        "order.refunded",
        key=refund.source,
        payload={"order": order.number, "refund": refund.number},
        now=now,
    )
    return refund


def _share(whole: int, before: int, after: int, is_whole: bool) -> RefundShare:  # noqa: FBT001 - private
    """Return the refunded share; a whole refund is the whole even of an order that cost nothing."""
    if is_whole and whole == 0:
        return RefundShare(whole=1, before=0, after=1)
    return RefundShare(whole=whole, before=before, after=after)


def _lock_wallets(payer: MemberFacts, referral: Referral | None) -> Wallets:
    ids = [payer.id] if referral is None else [payer.id, referral.referrer_id]
    return points.lock_accounts(ids)


def _return_points(
    order: Order,
    refund: Refund,
    payer: MemberFacts,
    wallets: Wallets,
    *,
    earned: RefundShare,
    spent: RefundShare,
    now: datetime,
) -> Points:
    """Give back what was spent, take back what was earned; return the qualifying points taken."""
    account = wallets.points(payer.id)
    sources = {"order_source": order.source, "refund_source": refund.source}
    reversals.reverse_spend(account, share=spent, now=now, **sources)
    if order.status == Order.Status.REFUNDED:
        rewards.give_back(wallets, order=order, refund_source=refund.source, now=now)
    reversals.reverse_earn(account, share=earned, now=now, policy=payer.clawback, **sources)
    card = wallets.stamps(payer.id)
    if card is not None and order.stamps:
        reversals.reverse_earn(card, share=earned, now=now, policy=payer.clawback, **sources)
    return reversals.reverse_earn(
        wallets.qualifying(payer.id), share=earned, now=now, policy=Clawback.ALLOW_DEBT, **sources
    )


def _revoke_referral(
    referral: Referral, refund: Refund, payer: MemberFacts, wallets: Wallets, *, now: datetime
) -> None:
    """Void a referral whose order came back whole: the rewards of both sides, and the tier by it.

    The friend counts no more, so who brought them may be a spreader no more.
    """
    referrer_id, source = referral.referrer_id, referrals.source_of(referral)
    before = facts.load(referrer_id, now=now).qualified_referrals
    referrals.revoke(referral)
    after = facts.load(referrer_id, now=now).qualified_referrals
    earning_events.take_back(
        wallets.points(referrer_id),
        event=earning_events.Event.REFERRAL,
        key=source,
        reference=refund.source,
        policy=payer.clawback,
        now=now,
    )
    tiers.refresh(
        referrer_id,
        referral_count=after,
        source=refund.source,
        now=now,
        lost=Lost(friends=before - after),
    )
    for member_id in (referrer_id, referral.referee_id):
        promises.revoke(
            wallets.points(member_id),
            source=source,
            now=now,
            policy=payer.clawback,
        )


def _traceable_payments(order: Order) -> list[Payment]:
    """Return the payments that go back to where they came from, rather than out of the drawer."""
    payments = order.payments.filter(is_orphan=False)
    return list(payments.filter(Q(provider_ref__isnull=False) | Q(method__in=prepaid.METHODS)))


def _return_stored_value(
    order: Order, refund: Refund, paid: Sequence[Payment], *, actor: str, now: datetime
) -> None:
    """Say which part of the refund is no cash, and give wallets and gift cards theirs.

    What other payments cover comes first, then vouchers. Of the former, stored value and the rest
    share in proportion to what each has not got back yet.
    """
    by_vouchers = _total(paid, {VOUCHER})
    if by_vouchers:
        _set_voucher_part(order, refund, Cents(by_vouchers))
    stored = _total(paid, prepaid.METHODS)
    if not stored:
        return
    earlier = order.refunds.exclude(pk=refund.pk).aggregate(
        amount=Sum("amount_cents", default=0),
        voucher=Sum("voucher_cents", default=0),
        stored=Sum("stored_cents", default=0),
    )
    others = order.paid_cents - by_vouchers - stored
    others_back = earlier["amount"] - earlier["voucher"] - earlier["stored"]
    left = [stored - earlier["stored"], others - others_back]
    part, _rest = split_cents(Cents(refund.amount_cents - refund.voucher_cents), left)
    refunds.set_stored_part(refund, part)
    prepaid.give_back(order, cents=part, source=refund.source, actor=actor, now=now)


def _set_voucher_part(order: Order, refund: Refund, by_vouchers: Cents) -> None:
    others = order.paid_cents - by_vouchers
    before = max(order.refunded_cents - refund.amount_cents - others, 0)
    after = max(order.refunded_cents - others, 0)
    refunds.set_voucher_part(refund, Cents(after - before))


def _total(paid: Sequence[Payment], methods: Collection[str]) -> int:
    return sum(payment.amount_cents for payment in paid if payment.method in methods)


def _send_money_back(
    order: Order, refund: Refund, paid: Sequence[Payment], *, now: datetime
) -> None:
    """Have the provider return what it took; a till returns what it took by itself."""
    amount = refund.amount_cents - refund.voucher_cents - refund.stored_cents
    if paid and amount:
        details = {
            "refund": refund.number,
            "order": order.number,
            "provider_ref": paid[0].provider_ref,
            "amount_cents": amount,
        }
        outbox.add("payment.refund", key=refund.source, payload=details, now=now)
