"""Claiming a guest's order afterwards: the member gets what paying for it would have given."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from campaigns import attribution
from loyalty import (
    earning,
    earning_programme,
    order_points,
    prepaid,
    reversals,
    tiers,
    visits,
)
from loyalty.lots import Clawback
from loyalty.models import ReceiptClaim
from loyalty.order_points import PaidLine, Sale
from loyalty.points import Wallets
from loyalty.reversals import RefundShare
from shop import orders, refunds
from shop.kernel import tries
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents, Points
from shop.models import Order, Store
from shop.storefront import checkout, facts
from shop.storefront.facts import MemberFacts

MOST_TRIES = 10
TRIES_WINDOW = timedelta(hours=1)


class ReceiptUnknown(DomainError):
    """No paid order has this number, store and amount within the days that claims are taken.

    Which of them is wrong is not said: receipts must not be guessed.
    """

    code = "receipt-unknown"
    title = _("There is no such receipt, or it is too old.")
    status = HTTPStatus.NOT_FOUND


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A claimed order and what it gave, without what was refunded before."""

    order: Order
    points_earned: Points
    balance: Points
    tier: str


@transaction.atomic
def claim_receipt(
    number: str,
    *,
    store: Store,
    amount_cents: Cents,
    member_id: int,
    guesser: str,
    actor: str,
    now: datetime,
) -> Claimed:
    """Make a guest's paid order a member's: points, visit, tier and channel as if paid by them.

    The rules and the day of the payment count, the member's tier of today. What was refunded
    before is taken back at once, so that later refunds find what they would have found.

    Raises:
        ReceiptUnknown, orders.OrderNotClaimable
        RateLimited: too many wrong receipts within an hour.
        NotFound, members.MemberNotActive
    """
    tries.count(guesser, tries=1, most=MOST_TRIES, window=TRIES_WINDOW, now=now)
    order = orders.lock(_find(number, store=store, amount_cents=amount_cents, now=now))
    if order.status == Order.Status.REFUNDED:
        raise orders.OrderNotClaimable(reason="refunded")
    tries.forgive(guesser, tries=1)
    return credit(order, facts.find_by_id(member_id, now=now), actor=actor, now=now)


def credit(order: Order, member: MemberFacts, *, actor: str, now: datetime) -> Claimed:
    """Make a locked order of a guest a member's, with all that follows.

    Raises:
        orders.OrderNotClaimable, points.WalletClosed
    """
    payer = _without_early_referral(member, order)
    wallets = checkout.lock_wallets(payer)
    orders.give_to(order, member_id=payer.id)

    _apply_rules(order, payer, now=now)
    gift = prepaid.gift_part(order)
    earned = checkout.earn(order, payer, wallets, gift_cents=gift, now=now)
    taken = _take_back_refunds(order, payer, wallets, now=now)
    _record_purchase(order, now=now)
    moved = tiers.refresh(
        payer.id, referral_count=payer.qualified_referrals, source=order.source, now=now
    )
    if payer.referrer_since is not None:
        checkout.reward_referral(order, wallets, since=payer.referrer_since, now=now)
    left = Points(earned - taken)
    ReceiptClaim.objects.create(
        order=order, member_id=payer.id, points=left, actor=actor, claimed_at=now
    )
    return Claimed(
        order=order,
        points_earned=left,
        balance=wallets.points(payer.id).available,
        tier=moved.code if moved else payer.tier,
    )


def _find(number: str, *, store: Store, amount_cents: Cents, now: datetime) -> str:
    since = now - timedelta(days=tiers.programme().claim_days)
    found = (
        Order.objects.filter(Q(number=number) | Q(pos_order_no=number), store=store)
        .filter(paid_cents=amount_cents, paid_at__gt=since, is_complimentary=False)
        .values_list("number", flat=True)
        .first()
    )
    if found is None:
        raise ReceiptUnknown
    return found


def _without_early_referral(payer: MemberFacts, order: Order) -> MemberFacts:
    """Bought before they joined, an order is not what a friend was brought for."""
    assert order.paid_at is not None  # noqa: S101 - only paid orders are found
    if order.paid_at >= payer.joined_at:
        return payer
    return replace(payer, waiting_referrer_id=None, referrer_since=None)


def _apply_rules(order: Order, payer: MemberFacts, *, now: datetime) -> None:
    """Say what the order earns on top by the rules of when it was paid; the wallets are locked."""
    assert order.paid_at is not None  # noqa: S101 - only paid orders are found
    rules = earning_programme.rules_for(payer.id, now=order.paid_at)
    if not rules:
        return
    lines = order.lines.filter(earns_points=True).select_related("product__category")
    sale = Sale(
        lines=[
            PaidLine(
                product=line.product.code,
                category=line.product.category.code,
                quantity=line.quantity,
                net_cents=line.net_cents,
            )
            for line in lines
        ],
        store=order.store.code,
        tier=payer.tier,
        at=order.paid_at.astimezone(ZoneInfo(order.store.timezone)),
        business_date=order.business_date.isoformat(),
    )
    outcome = order_points.points_of_sale(
        rules, sale, rates=payer.rates, tier_percent=payer.tier_percent
    )
    of_the_bill = earning.points_for(
        order.earning_cents, rates=payer.rates, tier_percent=payer.tier_percent
    )
    stamped = order_points.stamps_of_sale(rules, sale)
    orders.set_gains(
        order,
        boost_points=Points(outcome.points - of_the_bill),
        stamps=Points(stamped.points),
    )
    earning_programme.record(
        [*outcome.parts, *stamped.parts],
        member_id=payer.id,
        source=order.source,
        business_date=order.business_date,
        now=now,
    )


def _take_back_refunds(
    order: Order, payer: MemberFacts, wallets: Wallets, *, now: datetime
) -> Points:
    """Take back what earlier refunds would have; return the spendable points taken."""
    last = order.refunds.order_by("-pk").first()
    if last is None:
        return Points(0)
    share = RefundShare(
        whole=order.earning_cents, before=0, after=refunds.refunded_earning_cents(order)
    )
    taken = [
        reversals.reverse_earn(
            account,
            order_source=order.source,
            refund_source=last.source,
            share=share,
            now=now,
            policy=Clawback.ALLOW_DEBT,
        )
        for account in wallets.earning(payer.id)
    ]
    return taken[0]


def _record_purchase(order: Order, *, now: datetime) -> None:
    """Count the visit and credit the channel on the day of the payment, with its refunds."""
    assert order.paid_at is not None  # noqa: S101 - only paid orders are found
    visits.record(order, now=order.paid_at)
    attribution.convert(order, now=order.paid_at)
    for refund in order.refunds.order_by("pk"):
        attribution.unconvert(
            order,
            amount_cents=refund.amount_cents,
            refund_source=refund.source,
            now=refund.refunded_at,
        )
