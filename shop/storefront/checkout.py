"""From a basket to a paid order. Every flow is one transaction and reads top to bottom.

Lock order, the same in every flow: order → points accounts (all at once) → stored value (all at
once) → coupons → counters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from campaigns import (
    attribution,
    coupons,
    limits,
    promotions,
    redemptions,
    referrals,
    vouchers,
)
from campaigns.models import Coupon
from loyalty import (
    earning,
    earning_programme,
    holds,
    points,
    prepaid,
    promises,
    rewards,
    tiers,
    visits,
)
from loyalty.points import Wallets
from shop import orders
from shop.kernel import outbox
from shop.kernel.money import Cents, Points, share_of
from shop.models import Order, OrderDiscount, Payment
from shop.order_drafts import OrderDraft
from shop.orders import Tender
from shop.storefront import facts, quotes
from shop.storefront.baskets import NO_POINTS, Basket
from shop.storefront.facts import MemberFacts
from shop.storefront.quotes import Quote, QuoteChanged


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """A paid order and what it did for the member; points are 0 for a guest."""

    order: Order
    points_earned: Points
    points_spent: Points
    balance: Points | None
    tier: str | None
    has_new_tier: bool


@transaction.atomic(savepoint=False)
def place_order(
    basket: Basket,
    *,
    expected_total_cents: Cents,
    now: datetime,
    pos_order_no: str | None = None,
) -> Order:
    """Place an order that waits for payment; its coupons, points and reward are held for it.

    Raises:
        QuoteChanged: it costs something else by now.
        coupons.CouponNotUsable, coupons.CouponExhausted, coupons.ClaimLimitReached,
        points.NotEnoughPoints, rewards.RewardNotUsable, limits.OfferLimitReached: taken meanwhile.
        and whatever quotes.quote raises.
    """
    quote = _quote_as_expected(basket, expected_total_cents, now=now)
    order = orders.create(draft_of(quote, pos_order_no), now=now)
    _keep_gains(order, quote, now=now)
    if quote.member is not None and quote.points:
        account = points.lock_accounts([quote.member.id]).points(quote.member.id)
        holds.take(
            account,
            points=quote.points,
            source=order.source,
            now=now,
            expires_at=order.expires_at,
        )
    if order.reward_code:
        rewards.attach(order.reward_code, order=order)
    redemptions.hold(order, codes=order.coupon_codes, entered=quote.new_coupons, now=now)
    _use_promotions(order, quote, now=now)
    return order


@transaction.atomic(savepoint=False)
def pay_order(*, number: str, tenders: Sequence[Tender], actor: str, now: datetime) -> Receipt:
    """Take the payment of a placed order, and do everything that follows from it.

    Raises:
        NotFound
        orders.OrderNotPayable, orders.PaymentMismatch
        and whatever prepaid.spend raises.
    """
    order = orders.lock(number)
    payer = facts.load(order.member_id, now=now) if order.member_id else None
    wallets = lock_wallets(payer)

    orders.mark_paid(order, tenders=tenders, actor=actor, now=now)
    gift = prepaid.spend(order, tenders, actor=actor, now=now)
    if payer is not None and order.points_spent:
        holds.post(wallets.points(payer.id), source=order.source, now=now)
    discounts = orders.discounts_by_code(order, kind=OrderDiscount.Kind.COUPON)
    receipt = _complete(order, payer, wallets, coupon_discounts=discounts, gift_cents=gift, now=now)
    orders.assign_pickup_number(order)
    return receipt


@transaction.atomic(savepoint=False)
def settle_order(
    basket: Basket,
    *,
    tenders: Sequence[Tender] | None,
    expected_total_cents: Cents,
    pos_order_no: str,
    actor: str,
    now: datetime,
) -> Receipt:
    """Place and pay at once, for a till that has the money already; nothing is held in between.

    Vouchers pay first; `tenders` are the rest, and None says that the rest was paid in cash.

    Raises:
        QuoteChanged, orders.OrderNumberTaken, orders.PaymentMismatch
        vouchers.VoucherNotUsable, vouchers.VoucherNotApplicable
        coupons.CouponNotUsable, coupons.CouponExhausted, coupons.ClaimLimitReached,
        points.NotEnoughPoints, rewards.RewardNotUsable, limits.OfferLimitReached: taken meanwhile.
        and whatever quotes.quote and prepaid.spend raise.
    """
    quote = _quote_as_expected(basket, expected_total_cents, now=now)
    rest = _rest_in_cash(quote) if tenders is None else tenders
    order = _paid_order(quote, pos_order_no, rest, actor=actor, now=now)
    payer = quote.member
    wallets = lock_wallets(payer)
    _keep_gains(order, quote, now=now)
    gift = prepaid.spend(order, rest, actor=actor, now=now)
    receipt = _complete(
        order,
        payer,
        wallets,
        coupon_discounts=quote.coupon_discounts,
        gift_cents=gift,
        spent=quote.points,
        entered=quote.new_coupons,
        now=now,
    )
    _use_promotions(order, quote, now=now)
    orders.assign_pickup_number(order)
    return receipt


@transaction.atomic
def cancel_order(*, number: str, actor: str, now: datetime) -> Order:
    """Cancel an order that was never paid, and free what it held.

    Raises:
        NotFound, orders.OrderNotCancellable
    """
    order = orders.lock(number)
    orders.cancel(order, actor=actor, now=now)
    if order.member_id is not None:
        wallets = points.lock_accounts([order.member_id])
        holds.void(wallets.points(order.member_id), source=order.source, now=now)
        rewards.detach(order)
        earning_programme.release(order.source, now=now)
    redemptions.release(order, now=now)
    promotions.release(order, now=now)
    return order


def _complete(
    order: Order,
    payer: MemberFacts | None,
    wallets: Wallets,
    *,
    coupon_discounts: Mapping[str, Cents],
    gift_cents: Cents,
    now: datetime,
    spent: Points = NO_POINTS,
    entered: Sequence[Coupon] = (),
) -> Receipt:
    """Do what follows from a payment, but for the counters that every till waits for.

    `spent` are points that nobody held for the order.
    """
    earned, new_tier = Points(0), None
    if payer is not None:
        if order.reward_code:
            rewards.use(wallets, order.reward_code, order=order, now=now)
        earned = earn(order, payer, wallets, gift_cents=gift_cents, spent=spent, now=now)
        visits.record(order, now=now)
        new_tier = tiers.refresh(
            payer.id,
            referral_count=payer.qualified_referrals,
            source=order.source,
            now=now,
        )
        if payer.referrer_since is not None:
            reward_referral(order, wallets, since=payer.referrer_since, now=now)
        attribution.convert(order, now=now)
    outbox.add("order.paid", key=order.source, payload={"order": order.number}, now=now)
    used = redemptions.redeem(order, discounts=coupon_discounts, entered=entered, now=now)
    if payer is not None:
        attribution.credit_papers(order, batch_ids=[c.batch_id for c in used if c.batch_id])
        coupons.reward(order, now=now)
    return Receipt(
        order=order,
        points_earned=earned,
        points_spent=Points(order.points_spent),
        balance=wallets.points(payer.id).available if payer else None,
        tier=(new_tier.code if new_tier else payer.tier) if payer else None,
        has_new_tier=new_tier is not None,
    )


def _quote_as_expected(basket: Basket, expected: Cents, *, now: datetime) -> Quote:
    quote = quotes.quote(basket, now=now)
    if quote.total_cents != expected:
        raise QuoteChanged(
            expected_total_cents=expected, total_cents=quote.total_cents, quote=quote
        )
    return quote


def _paid_order(
    quote: Quote, pos_order_no: str | None, rest: Sequence[Tender], *, actor: str, now: datetime
) -> Order:
    """Write the order of a quote as paid by its vouchers and the rest."""
    draft, by_vouchers = draft_of(quote, pos_order_no), _by_vouchers(quote)
    if not by_vouchers:
        return orders.create_paid(draft, tenders=rest, actor=actor, now=now)
    order = orders.create(draft, now=now)
    vouchers.attach(order, quote.vouchers)  # refuses a voucher of another order before its payment
    orders.mark_paid(order, tenders=[*by_vouchers, *rest], actor=actor, now=now)
    return order


def _by_vouchers(quote: Quote) -> list[Tender]:
    """Return what the vouchers of a quote pay; each must be for what the order holds."""
    if not quote.vouchers:
        return []
    applied = {offer.key for offer in quote.pricing.applied}
    idle = [v for v in quote.vouchers if v.rule is not None and v.offer_key not in applied]
    if idle:
        raise vouchers.VoucherNotApplicable(vouchers=[str(v.public_id) for v in idle])
    return [
        Tender(method=Payment.Method.VOUCHER, amount_cents=share, provider_ref=voucher.source)
        for voucher, share in zip(quote.vouchers, quote.voucher_shares, strict=True)
    ]


def _rest_in_cash(quote: Quote) -> list[Tender]:
    return [] if not quote.due_cents and quote.vouchers else orders.in_cash(quote.due_cents)


def draft_of(quote: Quote, pos_order_no: str | None) -> OrderDraft:
    """Return the order that a quote becomes."""
    return OrderDraft(
        store=quote.basket.store,
        till_id=quote.basket.till_id,
        member=quote.member.row if quote.member else None,
        pos_order_no=pos_order_no,
        order_type=quote.basket.order_type,
        lines=[*quote.line_drafts(), *quote.gift_drafts()],
        points_spent=quote.points,
        coupon_codes=sorted(quote.coupon_discounts),
        reward_code=quote.basket.reward_code if quote.is_reward_applied else "",
        boost_points=quote.boost_points,
        stamps=quote.stamps_to_earn,
        coupon_gifts=quote.coupon_gifts,
        trace=quote.trace,
    )


def _use_promotions(order: Order, quote: Quote, *, now: datetime) -> None:
    if applied := quote.applied_promotions:
        place = limits.place_of(order.store, member_id=order.member_id, now=now)
        promotions.use(order, applied, place=place, now=now)


def lock_wallets(payer: MemberFacts | None) -> Wallets:
    """Lock every account that the payment may touch: the payer's, and that of who brought them.

    Raises:
        points.WalletClosed: the membership was merged or closed at this moment.
    """
    if payer is None:
        return Wallets(accounts={})
    brought_by = payer.waiting_referrer_id
    wallets = points.lock_accounts([payer.id] if brought_by is None else [payer.id, brought_by])
    wallets.ensure_open(payer.id)
    return wallets


def _keep_gains(order: Order, quote: Quote, *, now: datetime) -> None:
    """Keep what each earning rule gives for an order; less than quoted if a cap was reached since.

    Where caps look at what the member had before, the wallets are locked first.
    """
    if quote.member is None or not quote.earning_rules:
        return
    parts = [*quote.earned.parts, *quote.stamped.parts]
    if earning_programme.needs_lock(quote.earning_rules, parts):
        points.lock_accounts([quote.member.id])
        rules = earning_programme.refreshed(quote.earning_rules, member_id=quote.member.id, now=now)
        fresh = replace(quote, earning_rules=rules)
        gains = fresh.boost_points, fresh.stamps_to_earn
        if gains != (quote.boost_points, quote.stamps_to_earn):
            orders.set_gains(order, boost_points=gains[0], stamps=gains[1])
        parts = [*fresh.earned.parts, *fresh.stamped.parts]
    earning_programme.record(
        parts,
        member_id=quote.member.id,
        source=order.source,
        business_date=order.business_date,
        now=now,
    )


def earn(
    order: Order,
    payer: MemberFacts,
    wallets: Wallets,
    *,
    gift_cents: Cents,
    spent: Points = NO_POINTS,
    now: datetime,
) -> Points:
    """Give the points of a paid order, or promise them if they have to wait; return how many.

    The bill earns as far as it was the guest's own money: `gift_cents` of it were a gift. What was
    `spent` on it is taken first.

    Raises:
        points.NotEnoughPoints
    """
    paid = order.payable_cents
    own_cents = Cents(share_of(order.earning_cents, part=paid - gift_cents, of=paid))
    of_the_bill = earning.points_for(own_cents, rates=payer.rates, tier_percent=payer.tier_percent)
    earned = Points(max(of_the_bill + order.boost_points, 0))
    if order.stamps:
        points.open_stamps(wallets, payer.id)
    points.exchange(
        wallets,
        payer.id,
        spent=spent,
        earned=NO_POINTS if payer.waiting.is_needed else earned,
        qualifying=earning.qualifying_points_for(own_cents, rates=payer.rates),
        stamps=NO_POINTS if payer.waiting.is_needed else order.stamps,
        source=order.source,
        now=now,
        expires_at=payer.lifetime.ends_at(now, timezone=order.store.timezone),
    )
    if payer.waiting.is_needed:
        _promise(order, payer, wallets, earned=earned, now=now)
    return earned


def _promise(
    order: Order, payer: MemberFacts, wallets: Wallets, *, earned: Points, now: datetime
) -> None:
    amounts = [(wallets.points(payer.id), earned), (wallets.stamps(payer.id), order.stamps)]
    for account, amount in amounts:
        if account is not None:
            promises.make(
                account,
                kind=points.Kind.EARN,
                points=amount,
                source=order.source,
                now=now,
                available_at=payer.waiting.until(now),
            )


def reward_referral(order: Order, wallets: Wallets, *, since: datetime, now: datetime) -> None:
    """Promise both sides their points for a friend's first paid order, due after some days.

    Friends who have bought since then count for the referrer's tier.
    """
    qualified = referrals.qualify(order, now=now)
    if qualified is None:
        return
    for member_id, amount in (
        (qualified.referrer_id, qualified.referrer_points),
        (qualified.referee_id, qualified.referee_points),
    ):
        promises.make(
            wallets.points(member_id),
            points=Points(amount),
            source=qualified.source,
            now=now,
            available_at=qualified.available_at,
        )
    tiers.refresh(
        qualified.referrer_id,
        referral_count=referrals.count_qualified(qualified.referrer_id, since=since),
        source=qualified.source,
        now=now,
    )
