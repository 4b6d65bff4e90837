"""Sales and refunds in memory, by the rules of the flows; check_invariants compares."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from campaigns import pricing, wallets
from campaigns.models import Coupon, CouponRedemption
from loyalty.models import PointsHold, Reward, RewardRedemption
from loyalty.rewards import UsableReward
from shop import order_drafts
from shop.kernel.money import Cents, Points
from shop.models import Order, OrderEvent, OrderLine, Payment, Refund, RefundLine, Store, Till
from shop.storefront import checkout, entered_codes, quotes
from shop.storefront.baskets import Basket, BasketLine, QuoteLine
from shop.storefront.demo.appetite import Appetite
from shop.storefront.demo.consequences import Consequences
from shop.storefront.demo.regulars import Regular
from shop.storefront.demo.tables import Tables
from shop.storefront.quotes import Quote

MINUTE = timedelta(minutes=1)
UNPAID_AFTER = timedelta(minutes=15)
METHODS = [Payment.Method.WECHAT] * 6 + [Payment.Method.ALIPAY] * 3 + [Payment.Method.CASH]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What somebody wants to buy, and with what they want to pay less."""

    lines: Sequence[BasketLine]
    order_type: str
    coupon: Coupon | None = None
    points: Points = Points(0)  # noqa: RUF009 - a type, not a call
    wants_reward: bool = False
    is_online: bool = False


@dataclass(kw_only=True, slots=True)
class Sale:
    """A paid order with what a refund has to know."""

    order: Order
    lines: list[OrderLine]
    regular: Regular | None
    redemptions: list[CouponRedemption] = field(default_factory=list)


class Counter:
    """The counter of one store."""

    def __init__(
        self, store: Store, *, appetite: Appetite, tables: Tables, consequences: Consequences
    ) -> None:
        self.store = store
        self.appetite = appetite
        self.tables = tables
        self.rng = tables.rng
        self.consequences = consequences
        self.tills = list(Till.objects.filter(store=store).order_by("code"))
        self.reward = Reward.objects.get(code="FREE_DRINK")
        self._numbers = 0

    def sell(self, wishes: Wishes, regular: Regular | None, *, now: datetime) -> Sale:
        """Sell something, as `checkout.settle_order` does."""
        reward = self._reward_code(regular, now) if wishes.wants_reward and regular else None
        quote = self._quote(wishes, regular, reward, now)
        sale = self._order(quote, regular, now)
        self._pay(sale, wishes, now)
        if regular is not None:
            if sale.order.reward_code:
                self._use_reward(sale, regular, now)
            self.consequences.of_payment(sale.order, regular, now=now)
            self._redeem(sale, quote, wishes.coupon, now)
        tell = self.consequences.regulars.tell
        tell("order.paid", sale.order.source, {"order": sale.order.number}, now)
        return sale

    def place_in_vain(self, wishes: Wishes, regular: Regular, *, now: datetime) -> None:
        """Place an order that nobody pays, and cancel it, as the beat does."""
        sale = self._order(self._quote(wishes, regular, None, now), regular, now)
        order = sale.order
        order.status = Order.Status.CANCELLED
        order.expires_at = None
        order.cancelled_at = now + UNPAID_AFTER
        self._event(order, Order.Status.CANCELLED, "beat", order.cancelled_at)

    def refund(self, sale: Sale, *, line: OrderLine | None, reason: str, now: datetime) -> None:
        """Give one piece of a line back, or without a line all, as `refunds.give_back`."""
        order = sale.order
        parts = [(line, 1)] if line else [(row, row.quantity) for row in sale.lines]
        amounts = [
            (row, pieces, Cents(row.net_cents * pieces // row.quantity)) for row, pieces in parts
        ]
        refund = self.tables.add(
            Refund(
                order=order,
                number=f"R{self.tables.code(11)}",
                amount_cents=Cents(sum(cents for _row, _pieces, cents in amounts)),
                reason=reason,
                actor=f"till:{self.tills[0].pk}",
                refunded_at=now,
            )
        )
        for row, pieces, cents in amounts:
            self.tables.add(
                RefundLine(refund=refund, line=row, quantity=pieces, amount_cents=cents)
            )
            row.refunded_quantity += pieces
            row.refunded_cents = Cents(row.refunded_cents + cents)
        order.refunded_cents = refund.amount_cents
        if line is None:
            order.status = Order.Status.REFUNDED
            self._event(order, Order.Status.REFUNDED, refund.actor, now)
            self._return_coupons(sale, now)
        if sale.regular is not None:
            earning = sum(row.refunded_cents for row in sale.lines if row.earns_points)
            self.consequences.of_refund(
                refund, sale.regular, refunded_earning_cents=earning, now=now
            )
        payload = {"order": order.number, "refund": refund.number}
        self.consequences.regulars.tell("order.refunded", refund.source, payload, now)

    # --- selling -------------------------------------------------------------------------------

    def _quote(
        self, wishes: Wishes, regular: Regular | None, reward: str | None, now: datetime
    ) -> Quote:
        offers: list[pricing.Offer] = []
        if wishes.coupon is not None:
            offers.append(wallets.offer_of(wishes.coupon))
        if reward is not None:
            usable = UsableReward(
                redemption_id=0,
                code=reward,
                name=self.reward.name,
                max_value_cents=self.reward.max_value_cents,
                source=f"reward:{reward}",
            )
            offers.append(entered_codes.reward_offer(usable))
        basket = Basket(
            store=self.store,
            till_id=None if wishes.is_online else self.rng.choice(self.tills).pk,
            member=regular.member.public_id if regular else None,
            order_type=wishes.order_type,
            lines=wishes.lines,
            coupon_codes=[wishes.coupon.code] if wishes.coupon else [],
            points=wishes.points,
            reward_code=reward or "",
        )
        lines = []
        for line in wishes.lines:
            product, priced = self.appetite.price(line)
            lines.append(QuoteLine(product=product, priced=priced, quantity=line.quantity))
        facts = self.consequences.regulars.facts(regular) if regular else None
        coupons = {coupon.code: coupon for coupon in [wishes.coupon] if coupon is not None}
        quote = quotes.price(basket, lines, member=facts, offers=offers, unusable=[], now=now)
        return replace(quote, coupons=coupons)

    def _order(self, quote: Quote, regular: Regular | None, now: datetime) -> Sale:
        self._numbers += 1
        till = quote.basket.till_id
        pos_order_no = f"H{till}-{now:%y%m%d}-{self._numbers:06d}" if till else None
        draft = checkout.draft_of(quote, pos_order_no)
        order = order_drafts.order_row(draft, number=self.tables.code(9), now=now)
        self.tables.add(order)
        lines = [self.tables.add(row) for row in order_drafts.line_rows(order, draft)]
        for row in order_drafts.discount_rows(lines, draft):
            self.tables.add(row)
        return Sale(order=order, lines=lines, regular=regular)

    def _pay(self, sale: Sale, wishes: Wishes, now: datetime) -> None:
        order = sale.order
        method = Payment.Method.WECHAT if wishes.is_online else self.rng.choice(METHODS)
        self.tables.add(
            Payment(
                order_id=order.pk,
                method=method if order.payable_cents else Payment.Method.NONE,
                amount_cents=order.payable_cents,
                received_at=now,
            )
        )
        order.status = Order.Status.PAID
        order.paid_cents = order.payable_cents
        order.paid_at = now
        order.expires_at = None
        member = sale.regular.member.pk if sale.regular else 0
        actor = f"member:{member}" if wishes.is_online else f"till:{order.till_id}"
        self._event(order, Order.Status.PAID, actor, now)

    def _event(self, order: Order, status: str, actor: str, at: datetime) -> None:
        self.tables.add(OrderEvent(order_id=order.pk, status=status, actor=actor, occurred_at=at))

    # --- coupons and rewards -------------------------------------------------------------------

    def _redeem(self, sale: Sale, quote: Quote, coupon: Coupon | None, now: datetime) -> None:
        if coupon is None or coupon.code not in quote.coupon_discounts:
            return
        assert sale.regular is not None  # noqa: S101 - coupons belong to members
        coupon.status = Coupon.Status.REDEEMED
        coupon.held_by = sale.order
        sale.regular.coupons.remove(coupon)
        redemption = CouponRedemption(
            coupon=coupon,
            order=sale.order,
            discount_cents=quote.coupon_discounts[coupon.code],
            redeemed_at=now,
        )
        sale.redemptions.append(self.tables.add(redemption))

    def _return_coupons(self, sale: Sale, now: datetime) -> None:
        for redemption in sale.redemptions:
            coupon = redemption.coupon
            is_over = coupon.expires_at <= now
            coupon.status = Coupon.Status.EXPIRED if is_over else Coupon.Status.AVAILABLE
            coupon.held_by = None
            redemption.released_at = now

    def _reward_code(self, regular: Regular, now: datetime) -> str | None:
        has_enough = regular.points.available >= self.reward.cost_points
        return f"RW{self.tables.code(12)}" if has_enough else None

    def _use_reward(self, sale: Sale, regular: Regular, now: datetime) -> None:
        """Take the reward a quarter of an hour before it is used."""
        code, taken = sale.order.reward_code, now - 15 * MINUTE
        hold = self.tables.add(
            PointsHold(
                account=regular.points.account,
                points=self.reward.cost_points,
                state=PointsHold.State.POSTED,
                source=f"reward:{code}",
                held_at=taken,
                resolved_at=now,
            )
        )
        self.tables.add(
            RewardRedemption(
                reward=self.reward,
                member=regular.member,
                code=code,
                status=RewardRedemption.Status.USED,
                points=self.reward.cost_points,
                hold=hold,
                order=sale.order,
                issued_at=taken,
                expires_at=taken + timedelta(days=self.reward.valid_days),
                resolved_at=now,
            )
        )
        self.consequences.ledger.debit(
            regular.points,
            kind="spend",
            points=self.reward.cost_points,
            source=f"reward:{code}",
            now=now,
        )
