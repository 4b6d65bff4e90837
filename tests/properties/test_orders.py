"""Orders placed, paid, cancelled and refunded in any order, as a clerk would reckon them.

However an order is given back, in pieces or amounts, it ends where one whole refund ends, whatever
the terms of the offers on it say of partial returns and of coupons after a refund. Coupons come
with purchases, go to a friend, run out and are revoked in between.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from campaigns import coupons, revocations, transfers, wallets
from campaigns.models import (
    Conversion,
    Coupon,
    CouponDefinition,
    CouponRedemption,
    PromotionUse,
    UsageCounter,
)
from loyalty.models import PointsAccount, Visit
from shop.catalog import Choice
from shop.kernel.errors import DomainError
from shop.kernel.money import Cents, Points, share_of
from shop.models import Member, Order, OrderLine, Refund
from shop.orders import Tender
from shop.refunds import OrderNotRefundable, RefundRequest, RefundTooLarge
from shop.storefront import checkout, quotes, refunds
from shop.storefront.baskets import BasketLine
from shop.storefront.invariants import suite
from tests import make

GIVEN = 5000
"""Points that the member starts with."""
BUDGET = 1500
"""Fen that the promotion may give."""

OPTIONS = {"MT01": make.MILK_TEA, "SN01": {}}
lines = st.lists(
    st.tuples(
        st.sampled_from(sorted(OPTIONS)),
        st.integers(min_value=1, max_value=4),
    ),
    min_size=1,
    max_size=3,
)
coupon = st.sampled_from(["", "new", "mine"])
"""None, one that is issued for it, or one of the wallet."""


@dataclass(kw_only=True)
class Sale:
    """A paid order as its receipt told it."""

    number: str
    paid: int
    earned: int
    spent: int


class OrdersMachine(RuleBasedStateMachine):
    """One member's dealings with one store.

    Peer bugs 16, 24, 25, 26, 27, 29, 31, 33: refunds beyond what was paid, points farmed by buying
    and returning, coupons lost on the way.
    """

    placed = Bundle("placed")
    sales = Bundle("sales")

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = transaction.atomic()
        self.sandbox.__enter__()
        self.now = make.NOON
        self.known: list[Sale] = []
        self.number = 0

    @initialize(
        partial_return=st.sampled_from(["keep", "reprice"]),
        after_refund=st.sampled_from(["reusable", "if_not_expired", "never"]),
    )
    def open(self, partial_return: str, after_refund: str) -> None:
        self.policy = after_refund
        terms = {"partial_return": partial_return, "after_refund": after_refund}
        CouponDefinition.objects.update(per_member_limit=999, is_transferable=True, **terms)
        make.promotion({"kind": "gift_coupon", "coupon": "WINBACK_6"}, code="COMEBACK")
        make.promotion(
            {"kind": "fixed_off", "amount_cents": 400},
            code="LIMITED",
            conditions={"min_spend_cents": 2400},
            partial_return=partial_return,
            budget_cents=Cents(BUDGET),
            uses_total=3,
        )
        self.member, self.friend = make.member(), make.member()
        make.give_points(self.member, GIVEN)

    def teardown(self) -> None:
        try:
            self._give_everything_back()
        finally:
            transaction.set_rollback(True)
            self.sandbox.__exit__(None, None, None)

    def _basket(
        self, chosen: list[tuple[str, int]], points: int, coupon: str, *, who: Member | None = None
    ) -> Any:
        who = who or self.member
        codes = [make.coupon(who, now=self.now).code] if coupon == "new" else []
        if coupon == "mine":
            codes = [row.code for row in wallets.living(who.pk, now=self.now, most=2)]
        wanted = [
            BasketLine(
                product=product,
                quantity=quantity,
                choice=Choice(options=OPTIONS[product], toppings={}),
            )
            for product, quantity in chosen
        ]
        basket = make.basket(who=who, lines=wanted, coupon_codes=codes, points=Points(points))
        return basket, quotes.quote(basket, now=self.now).total_cents

    def _remember(self, receipt: checkout.Receipt) -> Sale:
        sale = Sale(
            number=receipt.order.number,
            paid=receipt.order.paid_cents,
            earned=receipt.points_earned,
            spent=receipt.points_spent,
        )
        self.known.append(sale)
        return sale

    # --- what can happen -----------------------------------------------------------------------

    @rule(
        target=placed,
        chosen=lines,
        points=st.sampled_from([0, 60, 400]),
        coupon=coupon,
    )
    def place(self, chosen: list[tuple[str, int]], points: int, coupon: str) -> str:
        basket, total = self._basket(chosen, points, coupon)
        order = checkout.place_order(basket, expected_total_cents=total, now=self.now)
        return order.number

    @rule(target=sales, number=consumes(placed))
    def pay(self, number: str) -> Sale:
        total = Order.objects.get(number=number).payable_cents
        return self._remember(
            checkout.pay_order(
                number=number,
                tenders=[Tender(method="cash", amount_cents=total)],
                actor="test",
                now=self.now,
            )
        )

    @rule(number=consumes(placed))
    def cancel(self, number: str) -> None:
        checkout.cancel_order(number=number, actor="test", now=self.now)

    @rule(
        target=sales,
        chosen=lines,
        points=st.sampled_from([0, 60, 400]),
        coupon=coupon,
    )
    def settle(self, chosen: list[tuple[str, int]], points: int, coupon: str) -> Sale:
        basket, total = self._basket(chosen, points, coupon)
        self.number += 1
        return self._remember(
            checkout.settle_order(
                basket,
                tenders=[Tender(method="cash", amount_cents=total)],
                expected_total_cents=total,
                pos_order_no=f"T-{self.number}",
                actor="test",
                now=self.now,
            )
        )

    @rule(target=sales, chosen=lines)
    def friend_settles(self, chosen: list[tuple[str, int]]) -> Sale:
        basket, total = self._basket(chosen, 0, "mine", who=self.friend)
        self.number += 1
        receipt = checkout.settle_order(
            basket,
            tenders=[Tender(method="cash", amount_cents=total)],
            expected_total_cents=total,
            pos_order_no=f"T-{self.number}",
            actor="test",
            now=self.now,
        )
        return Sale(
            number=receipt.order.number,
            paid=receipt.order.paid_cents,
            earned=receipt.points_earned,
            spent=0,
        )

    @rule()
    def pass_on(self) -> None:
        for mine in wallets.living(self.member.pk, now=self.now, most=1):
            offered = transfers.offer(mine.code, member_id=self.member.pk, now=self.now)
            transfers.accept(offered.token, member_id=self.friend.pk, now=self.now)

    @rule()
    def revoke(self) -> None:
        mine = Coupon.objects.filter(
            member=self.member, status__in=["available", "held", "redeemed"], revoked_at=None
        )
        for row in mine.order_by("pk")[:1]:
            revocations.revoke(row, reason="test", actor="test", now=self.now)

    @rule(days=st.sampled_from([1, 6, 20]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        coupons.expire(now=self.now)

    @rule(sale=sales, amount=st.integers(min_value=1, max_value=3000))
    def refund_amount(self, sale: Sale, amount: int) -> None:
        order = Order.objects.get(number=sale.number)
        refund = self._refund(order, RefundRequest(amount_cents=Cents(amount)))
        if refund is not None:
            assert refund.amount_cents == amount <= order.net_cents

    @rule(sale=sales, position=st.integers(min_value=1, max_value=3), pieces=st.integers(1, 3))
    def refund_pieces(self, sale: Sale, position: int, pieces: int) -> None:
        order = Order.objects.get(number=sale.number)
        if position <= order.lines.count():
            self._refund(order, RefundRequest(quantities={position: pieces}))

    @rule(sale=sales)
    def refund_the_rest(self, sale: Sale) -> None:
        order = Order.objects.get(number=sale.number)
        refund = self._refund(order, RefundRequest())
        if refund is not None:
            assert refund.amount_cents == order.net_cents

    @rule(number=placed)
    def refund_what_was_not_paid(self, number: str) -> None:
        with pytest.raises(OrderNotRefundable):
            refunds.refund_order(number=number, request=RefundRequest(), actor="test", now=self.now)

    def _refund(self, order: Order, request: RefundRequest) -> Refund | None:
        """Refund, or be refused for a reason that the order shows."""
        try:
            with transaction.atomic():
                return refunds.refund_order(
                    number=order.number, request=request, actor="test", now=self.now
                )
        except RefundTooLarge:
            amount = request.amount_cents
            by_position = {line.position: line for line in order.lines.all()}
            assert (amount is not None and amount > order.net_cents) or any(
                pieces > by_position[position].quantity - by_position[position].refunded_quantity
                for position, pieces in request.quantities.items()
            )
        except OrderNotRefundable:
            assert order.status == Order.Status.REFUNDED
        except DomainError as error:
            raise AssertionError(error.code) from error
        return None

    # --- what always holds ---------------------------------------------------------------------

    @invariant()
    def refunds_sum_to_no_more_than_was_paid(self) -> None:
        for order in Order.objects.all():
            given_back = order.refunds.aggregate(sum=Sum("amount_cents"))["sum"] or 0
            on_lines = order.lines.aggregate(sum=Sum("refunded_cents"))["sum"] or 0
            assert given_back == on_lines == order.refunded_cents <= order.paid_cents
            credited = Conversion.objects.filter(order=order, kind__in=["order", "refund"])
            net = credited.aggregate(sum=Sum("amount_cents"))["sum"] or 0
            assert net == order.net_cents

    @invariant()
    def points_follow_the_money(self) -> None:
        expected = GIVEN
        for sale in self.known:
            order = Order.objects.get(number=sale.number)
            lines = OrderLine.objects.filter(order=order, earns_points=True)
            back = lines.aggregate(sum=Sum("refunded_cents"))["sum"] or 0
            expected += sale.earned - share_of(sale.earned, part=back, of=order.earning_cents)
            expected -= sale.spent - share_of(
                sale.spent, part=order.refunded_cents, of=order.paid_cents
            )
        assert self._wallet("points").balance == expected

    @invariant()
    def coupons_are_where_their_order_is(self) -> None:
        free = {"available", "expired", "transferred", "revoked"}
        for row in Coupon.objects.select_related("held_by"):
            used = CouponRedemption.objects.filter(coupon=row, released_at=None).exists()
            if row.held_by is None:
                assert row.status in free
                assert not used
            elif row.held_by.status == Order.Status.PENDING:
                assert (row.status, used) == (Coupon.Status.HELD, False)
            else:
                assert (row.status, used) == (Coupon.Status.REDEEMED, True)
                assert row.held_by.status == Order.Status.PAID or self.policy == "never"

    @invariant()
    def what_came_with_an_order_goes_with_it(self) -> None:
        for order in Order.objects.filter(status=Order.Status.REFUNDED):
            gifts = Coupon.objects.filter(source=order.source).exclude(
                status__in=["transferred", "expired"]
            )
            assert all(row.revoked_at is not None for row in gifts)

    @invariant()
    def promotions_keep_their_limits(self) -> None:
        standing = PromotionUse.objects.filter(released_at=None, promotion__code="LIMITED")
        spent = standing.aggregate(sum=Sum("discount_cents"))["sum"] or 0
        assert standing.count() <= 3
        assert spent <= BUDGET
        for counter in UsageCounter.objects.filter(dimension="total"):
            assert (counter.used, counter.spent_cents) == (standing.count(), spent)

    @invariant()
    def only_orders_not_given_back_count_as_visits(self) -> None:
        standing = Visit.objects.filter(reversed_at=None).count()
        paid = Order.objects.filter(status=Order.Status.PAID).count()
        assert standing == paid

    def _wallet(self, wallet: str) -> PointsAccount:
        return PointsAccount.objects.get(member=self.member, wallet=wallet)

    def _give_everything_back(self) -> None:
        """All refunded and cancelled, the member is where they started."""
        for order in Order.objects.all():
            if order.status == Order.Status.PENDING:
                checkout.cancel_order(number=order.number, actor="test", now=self.now)
            elif order.status == Order.Status.PAID:
                self._refund(order, RefundRequest())
        points, qualifying = self._wallet("points"), self._wallet("qualifying")
        assert (points.balance, points.held, qualifying.balance) == (GIVEN, 0, 0)
        counted = CouponDefinition.objects.values_list("redeemed_count", "spent_cents")
        assert set(counted) == {(0, 0)} or self.policy == "never"
        assert not OrderLine.objects.exclude(kept_back_cents=0).exists()
        broken = suite.check_all(now=self.now).broken
        assert broken == [], [(found.name, found.examples) for found in broken]


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        OrdersMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],  # shrinking takes minutes; a failing run prints its steps
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_refunds_in_any_order_end_where_a_whole_one_ends() -> None:
    _run(examples=5, steps=15)


@pytest.mark.slow
@pytest.mark.django_db
def test_refunds_in_any_order_end_where_a_whole_one_ends_for_long() -> None:
    _run(examples=150, steps=30)
