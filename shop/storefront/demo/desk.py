"""A till of the demo that sells through the public flows, as one in a shop does."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

from shop.kernel.money import Cents
from shop.models import Member, Order, Payment, Store, Till
from shop.orders import Tender
from shop.storefront import checkout, quotes
from shop.storefront.baskets import Basket, BasketLine
from shop.storefront.demo.appetite import Appetite

PAYMENT_METHODS = [Payment.Method.WECHAT] * 6 + [Payment.Method.ALIPAY] * 3 + [Payment.Method.CASH]


class Desk:
    """The tills of one store; `prefix` keeps their order numbers apart from those of others."""

    def __init__(self, store: Store, *, rng: Random, prefix: str = "") -> None:
        self.store = store
        self.rng = rng
        self.prefix = prefix
        self.appetite = Appetite(store, rng)
        self.tills = list(Till.objects.filter(store=store).order_by("code"))
        self._orders = 0

    def pick_till(self) -> Till:
        """Return the till where somebody stands in line."""
        return self.rng.choice(self.tills)

    def sell(
        self,
        lines: Sequence[BasketLine],
        *,
        till: Till,
        member: Member,
        order_type: str,
        coupon_codes: Sequence[str] = (),
        now: datetime,
    ) -> Order:
        """Settle a basket at the price that the quote says."""
        basket = Basket(
            store=self.store,
            till_id=till.pk,
            member=member.public_id,
            order_type=order_type,
            lines=lines,
            coupon_codes=coupon_codes,
        )
        total = Cents(self.appetite.total_cents(lines))
        if coupon_codes:
            total = quotes.quote(basket, now=now).total_cents
        self._orders += 1
        receipt = checkout.settle_order(
            basket,
            tenders=[self._tender(total)],
            expected_total_cents=total,
            pos_order_no=f"{self.prefix}{till.code}-{now:%y%m%d}-{self._orders:05d}",
            actor=f"till:{till.pk}",
            now=now,
        )
        return receipt.order

    def _tender(self, total: Cents) -> Tender:
        method = self.rng.choice(PAYMENT_METHODS) if total else Payment.Method.NONE
        return Tender(method=method, amount_cents=total)
